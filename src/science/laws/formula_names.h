// What the names in a formula mean: quantities of a run, constants whose usual range is known, constants
// and inputs that the definition gives; and what can be wrong with a definition.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/expression.h"
#include "laws/formula_law.h"
#include "laws/parameter.h"
#include "laws/tape.h"

namespace bitlaw {

inline constexpr size_t kMostFormulaConstants = 60, kMostFormulaInputs = 16;

// Columns of Rows.
namespace formula_column {
enum { kLogN, kLogD, kLogU, kWeights, kActivations, kKv, kPost, kLogGroup, kExponent, kMantissa };
enum { kKeys = 14, kValues, kEmbedding, kHead };
}  // namespace formula_column

struct KnownQuantity {
  FormulaQuantity quantity;
  Tape::Meaning meaning;
};

// Null if there is none.
const Parameter* known_constant(std::string_view name);
const KnownQuantity* known_quantity(std::string_view name);
const LawConstant* find_constant(const LawFormula& law, std::string_view name);
// -1 if there is none.
int find_input(const LawFormula& law, std::string_view name);

// "formula", "law moe: delta formula": what messages call it.
std::string formula_label(const LawFormula& law, bool of_delta);
Expression parse_formula(const LawFormula& law, bool of_delta);

// Error for a name that means nothing, with its place and the nearest one that does.
[[noreturn]] void fail_unknown(const LawFormula& law, const Expression& formula, size_t place);
// What can be wrong without looking into the formula.
void check_definition(const LawFormula& law, std::span<const Expression> formulas);

}  // namespace bitlaw
