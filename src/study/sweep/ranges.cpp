#include "sweep/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "base/random.h"

namespace bitlaw {
namespace {

// Whole values stay whole numbers in JSON, for keys that take no others.
Json number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<int64_t>(value);
  return value;
}

// The root of g^(d+1) = g + 1 above 1.
double golden_ratio(size_t dimensions) {
  const double power = 1 / (static_cast<double>(dimensions) + 1);
  double g = 2;
  for (int i = 0; i < 100; ++i) g = std::pow(1 + g, power);
  return g;
}

double fraction(double x) {
  return x - std::floor(x);
}

}  // namespace

Json GridRange::at(double share) const {
  double value = log ? from * std::pow(to / from, share) : from + (to - from) * share;
  if (multiple > 0)
    return number(std::clamp(std::round(value / multiple) * multiple,
                             std::ceil(from / multiple) * multiple,
                             std::floor(to / multiple) * multiple));
  value = std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr);
  return number(std::clamp(value, from, to));
}

double Sampling::share(int64_t point, size_t d, size_t dimensions) const {
  const auto dimension = static_cast<uint64_t>(d);
  if (random) return random_uniform(seed, dimension, static_cast<uint64_t>(point));
  const double start = seed == 1 ? 0.5 : random_uniform(seed, dimension, uint64_t{1} << 40);
  const double step = std::pow(golden_ratio(dimensions), -static_cast<double>(d + 1));
  return fraction(start + fraction(static_cast<double>(point) * step));
}

bool is_range(const Json& value) {
  return value.is_object() && value.contains("from") && value.contains("to");
}

GridRange parse_range(const std::string& key, const Json& value, const std::string& where) {
  const std::string place = fmt::format("{}: range of {}", where, key);
  for (const auto& [name, unused] : value.items()) {
    const std::vector<std::string> known{"from", "to", "scale", "multiple"};
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Error(fmt::format("{}: {}", place, unknown_name("key", name, known)));
  }
  const JsonFields fields(value, place);
  GridRange range{key, fields.number("from"), fields.number("to")};
  if (value.contains("multiple")) range.multiple = fields.number("multiple");
  if (value.contains("scale")) {
    const std::string& scale = fields.text("scale");
    if (scale != "log" && scale != "linear")
      throw Error(fmt::format("{}: {}", place, unknown_name("scale", scale, {"linear", "log"})));
    range.log = scale == "log";
  }
  if (!(range.from < range.to))
    throw Error(fmt::format("{}: from = {} must be below to = {}", place, range.from, range.to));
  if (range.log && range.from <= 0)
    throw Error(fmt::format("{}: from = {} must be above 0 on a log scale", place, range.from));
  if (range.multiple < 0 || (range.multiple > 0 && std::ceil(range.from / range.multiple) >
                                                       std::floor(range.to / range.multiple)))
    throw Error(fmt::format("{}: no multiple of {} lies in it", place, range.multiple));
  return range;
}

Sampling take_sampling(Json& grid, const std::string& where) {
  const std::string place = where + ": [[grid]]";
  const JsonFields fields(grid, place);
  Sampling sampling;
  if (grid.contains("points")) sampling.points = fields.whole("points", 1, 100'000);
  if (grid.contains("sampling")) {
    const std::string& kind = fields.text("sampling");
    if (kind != "even" && kind != "random")
      throw Error(fmt::format("{}: {}", place, unknown_name("sampling", kind, {"even", "random"})));
    sampling.random = kind == "random";
  }
  if (grid.contains("sampling_seed"))
    sampling.seed = static_cast<uint64_t>(fields.whole("sampling_seed", 1, 1'000'000'000));
  for (const char* key : {"points", "sampling", "sampling_seed"}) grid.erase(key);
  return sampling;
}

void check_sampling(const Sampling& sampling, size_t ranges, const std::string& where) {
  if (ranges > 0 && sampling.points == 0)
    throw Error(
        fmt::format("{}: [[grid]] has a range; say how many points of it to take, for "
                    "example points = 64",
                    where));
  if (ranges == 0 && sampling.points > 0)
    throw Error(
        fmt::format("{}: [[grid]] has points but no range, such as \"train.lr\" = {{ from = "
                    "1e-3, to = 0.1, scale = \"log\" }}",
                    where));
}

}  // namespace bitlaw
