// What to do about rows that differ in factors (factors.h).
#pragma once

#include <string>
#include <vector>

#include "table/factors.h"

namespace bitlaw {

// "give --where lr=0.02 or --pool lr". Conditions are named only if all of them together leave rows
// that may be used together, of BF16 and of several precisions at one size as far as `rows` have
// those. Otherwise it says so, and names --pool alone. `filter` comes before a condition.
std::string pooling_advice(const std::vector<FactorRow>& rows,
                           const std::vector<PooledFactor>& refused, const MayDiffer& may,
                           const std::string& filter);

}  // namespace bitlaw
