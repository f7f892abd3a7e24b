// Precision in training: loss against bits, N_eff, iso-loss contours, and loss at matched cost.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/search.h"
#include "base/text.h"
#include "laws/effective.h"
#include "report/drawing_kinds.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

constexpr const char* kBitsGroup = "Fewer bits in training";
constexpr size_t kMostSizes = 6, kMostLengths = 5;  // panels, and series in each
constexpr double kFewestDrawnBits = 2, kMostDrawnBits = 16;

using DrawnRows = std::vector<const DrawnRow*>;

// Runs with these parts lowered, by the parts' name.
std::map<std::string, DrawnRows> runs_by_parts(const DrawingData& data) {
  std::map<std::string, DrawnRows> out;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() && row.n > 0 && row.d > 0 && std::isfinite(row.loss) && row.parts.is_equal())
      out[row.parts.name].push_back(&row);
  }
  return out;
}

std::string file_name_of(std::string words) {
  for (char& c : words) {
    if (c == ' ') c = '-';
  }
  std::erase(words, ',');
  return words;
}

template <class Value>
std::vector<double> values_of(const DrawnRows& rows, const Value& value) {
  std::vector<double> out;
  for (const DrawnRow* row : rows) out.push_back(value(*row));
  return out;
}
double params_of_row(const DrawnRow& row) {
  return row.n;
}
double tokens_of_row(const DrawnRow& row) {
  return row.d;
}

size_t different(std::vector<double> values) {
  return std::set<double>(values.begin(), values.end()).size();
}

// ---- loss against bits ---------------------------------------------------------------------------

// What the runs lost against those that are not quantized, by bits.
std::map<double, std::vector<double>> measured_costs(const DrawingData& data,
                                                     const DrawnRows& rows) {
  std::map<double, std::vector<double>> out;
  for (const DrawnRow* row : rows) {
    const auto reference = data.references().of(row->place);
    if (reference && row->flagged.empty())
      out[row->parts.bits].push_back(row->loss - reference->loss);
  }
  return out;
}

std::string costs_sentence(const DrawingData& data, const std::string& parts,
                           const DrawnRows& rows) {
  const auto is_flagged = [](const DrawnRow* row) { return !row->flagged.empty(); };
  if (std::all_of(rows.begin(), rows.end(), is_flagged))
    return fmt::format("Nothing is concluded from these runs: each is {}.", rows[0]->flagged);
  const auto costs = measured_costs(data, rows);
  if (costs.empty())
    return fmt::format(
        "No run with fewer bits of {} has a run of the same N, D and factors that is not "
        "quantized, "
        "so what the bits cost is not measured.",
        parts);
  constexpr size_t kMostNamed = 3;
  std::string out;
  for (const auto& [bits, differences] : costs) {
    if (out.empty()
            ? false
            : static_cast<size_t>(std::count(out.begin(), out.end(), ';')) + 1 == kMostNamed)
      break;
    const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
    const std::string range = differences.size() == 1
                                  ? fmt::format("{:+.4f}", *least)
                                  : fmt::format("{:+.4f} to {:+.4f}", *least, *most);
    out += fmt::format("{}at {} {} nats ({} run{})", out.empty() ? "" : "; ", bits_words(bits),
                       range, differences.size(), differences.size() == 1 ? "" : "s");
  }
  return fmt::format("Measured against runs that are not quantized, fewer bits of {} cost {}. {}",
                     parts, out, data.noise_words());
}

// Root mean square of log loss around the fitted law, in per cent.
std::string miss_sentence(const DrawingData& data, const DrawnRows& rows) {
  double squares = 0;
  size_t count = 0;
  for (const DrawnRow* row : rows) {
    const double predicted = data.loss(row->run);
    if (!row->flagged.empty() || !(predicted > 0)) continue;
    const double off = std::log(row->loss / predicted);
    squares += off * off, ++count;
  }
  if (count == 0) return "";
  return fmt::format(" The fitted law misses these {} losses by {:.2f} % (root mean square).",
                     count, 100 * std::sqrt(squares / static_cast<double>(count)));
}

Drawing loss_by_bits(const DrawingData& data, const std::string& parts, const DrawnRows& rows,
                     const DrawnRows& whole) {
  Drawing out{"loss-by-bits-" + file_name_of(parts), kBitsGroup,
              "Loss against bits of " + parts,       "",
              {"bits of " + parts + " in training"}, {"loss, nats per token"}};
  const std::vector<double> sizes = values_of(rows, params_of_row);
  const std::vector<double> shown = commonest(sizes, kMostSizes);
  for (const double n : shown) {
    DrawnPanel panel{fmt::format("N = {}", format_count(n))};
    DrawnRows here;
    for (const DrawnRow* row : rows) {
      if (row->n == n) here.push_back(row);
    }
    for (const double d : commonest(values_of(here, tokens_of_row), kMostLengths)) {
      DrawnSeries& series = panel.named(fmt::format("{} tokens", format_count(d)));
      for (const DrawnRows* from : {&rows, &whole}) {
        for (const DrawnRow* row : *from) {
          if (row->n == n && row->d == d)
            series.points.push_back(data.point(*row, row->parts.bits));
        }
      }
      if (!data.has_bits()) continue;
      const QuantizedParts lowered = rows[0]->parts;
      series.curve =
          data.curve(even_places(kFewestDrawnBits, kMostDrawnBits, 43), [&](double bits) {
            Observation run = data.model(n, d);
            set_parts(run, lowered, bits);
            return run;
          });
    }
    out.panels.push_back(std::move(panel));
  }
  out.says = costs_sentence(data, parts, rows) + miss_sentence(data, rows) +
             left_out_words(shown.size(), different(sizes), "sizes");
  if (!data.fit()) out.says += " " + data.why_no_curve();
  return out;
}

// ---- N_eff ---------------------------------------------------------------------------------------

// The run without any quantization.
Observation whole_run(Observation run) {
  set_parts(run, {"", 16, true, true, true}, kUnlimitedBits);
  run.bits_keys = run.bits_values = run.bits_embedding = run.bits_head = kUnknown;
  run.precision.clear(), run.backward.clear();
  run.exponent_bits = run.mantissa_bits = kUnknown;
  run.gaussian_error_weights = run.gaussian_error_activations = run.gaussian_error_kv = kUnknown;
  return run;
}

// What the loss that a run lost against its reference is worth in size (arXiv 2411.04330, 4.2).
std::vector<DrawnPoint> share_points(const DrawingData& data, const DrawnRows& rows) {
  const Constants& fit = *data.fit();
  std::vector<DrawnPoint> out;
  for (const DrawnRow* row : rows) {
    const auto reference = data.references().of(row->place);
    if (!reference) continue;
    const Observation plain = whole_run(data.counted(row->run));
    const double full = predict(*fit.law, fit.values.data(), plain);
    const auto share = [&](double lost) {
      return share_at_loss(*fit.law, fit.values.data(), plain, full + lost);
    };
    const double lost = row->loss - reference->loss;
    DrawnPoint point = data.point(*row, row->parts.bits);
    point.y = share(lost);
    const double error = kBarErrors * data.deviation_from(*row, reference->runs);
    point.low = share(lost + error), point.high = share(lost - error);
    if (std::isfinite(point.y)) out.push_back(std::move(point));
  }
  return out;
}

// The share of N that a law leaves of a model of the study with these parts at `bits`.
double share_of(const DrawingData& data, const Law& law, const std::vector<double>& values,
                const QuantizedParts& parts, double bits) {
  const Observation& middle = data.middle().run;
  Observation run = data.model(middle.params, middle.tokens);
  set_parts(run, {"", 16, true, true, true}, kUnlimitedBits);
  set_parts(run, parts, bits);
  return effective_share(law, values.data(), data.counted(std::move(run)));
}

constexpr double kNamedBits = 4;

DrawnEstimate named_share(const DrawingData& data, const QuantizedParts& parts) {
  return data.estimate([&](const std::vector<double>& values) {
    return share_of(data, *data.fit()->law, values, parts, kNamedBits);
  });
}

// Constants that were not fitted have no curve of the fit.
bool is_fitted_share(const DrawingData& data, const QuantizedParts& parts) {
  return named_share(data, parts).missing.find("was not fitted") == std::string::npos &&
         feels_bits(*data.fit()->law, data.fit()->values.data(), {parts.w, parts.a, parts.kv});
}

std::string shares_sentence(const DrawingData& data, const std::vector<QuantizedParts>& drawn) {
  std::string known, unknown;
  for (const QuantizedParts& parts : drawn) {
    const DrawnEstimate share = named_share(data, parts);
    if (share.may_be_said())
      known += fmt::format("{}{} for {}", known.empty() ? "" : ", ",
                           estimate_words(share, "{:.3f}"), parts.name);
    else
      unknown += fmt::format("{}{} ({})", unknown.empty() ? "" : ", ", parts.name, share.missing);
  }
  std::string out;
  if (!known.empty())
    out = fmt::format("By the fit, at {:g} bits N_eff / N is {} (90 % intervals).", kNamedBits,
                      known);
  if (!unknown.empty())
    out +=
        fmt::format("{}Not identified, so without a number: {}.", out.empty() ? "" : " ", unknown);
  return out;
}

std::string share_misses_sentence(const DrawingData& data,
                                  const std::map<std::string, std::vector<DrawnPoint>>& measured,
                                  const std::vector<QuantizedParts>& drawn) {
  std::string out;
  for (const QuantizedParts& parts : drawn) {
    const auto found = measured.find(parts.name);
    if (found == measured.end()) continue;
    double squares = 0;
    int count = 0;
    for (const DrawnPoint& point : found->second) {
      const double share = share_of(data, *data.fit()->law, data.fit()->values, parts, point.x);
      if (!point.flagged.empty() || !std::isfinite(share)) continue;
      squares += (point.y - share) * (point.y - share), ++count;
    }
    if (count > 0)
      out += fmt::format("{}{:.3f} for {} ({} runs)", out.empty() ? "" : ", ",
                         std::sqrt(squares / count), parts.name, count);
  }
  return out.empty()
             ? " No run is measured: each needs a run of the same N, D and factors that is "
               "not quantized."
             : fmt::format(" Measured shares differ from the curves by {} (root mean square).",
                           out);
}

// A law with a constant for each class of precision has a share for each, and no curve.
void add_shares_of_classes(const DrawingData& data,
                           const std::map<std::string, DrawnRows>& by_parts,
                           std::vector<Drawing>& out) {
  const Constants* fit = data.fit();
  if (fit == nullptr || fit->law->class_parameters.empty() ||
      !feels_bits(*fit->law, fit->values.data()))
    return;
  Drawing drawing{"effective-parameters",
                  kBitsGroup,
                  "Effective parameters of each class of precision",
                  "",
                  {"bits"},
                  {"N_eff / N"}};
  constexpr size_t kMostClasses = 6;  // in the sentence
  std::string known;
  size_t named = 0, classes = 0;
  for (const auto& [name, rows] : by_parts) {
    if (name.empty()) continue;
    DrawnPanel panel{name};
    panel.named("measured").points = share_points(data, rows);
    std::map<std::string, const DrawnRow*> first;
    for (const DrawnRow* row : rows) first.emplace(class_of(row->run), row);
    for (const auto& [label, row] : first) {
      const Observation run = data.counted(row->run);
      const DrawnEstimate share = data.estimate([&](const std::vector<double>& values) {
        return effective_share(*fit->law, values.data(), run);
      });
      ++classes;
      if (!share.may_be_said()) continue;
      DrawnPoint point{row->parts.bits, share.value, share.interval->low, share.interval->high};
      point.about["class"] = label;
      panel.named("fitted").points.push_back(std::move(point));
      if (named++ < kMostClasses)
        known += fmt::format("{}{} for {}", known.empty() ? "" : ", ",
                             estimate_words(share, "{:.3f}"), label);
    }
    drawing.panels.push_back(std::move(panel));
  }
  if (classes == 0) return;
  drawing.says = known.empty() ? std::string("The fit identifies the N_eff of no class.")
                               : fmt::format("N_eff / N by the fit (90 % intervals): {}{}.", known,
                                             named > kMostClasses ? ", and others" : "");
  if (named < classes)
    drawing.says += fmt::format(" {} of {} classes are not identified and have no fitted point.",
                                classes - named, classes);
  out.push_back(std::move(drawing));
}

void add_effective_params(const DrawingData& data, const std::map<std::string, DrawnRows>& by_parts,
                          std::vector<Drawing>& out) {
  if (!data.has_bits()) return;
  std::vector<QuantizedParts> drawn{{"weights", 16, true, false, false},
                                    {"activations", 16, false, true, false},
                                    {"keys and values", 16, false, false, true}};
  for (const auto& [name, rows] : by_parts) {
    if (rows[0]->parts.w + rows[0]->parts.a + rows[0]->parts.kv > 1)
      drawn.push_back(rows[0]->parts);
  }
  Drawing drawing{
      "effective-parameters", kBitsGroup, "Effective parameters against bits", "", {"bits"},
      {"N_eff / N"}};
  std::map<std::string, std::vector<DrawnPoint>> measured;
  for (const QuantizedParts& parts : drawn) {
    DrawnPanel panel{parts.name};
    const std::vector<double> places = even_places(kFewestDrawnBits, 12, 41);
    const auto rows = by_parts.find(parts.name);
    if (rows != by_parts.end()) {
      measured[parts.name] = share_points(data, rows->second);
      panel.named("measured").points = measured[parts.name];
    }
    if (is_fitted_share(data, parts))
      panel.named("fitted").curve = data.curve_of(places, [&](const auto& values, double bits) {
        return share_of(data, *data.fit()->law, values, parts, bits);
      });
    if (panel.series.empty()) continue;
    if (const Constants* published = data.published()) {
      DrawnSeries& series = panel.named("published");
      series.dashed = true;
      for (const double bits : places) {
        const double share = share_of(data, *published->law, published->values, parts, bits);
        if (std::isfinite(share)) series.curve.push_back({bits, share});
      }
    }
    drawing.panels.push_back(std::move(panel));
  }
  drawing.says = shares_sentence(data, drawn) + share_misses_sentence(data, measured, drawn);
  out.push_back(std::move(drawing));
}

// ---- iso-loss contours ---------------------------------------------------------------------------

// Measured means at one D, by bits and N.
using LossesByBits = std::map<double, std::map<double, Mean>>;

struct Contour {
  double level;
  std::vector<DrawnPoint> crossings;  // x: N, y: bits
  std::vector<DrawnPlace> curve;
};

// Where the measured losses of one precision cross the level, by linear interpolation in log N.
void add_crossings(const LossesByBits& losses, Contour& out) {
  for (const auto& [bits, by_size] : losses) {
    for (auto low = by_size.begin(); low != by_size.end(); ++low) {
      const auto high = std::next(low);
      if (high == by_size.end()) break;
      const double above = low->second.loss, below = high->second.loss;
      if (!(above >= out.level && below < out.level)) continue;
      const double share = (above - out.level) / (above - below);
      const double n = low->first * std::pow(high->first / low->first, share);
      out.crossings.push_back(
          {n, bits, kUnknown, kUnknown, "", {{"between N", low->first}, {"and N", high->first}}});
    }
  }
}

double params_at_loss(const DrawingData& data, double d, double bits, double level, double least,
                      double most) {
  const auto loss = [&](double log_n) {
    Observation run = data.model(std::exp(log_n), d);
    run.bits_weights = bits;
    return data.loss(run);
  };
  double low = std::log(least), high = std::log(most);
  if (!(loss(low) > level && loss(high) < level)) return kUnknown;
  while (high - low > 1e-4) {
    const double middle = 0.5 * (low + high);
    (loss(middle) > level ? low : high) = middle;
  }
  return std::exp(0.5 * (low + high));
}

void add_iso_loss(const DrawingData& data, const std::map<std::string, DrawnRows>& by_parts,
                  std::vector<Drawing>& out) {
  const auto weights = by_parts.find("weights"), whole = by_parts.find("");
  if (weights == by_parts.end()) return;
  constexpr size_t kMostPanels = 4;
  constexpr int kLevels = 6;  // the same in all panels
  constexpr double kBeyond = 4;
  Drawing drawing{"iso-loss",
                  kBitsGroup,
                  "Equal losses over size and bits of weights",
                  "",
                  {"parameters N", true},
                  {"bits of weights in training"}};
  std::vector<double> ratios;
  struct Length {
    LossesByBits losses;
    double least = 1e300, most = 0;  // N
  };
  std::map<double, Length> lengths;
  double best = 1e300, worst = 0;
  for (const double d : commonest(values_of(weights->second, tokens_of_row), kMostPanels)) {
    Length found;
    double lowest = 1e300, highest = 0;
    for (const auto& rows : {weights, whole}) {
      if (rows == by_parts.end()) continue;
      for (const DrawnRow* row : rows->second) {
        if (row->d != d || !row->flagged.empty()) continue;
        found.losses[row->parts.bits][row->n].add(row->loss);
        found.least = std::min(found.least, row->n), found.most = std::max(found.most, row->n);
        lowest = std::min(lowest, row->loss), highest = std::max(highest, row->loss);
      }
    }
    if (!(found.most > found.least) || found.losses.size() < 2) continue;
    best = std::min(best, lowest), worst = std::max(worst, highest);
    lengths.emplace(d, std::move(found));
  }
  for (const auto& [d, length] : lengths) {
    const LossesByBits& losses = length.losses;
    const double least = length.least, most = length.most;
    DrawnPanel panel{fmt::format("{} tokens", format_count(d))};
    for (int k = 1; k <= kLevels; ++k) {
      Contour contour{best + (worst - best) * k / (kLevels + 1)};
      add_crossings(losses, contour);
      if (data.has_bits()) {
        for (const double bits : even_places(kFewestDrawnBits, kMostDrawnBits, 43)) {
          const double n =
              params_at_loss(data, d, bits, contour.level, least / kBeyond, most * kBeyond);
          if (std::isfinite(n)) contour.curve.push_back({n, bits});
        }
        for (const DrawnPoint& point : contour.crossings) {
          const double n =
              params_at_loss(data, d, point.y, contour.level, least / kBeyond, most * kBeyond);
          if (std::isfinite(n)) ratios.push_back(point.x / n);
        }
      }
      DrawnSeries& series = panel.named(fmt::format("loss {:.4g}", contour.level));
      series.points = std::move(contour.crossings), series.curve = std::move(contour.curve);
    }
    drawing.panels.push_back(std::move(panel));
  }
  if (drawing.panels.empty()) return;
  if (ratios.empty()) {
    drawing.says =
        data.has_bits()
            ? "No level of loss lies between two sizes of one D and one number of bits, so nothing "
              "measured stands beside the contours of the fitted law."
            : "Points: where the measured losses of one number of bits cross a level, between two "
              "sizes. " +
                  data.why_no_curve();
  } else {
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    drawing.says = fmt::format(
        "Where measured losses cross a level between two sizes (linear in log N), N is {:.2f} to "
        "{:.2f} times what the fitted law needs for that loss ({} crossings).",
        *low, *high, ratios.size());
  }
  out.push_back(std::move(drawing));
}

// ---- loss at matched cost ------------------------------------------------------------------------

// Runs of nearly the same D and N P.
struct MatchedCost {
  double d, cost;
  DrawnRows runs;
  size_t precisions = 0;
};

std::vector<MatchedCost> matched_costs(const DrawnRows& rows) {
  constexpr double kSameCost = 0.1, kSameLength = 0.05;
  constexpr size_t kMostPanels = 4, kFewestPrecisions = 3;
  std::vector<double> costs, lengths;  // logarithms
  for (const DrawnRow* row : rows) {
    costs.push_back(std::log(row->n * row->parts.bits));
    lengths.push_back(std::log(row->d));
  }
  std::vector<MatchedCost> found;
  std::set<std::pair<double, double>> seen;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!seen.emplace(costs[i], lengths[i]).second) continue;
    MatchedCost group{rows[i]->d, rows[i]->n * rows[i]->parts.bits};
    std::set<double> bits;
    for (size_t k = 0; k < rows.size(); ++k) {
      if (std::fabs(costs[k] - costs[i]) > kSameCost ||
          std::fabs(lengths[k] - lengths[i]) > kSameLength)
        continue;
      group.runs.push_back(rows[k]);
      bits.insert(rows[k]->parts.bits);
    }
    group.precisions = bits.size();
    if (group.precisions >= kFewestPrecisions) found.push_back(std::move(group));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.precisions != b.precisions ? a.precisions > b.precisions
                                        : a.runs.size() > b.runs.size();
  });
  std::vector<MatchedCost> out;
  std::set<const DrawnRow*> taken;
  for (MatchedCost& group : found) {
    if (out.size() == kMostPanels) break;
    if (std::any_of(group.runs.begin(), group.runs.end(),
                    [&](const DrawnRow* row) { return taken.contains(row); }))
      continue;
    taken.insert(group.runs.begin(), group.runs.end());
    out.push_back(std::move(group));
  }
  return out;
}

Observation at_cost(const DrawingData& data, const MatchedCost& group, const QuantizedParts& parts,
                    double bits) {
  Observation run = data.model(group.cost / bits, group.d);
  set_parts(run, parts, bits);
  return run;
}

// The bits of the least loss at this cost.
DrawnEstimate best_at_cost(const DrawingData& data, const MatchedCost& group,
                           const QuantizedParts& parts) {
  return data.estimate([&](const std::vector<double>& values) {
    const auto loss = [&](double bits) {
      const double found =
          predict(*data.fit()->law, values.data(), data.counted(at_cost(data, group, parts, bits)));
      return std::isfinite(found) ? found : 1e300;
    };
    Found best{kFewestBits, 1e300};
    for (double bits = kFewestBits; bits <= kMostBits; bits *= 1.25) {
      if (const double value = loss(bits); value < best.value) best = {bits, value};
    }
    return minimise_near(loss, best.x, 0.2 * best.x, kFewestBits, kMostBits, 1e-4).x;
  });
}

std::string best_measured(const MatchedCost& group) {
  const auto best =
      *std::min_element(group.runs.begin(), group.runs.end(),
                        [](const DrawnRow* a, const DrawnRow* b) { return a->loss < b->loss; });
  return fmt::format("of {} measured runs the best has {:g} bits", group.runs.size(),
                     best->parts.bits);
}

std::string best_fitted(const DrawingData& data, const MatchedCost& group,
                        const QuantizedParts& parts) {
  const DrawnEstimate best = best_at_cost(data, group, parts);
  constexpr double kNearEnd = 0.01;
  if (!best.may_be_said())
    return fmt::format("the fit does not identify the best bits ({})", best.missing);
  if (best.interval->low < kFewestBits + kNearEnd || best.interval->high > kMostBits - kNearEnd)
    return fmt::format(
        "the fit does not identify the best bits (the interval reaches {:.3g} to "
        "{:.3g})",
        best.interval->low, best.interval->high);
  return fmt::format("the fit's best is {} bits (90 % interval)", estimate_words(best, "{:.2f}"));
}

void add_matched_cost(const DrawingData& data, const std::map<std::string, DrawnRows>& by_parts,
                      std::vector<Drawing>& out) {
  // Of as many parts together as the runs allow; those that are not quantized belong to all.
  QuantizedParts parts;
  DrawnRows rows;
  std::vector<MatchedCost> groups;
  const auto count = [](const QuantizedParts& of) { return of.w + of.a + of.kv; };
  for (const auto& [name, runs] : by_parts) {
    const QuantizedParts& theirs = runs[0]->parts;
    if (theirs.none()) continue;
    DrawnRows all;
    for (const auto& from : {by_parts.find(name), by_parts.find("")}) {
      if (from == by_parts.end()) continue;
      for (const DrawnRow* row : from->second) {
        if (row->flagged.empty()) all.push_back(row);
      }
    }
    std::vector<MatchedCost> found = matched_costs(all);
    const auto order = std::pair(!found.empty(), count(theirs));
    if (!rows.empty() && order <= std::pair(!groups.empty(), count(parts))) continue;
    parts = theirs, rows = std::move(all), groups = std::move(found);
  }
  if (rows.empty()) return;
  Drawing drawing{"matched-cost",
                  kBitsGroup,
                  "Loss at equal cost of parameters, N P",
                  "",
                  {"bits P of " + parts.name},
                  {"loss, nats per token"}};
  const bool is_measured = !groups.empty();
  if (!is_measured) {
    drawing.says =
        "No three precisions were trained on one D with N P within 10 %, so nothing measured "
        "stands "
        "here. ";
    if (data.has_bits() && !rows.empty()) {
      MatchedCost largest{0, 0};
      for (const DrawnRow* row : rows) {
        largest.d = std::max(largest.d, row->d), largest.cost = std::max(largest.cost, 16 * row->n);
      }
      groups.push_back(largest);
    }
  }
  std::vector<std::string> titles, measured, fitted;
  for (const MatchedCost& group : groups) {
    const std::string title =
        fmt::format("N P = {}, D = {}", format_count(group.cost), format_count(group.d));
    DrawnPanel panel{title};
    if (is_measured) {
      DrawnSeries& series = panel.named("measured");
      for (const DrawnRow* row : group.runs)
        series.points.push_back(data.point(*row, row->parts.bits));
    }
    if (data.has_bits())
      panel.named("fitted law").curve =
          data.curve(even_places(3, kMostDrawnBits, 53),
                     [&](double bits) { return at_cost(data, group, parts, bits); });
    drawing.panels.push_back(std::move(panel));
    titles.push_back(title);
    if (is_measured) measured.push_back(best_measured(group));
    if (data.has_bits()) fitted.push_back(best_fitted(data, group, parts));
  }
  // In laws of N_eff the best bits are the same at every cost.
  const bool one =
      !fitted.empty() && std::all_of(fitted.begin(), fitted.end(),
                                     [&](const auto& each) { return each == fitted[0]; });
  for (size_t i = 0; i < titles.size(); ++i) {
    std::vector<std::string> words;
    if (is_measured) words.push_back(measured[i]);
    if (!fitted.empty() && (!one || titles.size() == 1)) words.push_back(fitted[i]);
    if (!words.empty())
      drawing.says += fmt::format("At {}: {}. ", titles[i], fmt::join(words, "; "));
  }
  if (one && titles.size() > 1) drawing.says += fmt::format("At each of them {}.", fitted[0]);
  if (!data.fit()) drawing.says += data.why_no_curve();
  drawing.says = trim(drawing.says);
  out.push_back(std::move(drawing));
}

}  // namespace

void add_training_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  const std::map<std::string, DrawnRows> by_parts = runs_by_parts(data);
  const auto whole = by_parts.find("");
  std::vector<QuantizedParts> order;  // one part alone before several, weights first
  for (const auto& [name, rows] : by_parts) {
    if (!name.empty()) order.push_back(rows[0]->parts);
  }
  const auto place = [](const QuantizedParts& parts) {
    return std::tuple(parts.w + parts.a + parts.kv, !parts.w, !parts.a);
  };
  std::sort(order.begin(), order.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const QuantizedParts& parts : order)
    out.push_back(loss_by_bits(data, parts.name, by_parts.at(parts.name),
                               whole == by_parts.end() ? DrawnRows{} : whole->second));
  add_effective_params(data, by_parts, out);
  add_shares_of_classes(data, by_parts, out);
  add_iso_loss(data, by_parts, out);
  add_matched_cost(data, by_parts, out);
}

}  // namespace bitlaw
