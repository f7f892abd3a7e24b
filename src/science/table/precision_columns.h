// The precision of a row's training run. Each part (weights, activations, keys and values) has bits,
// a number format, and the format's error on a Gaussian; the row has a class of its forward and of
// its backward pass. Tables give some of these, and the others follow:
//
//   bits            its column, else P, else those of its format, else 16; where all that leaves
//                   every part unquantized, those that the class names (W4A16, fp4)
//   exponent and    those of the first part with a floating-point format, else those of the class
//   mantissa bits
//   Gaussian error  its column, else that of a floating-point format; else unknown, which laws take
//                   for the best uniform grid of its bits
#pragma once

#include "laws/observation.h"
#include "table/row_reader.h"

namespace bitlaw {

struct PrecisionSources {
  int classes = 0;      // rows whose bits only the class told
  int disagreeing = 0;  // parts whose bits are not those of their format
};

// Fills the bits, formats, errors and classes of `run`. Error where a field is no number of bits, no
// format, or no error above 0.
void read_precision(const RowReader& row, Observation& run, PrecisionSources& sources);

}  // namespace bitlaw
