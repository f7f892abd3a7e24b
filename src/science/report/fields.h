// Numbers and texts of a JSON object that may lack them.
#pragma once

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

}  // namespace bitlaw
