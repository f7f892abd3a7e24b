// The registry of laws. A law is a struct in its own header (names, parameters, constants, and the
// formula as a template over the scalar type) and a line in laws/all_laws.h. Fits, comparisons and
// plans know laws only through this registry.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "laws/inputs.h"
#include "laws/observation.h"
#include "laws/parameter.h"

namespace bitlaw {

// One class parameter of a law that is bound to a table (laws/bind.h).
struct BoundClass {
  int parameter;          // position among the law's class parameters
  std::string_view name;  // of the class
  int position;           // among the law's parameters
};

// A column of the table that a law made from a formula takes, beyond the quantities of every law.
struct LawInput {
  const char* name;    // in the formula
  const char* column;  // in tables; Observation::inputs has it by this name
};

class FormulaLaw;

struct Law {
  const char* name;     // "kumar"
  const char* title;    // a few words
  const char* source;   // citation and equation
  const char* formula;  // one line; definitions follow the equation after "; "
  const char* notes;    // assumptions and caveats; "" for none
  bool uses_bits;       // false: the law ignores every precision
  Predicts predicts;
  std::span<const Parameter> parameters;             // those of training first
  size_t training_parameters;                        // how many of them the loss depends on
  std::span<const ConstantSet> constants;            // the first is the default
  std::span<const ClassParameter> class_parameters;  // empty for most laws
  std::span<const BoundClass> classes;  // of a bound law: what its class parameters became
  bool has_delta;                       // has a post-training term
  bool has_share;  // loss = E + A / (N share)^alpha + B / D^beta, the share in closed form
  // The rival of laws of effective parameters: errors that add to the loss, by the bits of each part.
  bool is_additive_rival = false;
  size_t index;                           // in the table
  std::span<const LawInput> inputs = {};  // of a law made from a formula
  // False: a formula of inputs that has neither N nor D, so that rows need none.
  bool needs_sizes = true;
  const FormulaLaw* own = nullptr;  // what evaluates it (laws/formula_law.h); null: compiled

  bool is_bound() const { return class_parameters.empty() || !classes.empty(); }
};

std::span<const Law> laws();

// The default law of plans, fits and reports: the first one that models bits both in training and
// after it.
const Law& default_law();

// The law of additive errors that laws of effective parameters are held against.
const Law& additive_rival();

// Null if there is no such law, compiled or registered (laws/formula_law.h).
const Law* find_law(std::string_view name);
// Error with the nearest name where there is none.
const Law& law_named(std::string_view name);
std::vector<std::string> law_names();
// "kumar, kumar-no-offsets or ouyang-qid": those with a term for quantization after training.
std::string laws_with_delta();

// Position of a parameter by its name, or -1.
int parameter_index(const Law& law, std::string_view name);

// Null if the law has no such set; "" is the first.
const ConstantSet* find_constants(const Law& law, std::string_view name);

// The value of a constant, "alpha" or "eff[W4A4]", in the law's first set; NaN if it was not
// published.
double published_value(const Law& law, std::string_view constant);

// The measured value of what the law predicts; NaN if the row has none.
double measured(const Law& law, const Observation& run);
// What that is called in messages: "loss", "qat_share", "gap".
const char* measured_name(const Law& law);
// Laws of gaps: "gap-class, gap-exp or gap-bits".
std::string laws_of_gaps();

// Evaluates a law on all rows: the training loss, or the delta of post-training quantization (if
// the law has one). p: the law's values in the order of its parameters. values: rows.stride()
// results (the last are padding). jacobian: null, or by column, d values[i] / d p[j] at
// jacobian[j * rows.stride() + i]; loss has training_parameters columns, delta one for each
// parameter. NaN for a row of a class that the law is not bound to. Results are the same bits for
// every instruction set.
void evaluate_loss(const Law& law, const double* p, const Rows& rows, double* values,
                   double* jacobian);
void evaluate_delta(const Law& law, const double* p, const Rows& rows, double* values,
                    double* jacobian);

// One prediction: the training loss in nats plus, if the row is quantized after training and the
// law models that, its loss difference. (Or the share, for a law that predicts a share; or the gap.)
double predict(const Law& law, const double* p, const Observation& run);
double predict_delta(const Law& law, const double* p, const Observation& run);  // 0 if none

// log(N_eff / N) of a law that has_share.
double log_share(const Law& law, const double* p, const Observation& run);

}  // namespace bitlaw
