// How often do intervals contain the true value? Draws studies of a small design from known
// constants, fits each with its bootstrap and its profiles, and counts.
//
//   bench/run coverage [--law kumar] [--studies 200] [--draws 200] [--shared 0] [--level 0.9]
//                      [--objective huber] [--by row] [--confounding one-D] [--threads 1]
//                      [--out FILE.jsonl] [--json]
//
// --shared: share of the noise's variance that runs of one size and precision have in common (one
// trunk). --by row resamples rows although the errors of a trunk are correlated, to show what goes
// wrong then. --confounding draws studies from which some constants cannot be told apart: what is
// printed for those is the whole range that the rows allow. With --out, every study is appended to
// the file as soon as it is done, and a later call resumes from there.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "fit/derived.h"
#include "predict/predict.h"
#include "simulate/simulate.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

struct Options {
  std::string law = "kumar", objective = "huber", by = "trunk", confounding, out;
  int studies = 200, draws = 200, threads = 1, starts = 4;
  double shared = 0, noise = 1e-3, level = 0.9;
  bool profiles = true, json = false;
};

// Constants that suit models of 0.1 M to 1 M parameters, so that noise, size, data and bits all
// weigh as they do in studies that a small machine can run.
const std::map<std::string, std::vector<std::string>> kTruth{
    {"chinchilla", {"E=2.1", "A=260", "B=4200", "alpha=0.44", "beta=0.53"}},
    {"kumar",
     {"E=2.1", "A=260", "B=4200", "alpha=0.44", "beta=0.53", "gamma_w=2.2", "n_w=0.35",
      "gamma_a=1.9", "n_a=0.9", "gamma_kv=1.1", "n_kv=1.6", "C_T=0.02", "gamma_D=0.45",
      "gamma_N=0.3", "gamma_post=0.62"}},
    {"additive-exp",
     {"E=2.1", "A=260", "B=4200", "alpha=0.44", "beta=0.53", "gamma_D=0.15", "gamma_N=0.2", "k_w=4",
      "gamma_w=1.1", "k_a=12", "gamma_a=1.0", "k_kv=8", "gamma_kv=0.8"}}};

StudyOptions design(const Options& options) {
  StudyOptions study;
  study.params = {1e5, 2e5, 4e5, 8e5};
  study.tokens = {2e6, 8e6, 32e6};
  study.weights = {3, 4, 6, 8}, study.activations = {4, 6, 8}, study.kv = {3, 4, 6};
  study.post = {3, 4, 5, 6};
  if (options.law == "chinchilla") {  // it sees no bits: more sizes and token counts instead
    study.params = {1e5, 1.5e5, 2e5, 3e5, 4e5, 6e5, 8e5};
    study.tokens = {2e6, 4e6, 8e6, 16e6, 32e6};
  }
  study.noise = options.noise, study.delta_noise = 2e-4;
  study.shared = options.shared;
  study.trunk = options.shared > 0 ? "size" : "run";
  return study;
}

FitOptions fitting(const Options& options) {
  FitOptions fit;
  fit.law = options.law;
  fit.objective = options.objective;
  fit.starts = options.starts, fit.draws = options.draws, fit.level = options.level;
  fit.hold_out = false;
  if (options.profiles) fit.profile = {"all", "derived"};
  return fit;
}

// For one interval: null if there is none; the side on which the truth is outside, 0 if inside.
Json side(double low, double high, double truth, bool open_ends) {
  if (std::isnan(low) && std::isnan(high)) return open_ends ? Json(0) : Json(nullptr);
  return truth < low ? -1 : truth > high ? 1 : 0;
}

constexpr const char* kMean = "mean loss of a run not fitted";
constexpr const char* kRun = "loss of a run not fitted";

// The same runs again, in trunks of their own: predicted, the mean and the measured loss.
void add_new_runs(const Options& options, const Truth& truth, const std::vector<Observation>& runs,
                  int number, const Fit& fit, Json& sides) {
  Constants constants;
  if (!read_constants("", "", fit_to_json(fit), constants).empty()) return;
  StudyOptions study = design(options);
  study.seed = static_cast<uint64_t>(number) + 1'000'000;
  Json of_mean = Json::array(), of_run = Json::array();
  for (const Observation& run : draw_study(truth, runs, study).rows) {
    if (run.is_post_training()) continue;
    const Prediction made = predict_run(constants, run, options.level);
    if (!made.run) continue;
    const double mean = predict(truth.law.law(), truth.values.data(), run);
    of_mean.push_back(side(made.mean->low, made.mean->high, mean, false));
    of_run.push_back(side(made.run->low, made.run->high, run.loss_nats, false));
  }
  sides[kMean] = {std::move(of_mean), nullptr};
  sides[kRun] = {std::move(of_run), nullptr};
}

// {quantity: [bootstrap, profile]}
Json study_line(const Options& options, const Truth& truth, const std::vector<Observation>& runs,
                int number) {
  StudyOptions study = design(options);
  study.seed = static_cast<uint64_t>(number);
  std::vector<Observation> rows = draw_study(truth, runs, study).rows;
  if (options.by == "row") {
    for (Observation& row : rows) row.cluster.clear();
  }
  const Fit fit = fit_law(rows, fitting(options));
  const Law& law = truth.law.law();
  Json line{{"study", number}, {"sides", Json::object()}};
  const auto add = [&](const std::string& name, double low, double high, double expected) {
    Json sides{side(low, high, expected, false), nullptr};
    for (const ProfileInterval& profile : fit.profiles) {
      if (profile.name == name) sides[1] = side(profile.low, profile.high, expected, true);
    }
    line["sides"][name] = std::move(sides);
  };
  for (size_t i = 0; i < fit.parameters.size(); ++i) {
    const FittedParameter& p = fit.parameters[i];
    if (p.frozen.empty()) add(p.name, p.low, p.high, truth.values[i]);
  }
  const StageRows sorted = sort_rows(law, rows, fitting(options));
  for (const DerivedQuantity& quantity : derived_quantities(law, sorted, truth.values)) {
    for (const Derived& derived : fit.derived) {
      if (derived.name != quantity.about.name) continue;
      add(derived.name, derived.low, derived.high, quantity.about.value);
    }
  }
  add_new_runs(options, truth, runs, number, fit, line["sides"]);
  return line;
}

struct Count {
  int inside = 0, below = 0, above = 0;
  int all() const { return inside + below + above; }
  double share() const { return static_cast<double>(inside) / all(); }
  double error() const { return std::sqrt(share() * (1 - share()) / all()); }
  void add(const Json& side) {
    if (side.is_null()) return;
    if (side.is_array()) {
      for (const Json& each : side) add(each);
      return;
    }
    (side == 0 ? inside : side == -1 ? below : above) += 1;
  }
};

Json count_json(const Count& count) {
  if (count.all() == 0) return nullptr;
  return {{"share", count.share()},
          {"standard_error", count.error()},
          {"studies", count.all()},
          {"truth_below", count.below},
          {"truth_above", count.above}};
}

std::string count_text(const Count& count) {
  if (count.all() == 0) return fmt::format("{:>16}", "-");
  return fmt::format("{:>6.1f} % +- {:<4.1f}", 100 * count.share(), 100 * count.error());
}

// Quantities in the order of the first study's fit; those of one kind, D_crit, as they come.
void print(const Options& options, const std::vector<Json>& lines,
           const std::vector<std::string>& order) {
  std::map<std::string, std::array<Count, 2>> counts;
  std::array<Count, 2> total;
  for (const Json& line : lines) {
    for (const auto& [name, sides] : line.at("sides").items()) {
      for (size_t kind = 0; kind < 2; ++kind) {
        counts[name][kind].add(sides[kind]);
        total[kind].add(sides[kind]);
      }
    }
  }
  if (options.json) {
    Json out{{"law", options.law},
             {"studies", lines.size()},
             {"level", options.level},
             {"shared", options.shared},
             {"draws", options.draws},
             {"by", options.by},
             {"objective", options.objective}};
    out["quantities"] = Json::array();
    for (const std::string& name : order) {
      out["quantities"].push_back({{"name", name},
                                   {"bootstrap", count_json(counts[name][0])},
                                   {"profile", count_json(counts[name][1])}});
    }
    out["all"] = {{"bootstrap", count_json(total[0])}, {"profile", count_json(total[1])}};
    fmt::print("{}\n", dump_json(out, 2));
    return;
  }
  fmt::print("{}, {} studies, {} draws, {} of the noise shared, clusters by {}, {}\n", options.law,
             lines.size(), options.draws, options.shared, options.by, options.objective);
  fmt::print("{:<34} {:>16} {:>16}\n", "share that contains the truth", "bootstrap", "profile");
  for (const std::string& name : order) {
    fmt::print("{:<34} {} {}\n", name, count_text(counts[name][0]), count_text(counts[name][1]));
  }
  fmt::print("{:<34} {:>8.1f} %        {:>6.1f} %\n", "mean", 100 * total[0].share(),
             total[1].all() > 0 ? 100 * total[1].share() : kUnknown);
}

std::vector<std::string> names_in_order(const Truth& truth, const std::vector<Observation>& rows,
                                        const Options& options) {
  std::vector<std::string> out;
  const Law& law = truth.law.law();
  for (const Parameter& p : law.parameters) out.emplace_back(p.name);
  const StageRows sorted = sort_rows(law, rows, fitting(options));
  for (const DerivedQuantity& quantity : derived_quantities(law, sorted, truth.values)) {
    out.push_back(quantity.about.name);
  }
  out.emplace_back(kMean);
  out.emplace_back(kRun);
  return out;
}

std::string join_names(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

int run(const Options& options) {
  const Law* law = find_law(options.law);
  const auto constants = kTruth.find(options.law);
  if (!law || constants == kTruth.end())
    throw Error("law: expected chinchilla, kumar or additive-exp");
  const std::vector<Observation> runs = options.confounding.empty()
                                            ? design_runs(*law, design(options))
                                            : confounded_runs(options.confounding);
  const Truth truth = truth_for(*law, runs, "", nullptr, constants->second);

  std::vector<Json> lines(static_cast<size_t>(options.studies));
  if (!options.out.empty() && std::filesystem::exists(options.out)) {
    for (const std::string& text : split(read_file(options.out), '\n')) {
      if (text.empty()) continue;
      const Json line = parse_json(text, options.out);
      const int number = line.at("study");
      if (number <= options.studies) lines[static_cast<size_t>(number - 1)] = line;
    }
  }
  std::mutex mutex;
  ThreadPool pool(options.threads);
  pool.parallel_for(options.studies, [&](int64_t i, int) {
    if (!lines[static_cast<size_t>(i)].is_null()) return;
    Json line = study_line(options, truth, runs, static_cast<int>(i) + 1);
    const std::lock_guard lock(mutex);
    if (!options.out.empty()) append_line(options.out, dump_json(line));
    lines[static_cast<size_t>(i)] = std::move(line);
  });
  std::vector<std::string> order;
  for (const std::string& name :
       names_in_order(truth, draw_study(truth, runs, design(options)).rows, options)) {
    const bool counted = std::any_of(lines.begin(), lines.end(), [&](const Json& line) {
      return line.at("sides").contains(name);
    });
    if (counted) order.push_back(name);
  }
  print(options, lines, order);
  return 0;
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using namespace bitlaw;
  Options options;
  CLI::App app{"Measures how often intervals contain the true value, on simulated studies."};
  app.add_option("--law", options.law, "chinchilla, kumar or additive-exp");
  app.add_option("--studies", options.studies, "studies")->check(CLI::PositiveNumber);
  app.add_option("--draws", options.draws, "bootstrap draws per study")->check(CLI::PositiveNumber);
  app.add_option("--starts", options.starts, "starts per fit")->check(CLI::PositiveNumber);
  app.add_option("--shared", options.shared, "share of the noise common to runs of a trunk")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--noise", options.noise, "standard deviation of log loss");
  app.add_option("--level", options.level, "level of the intervals")->check(CLI::Range(0.0, 1.0));
  app.add_option("--objective", options.objective, "huber or least-squares");
  app.add_option("--by", options.by, "what is resampled: trunk or row")
      ->check(CLI::IsMember({"trunk", "row"}));
  app.add_option("--confounding", options.confounding,
                 "runs that do not identify all constants: " + join_names(confoundings()))
      ->check(CLI::IsMember(confoundings()));
  app.add_option("--threads", options.threads, "threads")->check(CLI::PositiveNumber);
  app.add_option("--out", options.out,
                 "file that gets a line per study; an existing one is resumed");
  app.add_flag("--profiles,!--no-profiles", options.profiles,
               "also compute profile-likelihood intervals");
  app.add_flag("--json", options.json, "print one JSON document");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "coverage: {}\n", error.what());
    return 1;
  }
}
