#include "predict/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json_fields.h"
#include "base/text.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

// Ends that were rounded to three digits, as candidates are, are still inside.
constexpr double kRounding = 5e-3;

struct Named {
  Extent Reach::*extent;
  const char* name;   // in words
  const char* least;  // in documents
  const char* most;
};
constexpr std::array kExtents{
    Named{&Reach::params, "N", "least_params", "most_params"},
    Named{&Reach::tokens, "D", "least_tokens", "most_tokens"},
    Named{&Reach::compute, "C", "least_compute", "most_compute"},
    Named{&Reach::weights, "P_w", "least_weights", "most_weights"},
    Named{&Reach::activations, "P_a", "least_activations", "most_activations"},
    Named{&Reach::kv, "P_kv", "least_kv", "most_kv"},
    Named{&Reach::post, "P_post", "least_post", "most_post"}};
constexpr size_t kSizes = 3;  // the first of them are sizes

// Of a run, in the order above; NaN or 0: the run has none.
std::array<double, kExtents.size()> values_of(const Observation& run) {
  const auto bits = [](double value) { return std::min(value, kUnquantizedBits); };
  const double known = run.stand_in_sizes ? kUnknown : 1;
  return {
      known * run.params,
      known * run.tokens,
      run.stand_in_sizes && run.inputs.empty() ? run.compute : known * 6 * run.params * run.tokens,
      bits(run.bits_weights),
      bits(run.bits_activations),
      bits(run.bits_kv),
      run.is_post_training() ? run.bits_post : 0};
}

}  // namespace

void Extent::take(double value) {
  if (!(value > 0) || !std::isfinite(value)) return;
  low = is_known() ? std::min(low, value) : value;
  high = std::max(high, value);
}

double Extent::beyond(double value) const {
  if (!is_known() || !(value > 0)) return 0;
  const double by = value > high ? std::log(value / high) : value < low ? std::log(low / value) : 0;
  return by > kRounding ? by : 0;
}

Reach reach_of(std::span<const Observation> runs) {
  Reach out;
  for (const Observation& run : runs) {
    const auto values = values_of(run);
    for (size_t i = 0; i < kExtents.size(); ++i) (out.*kExtents[i].extent).take(values[i]);
    for (const NamedInput& each : run.inputs) out.inputs[each.column].take(each.value);
    std::string name = precision_class(run);
    if (!name.empty()) out.classes.push_back(std::move(name));
  }
  std::sort(out.classes.begin(), out.classes.end());
  out.classes.erase(std::unique(out.classes.begin(), out.classes.end()), out.classes.end());
  return out;
}

Reach reach_of(const FittedOn& studied) {
  Reach out;
  if (studied.most_params > 0) out.params = {1, studied.most_params};
  if (studied.most_tokens > 0) out.tokens = {1, studied.most_tokens};
  if (studied.most_bits == 0) return out;
  out.weights = {studied.least_bits, studied.most_bits};
  // Parts that a study leaves alone have 16 bits.
  out.activations = out.kv = {studied.least_bits, std::max(studied.most_bits, kUnquantizedBits)};
  return out;
}

Distance distance(const Reach& reach, const Observation& run) {
  Distance out;
  const auto values = values_of(run);
  for (size_t i = 0; i < kExtents.size(); ++i) {
    const double by = (reach.*kExtents[i].extent).beyond(values[i]);
    (i < kSizes ? out.size : out.bits) += by * by;
  }
  for (const auto& [column, extent] : reach.inputs) {
    const double by = extent.beyond(run.input(column));
    out.size += by * by;
  }
  out.size = std::sqrt(out.size), out.bits = std::sqrt(out.bits);
  return out;
}

std::vector<std::string> words_beyond(const Reach& reach, const Observation& run) {
  std::vector<std::string> out;
  const auto values = values_of(run);
  for (size_t i = 0; i < kExtents.size(); ++i) {
    const Extent& extent = reach.*kExtents[i].extent;
    if (extent.beyond(values[i]) == 0) continue;
    const bool above = values[i] > extent.high;
    if (i < kSizes) {
      const double factor = above ? values[i] / extent.high : extent.low / values[i];
      const std::string times = fmt::format("{:.3g}", factor);
      const auto amount = [&](double value) {
        return kExtents[i].extent == &Reach::compute ? fmt::format("{:.3g} FLOP", value)
                                                     : format_count(value);
      };
      out.push_back(above ? fmt::format("{} is {} times their largest, {}", kExtents[i].name, times,
                                        amount(extent.high))
                          : fmt::format("{} is {} times smaller than their smallest, {}",
                                        kExtents[i].name, times, amount(extent.low)));
    } else {
      out.push_back(extent.low == extent.high
                        ? fmt::format("{} = {:.3g} is not their {:g} bits", kExtents[i].name,
                                      values[i], extent.low)
                        : fmt::format("{} = {:.3g} is not within their {:g} to {:g} bits",
                                      kExtents[i].name, values[i], extent.low, extent.high));
    }
  }
  for (const auto& [column, extent] : reach.inputs) {
    const double value = run.input(column);
    if (extent.beyond(value) == 0) continue;
    out.push_back(fmt::format("{} = {:.3g} is not within their {:.3g} to {:.3g}", column, value,
                              extent.low, extent.high));
  }
  return out;
}

Json reach_json(const Reach& reach) {
  Json out = Json::object();
  for (const Named& each : kExtents) {
    const Extent& extent = reach.*each.extent;
    if (!extent.is_known()) continue;
    out[each.least] = extent.low;
    out[each.most] = extent.high;
  }
  for (const auto& [column, extent] : reach.inputs) {
    if (extent.is_known()) out["inputs"][column] = {extent.low, extent.high};
  }
  out["classes"] = reach.classes;
  return out;
}

Reach reach_from(const Json& document) {
  Reach out;
  for (const Named& each : kExtents) {
    if (!document.contains(each.most)) continue;
    Extent& extent = out.*each.extent;
    extent = {number_in(document, each.least), number_in(document, each.most)};
    if (!(extent.low > 0) || !(extent.high >= extent.low)) extent = {};
  }
  // Fits of version 0.2: bits of all parts, and no least sizes.
  if (!document.contains("least_params") && document.contains("most_params")) {
    FittedOn studied{};
    studied.least_bits = number_in(document, "least_bits");
    studied.most_bits = number_in(document, "most_bits");
    studied.most_params = number_in(document, "most_params");
    studied.most_tokens = number_in(document, "most_tokens");
    return reach_of(studied);
  }
  if (document.contains("inputs") && document["inputs"].is_object()) {
    for (const auto& [column, ends] : document["inputs"].items()) {
      if (!ends.is_array() || ends.size() != 2 || !ends[0].is_number() || !ends[1].is_number())
        continue;
      const Extent extent{ends[0].get<double>(), ends[1].get<double>()};
      if (extent.low > 0 && extent.high >= extent.low) out.inputs[column] = extent;
    }
  }
  if (document.contains("classes")) {
    for (const Json& name : document["classes"]) {
      if (name.is_string()) out.classes.push_back(name.get<std::string>());
    }
  }
  return out;
}

}  // namespace bitlaw
