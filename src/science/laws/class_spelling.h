// A run spelled as the table of a fit spells its precision classes (laws/fitted_classes.h).
#pragma once

#include <string_view>

#include "laws/fitted_classes.h"
#include "laws/observation.h"

namespace bitlaw {

// Whether two names are of one class: of one precision, both of no quantization, or one word but for case,
// blanks and punctuation.
bool is_one_class(std::string_view a, std::string_view b);

// The run of a class that the table calls otherwise (mxfp4 for MXFP4) gets the table's name; one of the
// class that was the reference there is not quantized; and one whose class says no bits has those of the
// class in the table, unless it has some itself.
Observation spelled_as(const FittedClasses& classes, Observation run);

}  // namespace bitlaw
