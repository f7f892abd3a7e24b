#include "laws/formula_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "laws/common_parameters.h"
#include "laws/formula_names.h"
#include "laws/formula_structure.h"
#include "laws/published_formulas.h"

namespace bitlaw {
namespace {

using namespace formula_column;

constexpr double kSmallest = 1e-9;  // of a positive constant whose range begins at 0

// A constant with the usual range of its name, or the given one.
Parameter parameter_of(const LawConstant& given, const Parameter* known, bool follows_gamma) {
  Parameter out = known ? *known : of_either_sign("", "a constant of the formula", {}, {});
  out.needs = {}, out.linear = false, out.stage = Stage::kTraining;
  if (out.scale == Scale::kTimesLast && (!follows_gamma || !std::isnan(given.low)))
    out.scale = Scale::kLinear;
  if (std::isnan(given.low)) return out;
  out.low = given.low, out.high = given.high;
  if (given.low == given.high) {
    out.scale = Scale::kLinear;
    out.start_low = out.start_high = out.low;
    return out;
  }
  const bool usually_positive = known && known->scale == Scale::kLog;
  if (usually_positive && out.low == 0) out.low = std::min(kSmallest, 1e-3 * out.high);
  out.scale = out.low > 0 ? Scale::kLog : Scale::kLinear;
  const double low = known ? std::max(out.low, out.start_low) : out.low;
  const double high = known ? std::min(out.high, out.start_high) : out.high;
  out.start_low = low < high ? low : out.low;
  out.start_high = low < high ? high : out.high;
  return out;
}

double middle_of(const Parameter& p) {
  const double value = p.scale == Scale::kLog ? std::sqrt(p.start_low * p.start_high)
                                              : 0.5 * (p.start_low + p.start_high);
  return std::clamp(value, p.low, p.high);
}

}  // namespace

// Names in the order of the formula, an offset n_x right after its gamma_x; then the delta's own.
void FormulaLaw::add_parameters(const Expression& formula, Stage stage) {
  const size_t first = parameters_.size();
  const auto add = [&](const std::string& name, bool follows_gamma) {
    static const LawConstant kUsual;
    const LawConstant* given = find_constant(definition_, name);
    Parameter& made = parameters_.emplace_back(
        parameter_of(given ? *given : kUsual, known_constant(name), follows_gamma));
    made.stage = stage;
    // The definition's own text, or the table's: both stay.
    made.name = given ? given->name.c_str() : known_constant(name)->name;
  };
  const auto has = [&](std::string_view name) {
    return std::any_of(parameters_.begin(), parameters_.end(),
                       [&](const Parameter& each) { return name == each.name; });
  };
  std::vector<std::string> names;
  for (size_t i = 0; i < formula.names().size(); ++i) {
    const std::string& name = formula.names()[i];
    if (find_constant(definition_, name)) {
      names.push_back(name);
      continue;
    }
    if (find_input(definition_, name) >= 0) continue;
    if (known_quantity(name)) {
      if (stage == Stage::kTraining && name == "P_post") {
        formula.fail_at(i, "P_post says nothing of a loss before it",
                        "; the loss difference of quantization after training is a formula of its "
                        "own, --delta-formula");
      }
      continue;
    }
    if (!known_constant(name)) fail_unknown(definition_, formula, i);
    names.push_back(name);
  }
  const auto is_offset_of = [&](const std::string& name) {
    return name.starts_with("n_") &&
           std::find(names.begin(), names.end(), "gamma_" + name.substr(2)) != names.end();
  };
  for (const std::string& name : names) {
    if (has(name) || is_offset_of(name)) continue;
    add(name, false);
    if (!name.starts_with("gamma_")) continue;
    const std::string offset = "n_" + name.substr(6);
    if (std::find(names.begin(), names.end(), offset) != names.end() && !has(offset))
      add(offset, true);
  }
  if (parameters_.size() > kMostFormulaConstants) {
    throw Error(fmt::format("{}: has {} constants; at most {} can be fitted",
                            formula_label(definition_, false), parameters_.size(),
                            kMostFormulaConstants));
  }
  if (stage == Stage::kPost && parameters_.size() == first) {
    throw Error(
        fmt::format("{}: has no constant of its own; it needs one that the losses do not "
                    "tell, such as C_T",
                    formula_label(definition_, true)));
  }
}

std::vector<Tape::Meaning> FormulaLaw::meanings_of(const Expression& formula) const {
  std::vector<Tape::Meaning> out;
  for (const std::string& name : formula.names()) {
    const int input = find_input(definition_, name);
    const auto constant = std::find_if(parameters_.begin(), parameters_.end(),
                                       [&](const Parameter& each) { return name == each.name; });
    if (constant != parameters_.end() && input < 0) {
      out.push_back(
          {.op = TapeOp::kConstant, .at = static_cast<int>(constant - parameters_.begin())});
    } else if (input >= 0) {
      out.push_back({.op = TapeOp::kColumn, .at = kInputs + input});
    } else {
      out.push_back(known_quantity(name)->meaning);
    }
  }
  return out;
}

// Which constants are linear, and which rows identify them, from the formula's structure.
void FormulaLaw::describe(const Tape& tape, Stage stage, size_t from) {
  constexpr size_t kMostLinear = 6;
  std::vector<bool> linear(parameters_.size(), false);
  size_t count = 0;
  for (size_t i = from; i < parameters_.size(); ++i) {
    Parameter& p = parameters_[i];
    if (stage == Stage::kPost) {
      p.linear = p.scale == Scale::kLog && count == 0 &&
                 is_proportional(tape.steps(), static_cast<int>(i));
      count += p.linear;
    } else if (count < kMostLinear && p.low < p.high) {
      linear[i] = true;
      if (degree(tape.steps(), linear) == 1) {
        p.linear = true;
        ++count;
      } else {
        linear[i] = false;
      }
    }
  }
  const uint64_t columns = columns_in(tape);
  const bool uses_bits = (columns & ((1 << kWeights) | (1 << kActivations) | (1 << kKv))) != 0;
  for (size_t i = from; i < parameters_.size(); ++i) {
    Parameter& p = parameters_[i];
    const uint64_t met = meets(tape.steps(), static_cast<int>(i));
    for (size_t j = 0; j < inputs_.size(); ++j) {
      if (met == uint64_t{1} << (kInputs + j))
        p.needs = {.of = Quantity::kInput, .distinct = 2, .column = inputs_[j].column};
    }
    const Parameter* known = known_constant(p.name);
    const Quantity of = quantity_met(met);
    if (known && tells(met, known->needs.of)) {
      p.needs = known->needs;
      p.needs.quantized = known->needs.quantized && uses_bits;
    } else if (of != Quantity::kNothing && !p.linear &&
               (of == Quantity::kSizes || of == Quantity::kTokens)) {
      p.needs = {.of = of, .distinct = 2};
    }
  }
}

FormulaLaw::FormulaLaw(LawFormula definition) : definition_(std::move(definition)) {
  std::vector<Expression> formulas{parse_formula(definition_, false)};
  if (!definition_.delta.empty()) formulas.push_back(parse_formula(definition_, true));
  check_definition(definition_, formulas);
  if (definition_.title.empty()) definition_.title = "A law of one's own";
  if (definition_.source.empty()) definition_.source = "a formula of one's own";
  for (const LawInputName& each : definition_.inputs)
    inputs_.push_back({each.name.c_str(), each.column.c_str()});

  add_parameters(formulas[0], Stage::kTraining);
  const size_t training = parameters_.size();
  loss_ = Tape(formulas[0], meanings_of(formulas[0]), static_cast<int>(training));
  describe(loss_, Stage::kTraining, 0);
  if (formulas.size() > 1) {
    add_parameters(formulas[1], Stage::kPost);
    delta_ = Tape(formulas[1], meanings_of(formulas[1]), static_cast<int>(parameters_.size()));
    describe(delta_, Stage::kPost, training);
  }
  if (training == 0)
    throw Error(fmt::format("{}: has no constant to fit", formula_label(definition_, false)));

  bool published = true;
  for (const Parameter& p : parameters_) {
    const LawConstant* given = find_constant(definition_, p.name);
    const bool has_value = given && std::isfinite(given->value);
    published = published && has_value;
    values_.push_back(has_value ? given->value : middle_of(p));
  }
  sets_.push_back({.name = published ? "published" : "start",
                   .source = published ? definition_.source.c_str()
                                       : "starting point: the middles of the ranges",
                   .values = values_});
  const uint64_t columns = columns_in(loss_);
  text_ = "L = " + definition_.formula;
  if (!definition_.delta.empty()) text_ += "; delta = " + definition_.delta;
  constexpr uint64_t kBits = (1 << kWeights) | (1 << kActivations) | (1 << kKv) | (1 << kExponent) |
                             (1 << kMantissa) | (1 << kKeys) | (1 << kValues) | (1 << kEmbedding) |
                             (1 << kHead);
  constexpr uint64_t kSizes = (1 << kLogN) | (1 << kLogD) | (1 << kLogU);
  law_ = {.name = definition_.name.c_str(),
          .title = definition_.title.c_str(),
          .source = definition_.source.c_str(),
          .formula = text_.c_str(),
          .notes = "",
          .uses_bits = (columns & kBits) != 0,
          .predicts = Predicts::kLoss,
          .parameters = parameters_,
          .training_parameters = training,
          .constants = sets_,
          .class_parameters = {},
          .classes = {},
          .has_delta = formulas.size() > 1,
          .has_share = false,
          .index = 0,
          .inputs = inputs_,
          .needs_sizes = inputs_.empty() || ((columns | columns_in(delta_)) & kSizes) != 0,
          .own = this};
}

double FormulaLaw::loss(const double* p, const Observation& run) const {
  std::array<double, kInputs + kMostFormulaInputs> row{};
  fill_row(law_, run, row.data());
  return loss_.value(p, row.data());
}

double FormulaLaw::delta(const double* p, const Observation& run) const {
  std::array<double, kInputs + kMostFormulaInputs> row{};
  fill_row(law_, run, row.data());
  return delta_.value(p, row.data());
}

BoundLaw formula_law(const LawFormula& definition) {
  const auto owner = std::make_shared<FormulaLaw>(definition);
  return BoundLaw(std::shared_ptr<const Law>(owner, &owner->law()));
}

const LawFormula* definition_of(const Law& law) {
  return law.own ? &law.own->definition() : nullptr;
}

namespace {

std::vector<BoundLaw>& registered() {
  static std::vector<BoundLaw> list = [] {
    std::vector<BoundLaw> out;
    for (const LawFormula& each : published_formulas()) out.push_back(formula_law(each));
    return out;
  }();
  return list;
}

thread_local std::vector<BoundLaw> known_here;

// The law of this name, if it has the same definition; null: there is none. Error if it has another.
const Law* same_law(const Law& law) {
  const Law* const other = find_law(law.name);
  if (!other) return nullptr;
  const LawFormula* own = definition_of(*other);
  if (own && law_formula_json(*own) == law_formula_json(*definition_of(law))) return other;
  throw Error(fmt::format("law {}: another law has that name; choose a different one", law.name));
}

}  // namespace

void register_law(const BoundLaw& law) {
  if (!same_law(law.law())) registered().push_back(law);
}

KnownLaws::KnownLaws() : before_(known_here.size()) {}

KnownLaws::~KnownLaws() {
  known_here.erase(known_here.begin() + static_cast<std::ptrdiff_t>(before_), known_here.end());
}

const Law& KnownLaws::add(const BoundLaw& law) {
  if (const Law* known = same_law(law.law())) return *known;
  known_here.push_back(law);
  return known_here.back().law();
}

std::vector<const Law*> registered_laws() {
  std::vector<const Law*> out;
  for (const BoundLaw& each : registered()) out.push_back(&each.law());
  for (const BoundLaw& each : known_here) out.push_back(&each.law());
  return out;
}

}  // namespace bitlaw
