// What a law says about itself, as data: its parameters with their ranges, and the sets of
// constants that were published for it.
#pragma once

#include <span>

namespace bitlaw {

// The coordinate in which a fit walks along a parameter.
enum class Scale {
  kLog,        // log(value): stays positive
  kLinear,     // value
  kTimesLast,  // value * (the parameter before it): an offset n of exp(-P / gamma + n) walks as
               // P0 = gamma n, in bits, which is far less correlated with gamma than n is
};

// The rows that tell about a parameter.
enum class Stage {
  kTraining,  // losses of runs
  kPost,      // loss differences of post-training quantization
};

struct Parameter {
  const char* name;  // as the authors write it: "E", "gamma_w"
  const char* meaning;
  Scale scale = Scale::kLog;
  // All ranges are of the value, except for kTimesLast, where they are of the product.
  double low, high;              // never left
  double start_low, start_high;  // starting points are drawn here
  Stage stage = Stage::kTraining;
  bool linear = false;  // the loss is linear in it: starts solve for it rather than draw it
};

// A fit that ends at the edge of a parameter's range has not found its value.
inline bool at_edge(const Parameter& parameter, double value) {
  return parameter.scale == Scale::kLog &&
         (value >= 0.99 * parameter.high || value <= 1.01 * parameter.low);
}

// One published set of constants, in the order of the law's parameters.
struct ConstantSet {
  const char* name;    // "hoffmann"
  const char* source;  // citation, equation or table; what was assumed where the authors are silent
  std::span<const double> values;
};

}  // namespace bitlaw
