// A law of one's own in words: a formula with its constants and inputs, or a file of laws. The command
// line has them as flags, a question (ask.h) as keys.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "laws/formula_law.h"

namespace bitlaw {

struct FormulaWords {
  std::string formula, delta_formula, constants, inputs;

  template <class V>
  void visit(V& v) {
    v("formula", formula,
      "a law of your own in N, D, C, U, P_w, P_a, P_kv, G and columns of the table: "
      "'E + A/N^alpha + B/D^beta*exp(-k*experts)'");
    v("delta_formula", delta_formula,
      "its loss difference of quantization after training, with P_post");
    v("constants", constants,
      "ranges of the formula's constants, 'k=0..5,q=-1..1', or a number that stays fixed, k=0.5; "
      "E, "
      "A, B, alpha, beta and others have usual ones");
    v("inputs", inputs,
      "columns of the table in the formula: experts=num_experts; a column's own name needs no "
      "--inputs");
  }

  // Error if another word of a formula is given without one. `dashes`: before an option's name in
  // messages, "--" on the command line.
  bool is_given(const std::string& dashes) const;
};

// Names that nothing else explains may be any of `columns`.
LawFormula formula_of(const FormulaWords& words, const std::vector<std::string>& columns,
                      const std::string& dashes);

// A file of laws, as JSON: .law.NAME.{formula,constants,inputs}. Error with `path`, and with the option
// that named it where it has none.
std::vector<BoundLaw> laws_in_file(const Json& document, const std::string& path,
                                   const std::string& option);

}  // namespace bitlaw
