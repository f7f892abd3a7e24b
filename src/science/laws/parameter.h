// What a law says about itself, as data: its parameters with their ranges, and the sets of
// constants that were published for it.
#pragma once

#include <span>
#include <string_view>

namespace bitlaw {

// The coordinate in which a fit walks along a parameter.
enum class Scale {
  kLog,        // log(value): stays positive
  kLinear,     // value
  kTimesLast,  // value * (the parameter before it): an offset n of exp(-P / gamma + n) walks as
               // P0 = gamma n, in bits, which is far less correlated with gamma than n is
};

// What a law predicts of a run.
enum class Predicts {
  kLoss,      // nats per token
  kQatShare,  // the best share of the tokens to train with quantization
};

// The rows that identify a parameter.
enum class Stage {
  kTraining,  // losses of runs
  kPost,      // loss differences of post-training quantization
};

// A quantity of a row. Bits count where they are below 16.
enum class Quantity {
  kNothing,
  kSizes,
  kTokens,
  kTokensPerParam,
  kWeightBits,
  kActivationBits,
  kKvBits,
  kAnyBits,  // different (weights, activations, KV), unquantized ones not counted
  kPostBits,
  kRepetitions,  // D / unique tokens above 1
  kGroups,
  kExponentBits,
  kMantissaBits,
};

// Rows identify a parameter only if a quantity takes this many distinct values among them; for one of
// a precision class, among the rows of that class.
struct Needs {
  Quantity of = Quantity::kNothing;
  int distinct = 0;
  bool quantized = false;  // only rows that were quantized while training count
};

struct Range {
  double low, high;
};

// laws/common_parameters.h makes them.
struct Parameter {
  const char* name;  // as the authors write it: "E", "gamma_w"
  const char* meaning;
  Scale scale = Scale::kLog;
  // All ranges are of the value, except for kTimesLast, where they are of the product.
  double low, high;              // never left
  double start_low, start_high;  // starting points are drawn here
  Stage stage = Stage::kTraining;
  bool linear = false;  // the loss is linear in it: starts solve for it rather than draw it
  Needs needs = {};
  const char* never = nullptr;  // why no rows can identify it, if that is so

  // Copies with one more property.
  constexpr Parameter identified_by(Quantity of, int distinct) const {
    Parameter out = *this;
    out.needs.of = of, out.needs.distinct = distinct;
    return out;
  }
  constexpr Parameter among_quantized() const {
    Parameter out = *this;
    out.needs.quantized = true;
    return out;
  }
  constexpr Parameter solved_for() const {  // linear
    Parameter out = *this;
    out.linear = true;
    return out;
  }
  constexpr Parameter after_training() const {
    Parameter out = *this;
    out.stage = Stage::kPost;
    return out;
  }
  constexpr Parameter not_identifiable(const char* why) const {
    Parameter out = *this;
    out.never = why;
    return out;
  }
};

// A fit that ends at the edge of a parameter's range has not found its value.
inline bool at_edge(const Parameter& parameter, double value) {
  return parameter.scale == Scale::kLog &&
         (value >= 0.99 * parameter.high || value <= 1.01 * parameter.low);
}

// Which of a row's two precision classes a class parameter belongs to.
enum class ClassAxis { kForward, kBackward };

// A parameter with one value for each precision class of a table: eff[W4A4].
struct ClassParameter {
  Parameter parameter;
  ClassAxis axis = ClassAxis::kForward;
  double reference = 1;  // its value for the class that is not quantized
};

struct ClassValue {
  const char* parameter;  // "eff"
  const char* name;       // of the class, "W4A4"
  double value;
};

// The runs that a set of constants was fitted to: what lies beyond is an extrapolation. Zeros =
// nothing is known of them.
struct Studied {
  double least_bits = 0, most_bits = 0;  // while training
  double most_params = 0, most_tokens = 0;
};

// One set of constants, in the order of the law's parameters; for a law with class parameters those
// of the classes besides.
struct ConstantSet {
  const char* name;    // "hoffmann"; "start" = nobody published them, a fit begins there
  const char* source;  // citation, equation or table; what was assumed where the authors are silent
  std::span<const double> values;
  std::span<const ClassValue> classes = {};
  Studied studied = {};

  constexpr bool is_published() const { return std::string_view(name) != "start"; }
};

}  // namespace bitlaw
