#include "fit/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "fit/bootstrap.h"
#include "fit/holdout.h"
#include "fit/setup.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

struct Entry {
  const Law* law = nullptr;
  int parameters = 0;  // k, those fitted
  double sse = kUnknown, r2 = kUnknown, aicc = kUnknown;
  std::vector<double> squares;  // held-out squared log residuals, NaN where not held out
  HeldOut held_out;
  std::string note;  // why it could not be fitted
  bool tied = false;
};

// n log(SSE / n) + 2 k + 2 k (k + 1) / (n - k - 1); NaN where rows are too few for the correction.
double corrected_information(double sse, double points, double k) {
  if (points <= k + 1) return kUnknown;
  return points * std::log(sse / points) + 2 * k + 2 * k * (k + 1) / (points - k - 1);
}

Entry measure(const Law& unbound, const std::vector<Observation>& runs, const FitOptions& options,
              const std::vector<std::vector<bool>>& masks, const std::string& split,
              const ParallelFor& parallel_for) {
  Entry out;
  out.law = &unbound;
  const BoundLaw bound = bind_law(unbound, runs);
  const Law& law = bound.law();
  const StageRows rows = sort_rows(law, runs, options);
  const ParameterChoice choice = choose(law, rows, options);
  const StageSetup setup = setup_of(law, Stage::kTraining, choice, choice.base, options);
  out.parameters = static_cast<int>(setup.free.size());
  if (rows.training.size() <= setup.free.size()) {
    out.note = fmt::format("{} rows for {} constants", rows.training.size(), setup.free.size());
    return out;
  }
  const StageMinimum fitted = fit_stage(setup, rows.training, parallel_for);
  out.sse = 2 * fitted.objective;
  out.aicc =
      corrected_information(out.sse, static_cast<double>(rows.training.size()), out.parameters);
  std::vector<double> observed, predicted;
  for (const Observation& run : rows.training) {
    observed.push_back(measured(law, run));
    predicted.push_back(predict(law, fitted.values.data(), run));
  }
  out.r2 = r_squared(observed, predicted);
  StageSetup quick = setup;
  quick.starts = std::min(quick.starts, 16);
  out.squares = held_out_squares(quick, rows.training, masks, parallel_for);
  out.held_out = summarise(split, rows.training, out.squares);
  if (out.held_out.points == 0) out.note = "too few rows are left to fit when some are held out";
  return out;
}

// Is the difference of summed squared residuals within twice its standard error over clusters? Laws
// that coincide on these rows differ by the solver's last digits, which is nothing either.
bool tied(const Entry& a, const Entry& best, const std::vector<int>& cluster) {
  std::map<int, double> difference;
  std::map<int, int> count;
  double sum = 0, total = 0;
  int points = 0;
  for (size_t i = 0; i < cluster.size(); ++i) {
    const double d = a.squares[i] - best.squares[i];
    if (std::isnan(d)) continue;
    difference[cluster[i]] += d;
    ++count[cluster[i]];
    sum += d;
    total += best.squares[i];
    ++points;
  }
  const double clusters = static_cast<double>(difference.size());
  if (clusters < 2) return true;  // nothing to tell the error from
  double spread = 0;
  for (const auto& [c, d] : difference) spread += std::pow(d - sum / points * count[c], 2);
  return sum <= 2 * std::sqrt(spread * clusters / (clusters - 1)) + 1e-4 * total;
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json entry_json(const Entry& entry, int points) {
  Json out{{"name", entry.law->name},
           {"parameters", entry.parameters},
           {"sse", number(entry.sse)},
           {"rms_log", number(std::sqrt(entry.sse / points))},
           {"r2", number(entry.r2)},
           {"aicc", number(entry.aicc)},
           {"held_out",
            {{"points", entry.held_out.points},
             {"rms_log", number(entry.held_out.rms_log)},
             {"standard_error", number(entry.held_out.standard_error)}}},
           {"tied_with_best", entry.tied}};
  if (!entry.note.empty()) out["note"] = entry.note;
  return out;
}

std::string verdict(const std::vector<Entry>& entries) {
  const Entry& best = entries[0];
  if (best.held_out.points == 0) return "No law could be judged on rows it had not seen.";
  std::vector<std::string> same, behind;
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].held_out.points > 0)
      (entries[i].tied ? same : behind).push_back(entries[i].law->name);
  }
  std::string out = fmt::format("{} predicts unseen rows with the least error, {:.2f} %",
                                best.law->name, 100 * best.held_out.rms_log);
  if (!same.empty()) {
    out += fmt::format(", but {} {} within twice the standard error of that: a tie",
                       fmt::join(same, ", "), same.size() == 1 ? "is" : "are");
  }
  if (!behind.empty())
    out +=
        fmt::format("; {} {} behind", fmt::join(behind, ", "), behind.size() == 1 ? "is" : "are");
  return out + ".";
}

std::vector<const Law*> chosen_laws(const std::vector<std::string>& names) {
  std::vector<const Law*> out;
  for (const std::string& list : names) {
    for (const std::string& item : split(list, ',')) {
      const std::string name = trim(item);
      if (name == "all") continue;
      const Law* law = find_law(name);
      if (!law) {
        const std::string near = nearest_name(name, law_names());
        throw Error(fmt::format("laws: {} is unknown; {}", name,
                                near.empty()
                                    ? fmt::format("there are {}", fmt::join(law_names(), ", "))
                                    : fmt::format("did you mean {}?", near)));
      }
      if (std::find(out.begin(), out.end(), law) == out.end()) out.push_back(law);
    }
  }
  if (out.empty()) {
    for (const Law& law : laws()) out.push_back(&law);
  }
  return out;
}

}  // namespace

Json compare_laws(const std::vector<Observation>& runs, const CompareOptions& options,
                  const ParallelFor& parallel_for) {
  const std::vector<const Law*> chosen = chosen_laws(options.laws);
  if (options.hold_out != "kfold" && options.hold_out != "largest-N" &&
      options.hold_out != "largest-D") {
    throw Error(fmt::format("hold_out: {} is unknown; use kfold, largest-N or largest-D",
                            options.hold_out));
  }
  if (options.folds < 2) throw Error("folds: at least 2");
  FitOptions fit_options;
  fit_options.objective = "least-squares";
  fit_options.params = options.params;
  fit_options.starts = options.starts;
  fit_options.seed = options.seed;
  check_options(fit_options);

  const std::vector<Observation> rows = sort_rows(*chosen[0], runs, fit_options).training;
  if (rows.empty()) throw Error("the table has no row with a loss of training to compare laws on");
  const auto masks =
      hold_out_masks(rows, options.hold_out, static_cast<int>(options.folds), options.seed);
  if (masks.empty()) {
    throw Error(fmt::format("hold_out: {} would leave nothing to fit; use another split",
                            options.hold_out));
  }
  std::vector<Entry> entries;
  for (const Law* law : chosen) {
    entries.push_back(measure(*law, runs, fit_options, masks, options.hold_out, parallel_for));
  }
  const auto error = [](const Entry& e) {
    return e.held_out.points > 0 ? e.held_out.rms_log : std::numeric_limits<double>::infinity();
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const Entry& a, const Entry& b) { return error(a) < error(b); });
  const std::vector<int> cluster = number_clusters(rows);
  for (Entry& entry : entries) {
    entry.tied = entry.held_out.points > 0 && tied(entry, entries[0], cluster);
  }

  const int points = static_cast<int>(rows.size());
  Json out{{"points", points}, {"hold_out", options.hold_out}, {"verdict", verdict(entries)}};
  out["laws"] = Json::array();
  for (const Entry& entry : entries) out["laws"].push_back(entry_json(entry, points));
  return out;
}

std::string compare_text(const Json& comparison) {
  const auto shown = [](const Json& value, const char* format, double scale = 1) {
    return value.is_number() ? fmt::format(fmt::runtime(format), scale * value.get<double>())
                             : std::string("-");
  };
  std::string out = fmt::format("{:<18} {:>3} {:>11} {:>8} {:>9} {:>20}\n", "law", "k", "SSE(log)",
                                "R^2", "AICc", "unseen rows");
  for (const Json& law : comparison.at("laws")) {
    const Json& held = law.at("held_out");
    out +=
        fmt::format("{:<18} {:>3} {:>11} {:>8} {:>9} {:>20}{}\n", law.at("name").get<std::string>(),
                    law.at("parameters").get<int>(), shown(law.at("sse"), "{:.4g}"),
                    shown(law.at("r2"), "{:.4f}"), shown(law.at("aicc"), "{:.1f}"),
                    shown(held.at("rms_log"), "{:.3f} %", 100) +
                        (held.at("standard_error").is_number()
                             ? shown(held.at("standard_error"), " +- {:.3f}", 100)
                             : ""),
                    law.contains("note")                   ? "  " + law["note"].get<std::string>()
                    : law.at("tied_with_best").get<bool>() ? "  *"
                                                           : "");
  }
  out += fmt::format(
      "{} rows, held out by {}; * no worse than the best within twice its standard error\n{}\n",
      comparison.at("points").get<int>(), comparison.at("hold_out").get<std::string>(),
      comparison.at("verdict").get<std::string>());
  return out;
}

}  // namespace bitlaw
