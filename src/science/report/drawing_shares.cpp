// N_eff / N against bits: measured shares over the fitted curve (arXiv 2411.04330, figures 3, 14, 15, 20),
// or over a fitted share for each class of precision.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "laws/effective.h"
#include "report/drawing_runs.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

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
void add_shares_of_classes(const DrawingData& data, const RunsByParts& by_parts,
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

void add_effective_params(const DrawingData& data, const RunsByParts& by_parts,
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
    const auto rows = by_parts.find(parts.name);
    const double fewest = fewest_drawn_bits(rows == by_parts.end() ? DrawnRows{} : rows->second);
    const std::vector<double> places = even_places(fewest, 12, fewest < 2 ? 45 : 41);
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

}  // namespace

void add_share_drawings(const DrawingData& data, const RunsByParts& by_parts,
                        std::vector<Drawing>& out) {
  add_effective_params(data, by_parts, out);
  add_shares_of_classes(data, by_parts, out);
}

}  // namespace bitlaw
