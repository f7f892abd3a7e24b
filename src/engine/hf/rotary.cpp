#include "hf/rotary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "base/error.h"
#include "base/json_fields.h"

namespace bitlaw::hf {
namespace {

constexpr double kLargestTheta = 1e18;
constexpr double kLargestFactor = 1e9;
constexpr int64_t kLargestContext = int64_t{1} << 31;

struct ScalingRow {
  const char* name;
  RotaryScaling scaling;
};
constexpr ScalingRow kScalings[] = {
    {"default", RotaryScaling::kNone},    {"linear", RotaryScaling::kLinear},
    {"dynamic", RotaryScaling::kDynamic}, {"llama3", RotaryScaling::kLlama3},
    {"yarn", RotaryScaling::kYarn},
};

// Which scalings read a setting, in addition to those that all read.
struct SettingRow {
  const char* key;
  std::vector<RotaryScaling> readers;
};
const SettingRow kSettings[] = {
    {"factor",
     {RotaryScaling::kLinear, RotaryScaling::kDynamic, RotaryScaling::kLlama3,
      RotaryScaling::kYarn}},
    {"original_max_position_embeddings", {RotaryScaling::kLlama3, RotaryScaling::kYarn}},
    {"low_freq_factor", {RotaryScaling::kLlama3}},
    {"high_freq_factor", {RotaryScaling::kLlama3}},
    {"beta_fast", {RotaryScaling::kYarn}},
    {"beta_slow", {RotaryScaling::kYarn}},
    {"truncate", {RotaryScaling::kYarn}},
    {"attention_factor", {RotaryScaling::kYarn}},
    {"mscale", {RotaryScaling::kYarn}},
    {"mscale_all_dim", {RotaryScaling::kYarn}},
};
constexpr const char* kReadByAll[] = {"rope_type", "type", "rope_theta", "partial_rotary_factor"};

RotaryScaling read_scaling(const JsonFields& table) {
  const std::string old = table.text("type", "default");
  const std::string name = table.text("rope_type", old);
  if (table.has("type") && name != old) {
    table.fail("type", fmt::format("'{}' and the rope_type '{}' contradict each other", old, name));
  }
  std::string known;
  for (const ScalingRow& row : kScalings) {
    if (name == row.name) return row.scaling;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
  }
  table.fail("rope_type", fmt::format("'{}' is not supported; bitlaw computes {}", name, known));
}

// No setting that this scaling would pass over.
void check_settings(const JsonFields& table, RotaryScaling scaling) {
  for (const auto& [key, value] : table.document().items()) {
    if (value.is_null() ||
        std::find(std::begin(kReadByAll), std::end(kReadByAll), key) != std::end(kReadByAll)) {
      continue;
    }
    const auto row =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&key = key](const SettingRow& known) { return key == known.key; });
    if (row == std::end(kSettings) ||
        std::find(row->readers.begin(), row->readers.end(), scaling) == row->readers.end()) {
      table.fail(key,
                 "is not a setting that bitlaw supports for this rope_type; remove it if it "
                 "has no effect");
    }
  }
}

// A setting that may be given in several places: the value they agree on.
struct Place {
  const JsonFields& settings;
  const char* key;
};

// "rope_parameters.rope_theta", or "rope_theta at the top".
std::string name_of(const Place& place) {
  const std::string in = place.settings.where() + ": ", of = place.settings.place();
  const bool table = of.starts_with(in + "rope_");
  return table ? fmt::format("{}.{}", of.substr(in.size()), place.key)
               : fmt::format("{} at the top", place.key);
}

double agreed_number(std::initializer_list<Place> places, double least, double largest,
                     double otherwise) {
  const Place* first = nullptr;
  for (const Place& place : places) {
    if (!place.settings.has(place.key)) continue;
    const double value = place.settings.number(place.key, least, largest);
    if (first == nullptr) {
      first = &place;
      otherwise = value;
    } else if (value != otherwise) {
      throw Error(
          fmt::format("{}: {} is {}, but {} is {}, which contradicts it; remove the one that is "
                      "not the model's",
                      place.settings.where(), name_of(place), value, name_of(*first), otherwise));
    }
  }
  return otherwise;
}

// YaRN's constant, section 3.4: grows with the logarithm of the factor.
double yarn_scale(double factor, double weight) {
  return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1;
}

void read_yarn(const JsonFields& table, Rotary& r) {
  r.beta_fast = table.number("beta_fast", 1e-6, 1e9, r.beta_fast);
  r.beta_slow = table.number("beta_slow", 1e-6, 1e9, r.beta_slow);
  if (r.beta_fast < r.beta_slow) {
    table.fail("beta_fast", fmt::format("{} is below beta_slow, {}", r.beta_fast, r.beta_slow));
  }
  r.truncate = table.truth("truncate", true);
  r.attention_factor = yarn_scale(r.factor, 1);
  if (table.has("mscale") && table.has("mscale_all_dim")) {
    r.attention_factor = yarn_scale(r.factor, table.number("mscale", 1e-6, 1e6)) /
                         yarn_scale(r.factor, table.number("mscale_all_dim", 1e-6, 1e6));
  } else if (table.has("mscale") || table.has("mscale_all_dim")) {
    table.fail("mscale", "and mscale_all_dim must be given together; one of them is missing");
  }
  r.attention_factor = table.number("attention_factor", 1e-6, 1e6, r.attention_factor);
}

void read_factors(const JsonFields& settings, const JsonFields& table, const Architecture& a,
                  Rotary& r) {
  r.original_context = a.context;
  if (r.scaling == RotaryScaling::kNone) return;
  if (r.scaling == RotaryScaling::kLlama3 || r.scaling == RotaryScaling::kYarn) {
    const char* key = "original_max_position_embeddings";
    r.original_context = static_cast<int64_t>(agreed_number({{settings, key}, {table, key}}, 1,
                                                            static_cast<double>(kLargestContext),
                                                            static_cast<double>(a.context)));
  }
  if (r.scaling == RotaryScaling::kYarn && !table.has("factor")) {
    r.factor = static_cast<double>(a.context) / static_cast<double>(r.original_context);
    if (r.factor < 1) table.fail("factor", "is missing");
  } else {
    r.factor = table.number("factor", 1, kLargestFactor);
  }
  if (r.scaling == RotaryScaling::kDynamic && r.dim <= 2) {
    table.fail("rope_type", "'dynamic' is not defined for heads with 2 rotated entries");
  }
  if (r.scaling == RotaryScaling::kLlama3) {
    r.low_frequency = table.number("low_freq_factor", 1e-6, 1e6);
    r.high_frequency = table.number("high_freq_factor", 1e-6, 1e6);
    if (!(r.high_frequency > r.low_frequency)) {
      table.fail("high_freq_factor", fmt::format("{} is not above low_freq_factor, {}",
                                                 r.high_frequency, r.low_frequency));
    }
  }
  if (r.scaling == RotaryScaling::kYarn) read_yarn(table, r);
}

// The index, as a real number, of the frequency that turns `turns` times in the shorter context.
double index_of_turns(const Rotary& r, double turns) {
  return static_cast<double>(r.dim) *
         std::log(static_cast<double>(r.original_context) / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(r.theta));
}

// How much of a frequency stays as it is, the rest being divided by the factor: 1 up to the index
// `low`, 0 from `high` on.
struct Ramp {
  double low, high;
  double kept(double index) const { return 1 - std::clamp((index - low) / (high - low), 0.0, 1.0); }
};

Ramp yarn_ramp(const Rotary& r) {
  double low = index_of_turns(r, r.beta_fast), high = index_of_turns(r, r.beta_slow);
  if (r.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(r.dim - 1));
  if (low == high) high += 0.001;  // as the authors keep the ramp finite
  return {low, high};
}

}  // namespace

Rotary read_rotary(const JsonFields& settings, const Architecture& a) {
  const Json empty = Json::object();
  const char* name = settings.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (settings.has("rope_parameters") && settings.has("rope_scaling")) {
    settings.fail("rope_scaling", "and rope_parameters are both given; keep one of them");
  }
  const JsonFields table(settings.has(name) ? settings.at(name) : empty, settings.where(), name);
  Rotary r;
  r.scaling = read_scaling(table);
  check_settings(table, r.scaling);

  const bool neox = a.family == Family::kGptNeox;
  const double least_theta = 1 + 1e-6;
  r.theta = agreed_number({{table, "rope_theta"},
                           {settings, "rope_theta"},
                           {settings, neox ? "rotary_emb_base" : "rope_theta"}},
                          least_theta, kLargestTheta, 10000);
  const char* part = "partial_rotary_factor";
  const double share =
      agreed_number({{table, part}, {settings, part}, {settings, neox ? "rotary_pct" : part}}, 1e-6,
                    1, neox ? 0.25 : 1);
  if (!neox && share != 1) {
    settings.fail(part, fmt::format("{} is not supported: {} models rotate whole heads", share,
                                    name_of(a.family)));
  }
  r.dim = static_cast<int64_t>(static_cast<double>(a.head_dim) * share);
  if (r.dim < 2 || r.dim % 2 != 0) {
    settings.fail(
        neox ? "rotary_pct" : "head_dim",
        fmt::format("gives {} rotated entries per head; their number must be even and positive",
                    r.dim));
  }
  read_factors(settings, table, a, r);
  return r;
}

std::vector<double> rotary_frequencies(const Rotary& r, int64_t T) {
  const auto n = static_cast<double>(r.dim);
  const auto C = static_cast<double>(r.original_context);
  double theta = r.theta;
  if (r.scaling == RotaryScaling::kDynamic && T > r.original_context) {
    theta *= std::pow(r.factor * static_cast<double>(T) / C - (r.factor - 1), n / (n - 2));
  }
  const Ramp ramp = r.scaling == RotaryScaling::kYarn ? yarn_ramp(r) : Ramp{0, 1};
  std::vector<double> frequencies;
  for (int64_t i = 0; i < r.dim / 2; ++i) {
    const double f = std::pow(theta, -2 * static_cast<double>(i) / n);
    double kept = 1;
    if (r.scaling == RotaryScaling::kLinear) kept = 0;
    if (r.scaling == RotaryScaling::kYarn) kept = ramp.kept(static_cast<double>(i));
    if (r.scaling == RotaryScaling::kLlama3) {
      const double turns = C * f / (2 * std::numbers::pi);
      kept = std::clamp((turns - r.low_frequency) / (r.high_frequency - r.low_frequency), 0.0, 1.0);
    }
    frequencies.push_back((1 - kept) * f / r.factor + kept * f);
  }
  return frequencies;
}

Tensor rotary_table(const Rotary& r, int64_t T) {
  const std::vector<double> frequencies = rotary_frequencies(r, T);
  const int64_t half = r.dim / 2;
  const Tensor table = Tensor::empty(DType::kF32, {T, r.dim});
  for (int64_t t = 0; t < T; ++t) {
    float* const row = table.f32() + t * r.dim;
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(t) * frequencies[static_cast<size_t>(i)];
      row[i] = static_cast<float>(r.attention_factor * std::cos(angle));
      row[half + i] = static_cast<float>(r.attention_factor * std::sin(angle));
    }
  }
  return table;
}

}  // namespace bitlaw::hf
