// The value of a factor as a field of a table spells it.
#pragma once

#include <string>

#include "record/factor.h"

namespace bitlaw {

// Equal texts for equal settings: true, True, yes and 1 are one value, as are per-token and token,
// AdamW and adamw, 1e-2 and 0.01. "" if the field is empty or says that nothing is known: NA, n/a,
// nan, none, null, unknown, ?. A schedule may be none.
std::string factor_value(const Factor& factor, const std::string& field);

}  // namespace bitlaw
