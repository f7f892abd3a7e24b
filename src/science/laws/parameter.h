// The description of a law as data: its parameters with their ranges, and its published sets of
// constants.
#pragma once

#include <span>
#include <string_view>

namespace bitlaw {

// The coordinate that a fit uses for a parameter.
enum class Scale {
  kLog,        // log(value): stays positive
  kLinear,     // value
  kTimesLast,  // value * (the parameter before it): an offset n of exp(-P / gamma + n) becomes
               // P0 = gamma n, in bits, which is far less correlated with gamma than n
};

// What a law predicts of a run.
enum class Predicts {
  kLoss,      // nats per token
  kQatShare,  // the best share of the tokens to train with quantization
  kGap,       // loss minus that of the reference run of the same N, D and seed, nats per token
};

// The rows that identify a parameter.
enum class Stage {
  kTraining,  // losses of runs
  kPost,      // loss differences of post-training quantization
};

// A quantity of a row. Bits count if they are below 16.
enum class Quantity {
  kNothing,
  kSizes,
  kTokens,
  kTokensPerParam,
  kWeightBits,
  kActivationBits,
  kKvBits,
  kKeyBits,
  kValueBits,
  kEmbeddingBits,
  kHeadBits,
  kAnyBits,  // different (weights, activations, KV), unquantized ones not counted
  kPostBits,
  kRepetitions,  // D / unique tokens above 1
  kGroups,
  kExponentBits,
  kMantissaBits,
  kInput,  // a column of a law made from a formula
};

// Rows identify a parameter only if a quantity takes this many distinct values in them; a class
// parameter, only if it does so in the rows of that class.
struct Needs {
  Quantity of = Quantity::kNothing;
  int distinct = 0;
  bool quantized = false;   // only rows that were quantized while training count
  const char* column = "";  // of kInput
};

struct Range {
  double low, high;
};

// laws/common_parameters.h makes them.
struct Parameter {
  const char* name;  // as the authors write it: "E", "gamma_w"
  const char* meaning;
  Scale scale = Scale::kLog;
  // Ranges are of the value; for kTimesLast, of the product.
  double low, high;              // hard limits of a fit
  double start_low, start_high;  // starting points are drawn here
  Stage stage = Stage::kTraining;
  bool linear = false;  // the loss is linear in it: starts solve for it rather than draw it
  Needs needs = {};
  const char* never = nullptr;  // why no data can identify it, if so

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

// Which class of a row a class parameter belongs to.
enum class ClassAxis {
  kForward,             // precision of the forward pass: "W4A4"
  kBackward,            // of the gradients
  kOptimizer,           // "muon"; AdamW is the reference
  kForwardOfOptimizer,  // "W4A4@muon", and "W4A4" for AdamW
};

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

// One set of constants, in the order of the law's parameters; for a law with class parameters, also
// the values of the classes.
struct ConstantSet {
  const char* name;    // "hoffmann"; "start" = not published, a starting point for fits
  const char* source;  // citation, equation or table; what was assumed beyond it
  std::span<const double> values;
  std::span<const ClassValue> classes = {};

  constexpr bool is_published() const { return std::string_view(name) != "start"; }
};

}  // namespace bitlaw
