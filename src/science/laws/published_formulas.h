// Laws of the literature that are registered as formulas, because they take inputs that no other law has.
#pragma once

#include <vector>

#include "laws/formula_law.h"

namespace bitlaw {

const std::vector<LawFormula>& published_formulas();

}  // namespace bitlaw
