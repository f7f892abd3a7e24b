#include "plan/result.h"

namespace bitlaw {

std::optional<double> PlanOptimum::find(std::string_view name) const {
  std::optional<double> found;
  for_each_number(*this, [&](std::string_view each, double value, const char*) {
    if (each == name) found = value;
  });
  return found;
}

}  // namespace bitlaw
