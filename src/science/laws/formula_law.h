// A law that is made at run time from its formula, without a compiler:
//
//   E + A/N^alpha + B/D^beta * exp(-k*experts)
//
// A name in it is, in this order: a constant that a range was given for; an input, which is a column of
// the table; a quantity that every law has (quantities_of_formulas); a constant whose usual range is
// known, such as E or alpha. Anything else is an Error with its place. Derivatives are exact (tape.h).
// Such a law is a Law like any other, owned by a BoundLaw.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "laws/bind.h"
#include "laws/tape.h"

namespace bitlaw {

struct LawConstant {
  std::string name;
  // Hard limits of a fit, NaN = the usual ones of that name; equal: a number that no fit changes.
  double low = kUnknown, high = kUnknown;
  double value = kUnknown;  // published; NaN = none
};

struct LawInputName {
  std::string name;    // in the formula
  std::string column;  // of the table
};

// The definition of a law, as text.
struct LawFormula {
  std::string name = "formula";
  std::string title, source;
  std::string formula;  // of the training loss
  std::string delta;    // of the loss difference of quantization after training; "" = none
  std::vector<LawConstant> constants;
  std::vector<LawInputName> inputs;
};

// "E=0..5, alpha=0..2, k=0.5": a range each, or a number. `option` begins messages.
std::vector<LawConstant> parse_law_constants(const std::string& text, const std::string& option);
// "experts=num_experts, depth": the column of each, of the same name if none is given.
std::vector<LawInputName> parse_law_inputs(const std::string& text, const std::string& option);

// The same with inputs for the names that nothing else explains and that are among these columns.
LawFormula with_columns(LawFormula law, std::span<const std::string> columns);

// Error where the formula or a name is wrong, with the character; where a constant or input is not
// used; or where it is too long.
BoundLaw formula_law(const LawFormula& definition);
// Null for a law that is compiled.
const LawFormula* definition_of(const Law& law);

// .name .formula .delta .title .source .constants[].{name,low,high,value} .inputs.NAME
Json law_formula_json(const LawFormula& law);
LawFormula law_formula_from(const Json& document, const std::string& where);

// The law of a document of fit_to_json: its own `formula`, or a law by its name. Error if neither.
// `where` begins messages.
BoundLaw law_of_fit(const Json& fit, const std::string& where);

// Makes a law known to find_law() by its name, before other threads look for one. Error if another has
// that name.
void register_law(const BoundLaw& law);
// Laws that this thread alone knows by their names, as long as the object lives: those of one question.
// Error if another law has one of the names.
class KnownLaws {
 public:
  KnownLaws();
  ~KnownLaws();
  KnownLaws(const KnownLaws&) = delete;
  KnownLaws& operator=(const KnownLaws&) = delete;

  const Law& add(const BoundLaw& law);

 private:
  size_t before_;
};
// Those of laws/published_formulas.h, then what was registered, then those of KnownLaws.
std::vector<const Law*> registered_laws();

// Names, with a meaning each.
struct FormulaQuantity {
  const char* name;
  const char* meaning;
};
std::span<const FormulaQuantity> quantities_of_formulas();

// What evaluates such a law; a Law refers to it.
class FormulaLaw : public std::enable_shared_from_this<FormulaLaw> {
 public:
  explicit FormulaLaw(LawFormula definition);

  const Law& law() const { return law_; }
  const LawFormula& definition() const { return definition_; }
  const Tape& loss() const { return loss_; }
  const Tape& delta() const { return delta_; }
  // Of one row.
  double loss(const double* p, const Observation& run) const;
  double delta(const double* p, const Observation& run) const;

 private:
  std::vector<Tape::Meaning> meanings_of(const Expression& formula) const;
  void add_parameters(const Expression& formula, Stage stage);
  void describe(const Tape& tape, Stage stage, size_t from);

  LawFormula definition_;
  std::vector<Parameter> parameters_;
  std::vector<LawInput> inputs_;
  std::vector<double> values_;
  std::vector<ConstantSet> sets_;
  std::string text_;  // of the formulas, for the reader
  Tape loss_, delta_;
  Law law_{};
};

}  // namespace bitlaw
