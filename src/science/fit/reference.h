// The class of rows that are not quantized, to which the constants of the other classes are relative.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"

namespace bitlaw {

// Without a row of the reference class only ratios of class constants could be known: a sentence that
// says so, or "" if the law (bound to the rows) has no class constants or the rows what they need.
std::string missing_reference(const Law& law, const std::vector<Observation>& rows);

}  // namespace bitlaw
