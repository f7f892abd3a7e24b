// Numbers and texts of a JSON object that may lack them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/json.h"

namespace bitlaw {

// NaN if there is no such number.
inline double number(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? found->get<double>() : std::nan("");
}

// "" if there is no such text.
inline std::string text(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_string() ? found->get<std::string>() : "";
}

// How far a law is off in log loss: "0.35 %"; a factor where a per cent would mislead.
inline std::string miss_words(double log_miss) {
  constexpr double kMostPerCent = 0.5;
  const double kMostFactor = std::log(1000);
  if (log_miss < kMostPerCent) return fmt::format("{:.2f} %", 100 * log_miss);
  if (log_miss < kMostFactor) return fmt::format("a factor of {:.3g}", std::exp(log_miss));
  return "a factor of more than 1,000";
}

// A negative R^2 explains nothing, however negative it is.
inline std::string r2_words(double r2, int decimals) {
  const double smallest = 0.5 * std::pow(10, -decimals);
  return r2 > -smallest ? fmt::format("= {:.{}f}", std::max(r2, 0.0), decimals) : "< 0";
}

}  // namespace bitlaw
