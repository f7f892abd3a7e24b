#include "laws/formula_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "laws/common_parameters.h"
#include "laws/published_formulas.h"

namespace bitlaw {
namespace {

// More than any law has: what is longer is a mistake, or meant to take for ever.
constexpr size_t kLongestFormula = 4000, kMostConstants = 60, kMostLawInputs = 16,
                 kLongestName = 60;

constexpr double kSmallest = 1e-9;  // of a positive constant whose range begins at 0

// Columns of Rows.
enum { kLogN, kLogD, kLogU, kWeights, kActivations, kKv, kPost, kLogGroup, kExponent, kMantissa };
enum { kKeys = 14, kValues, kEmbedding, kHead };

struct KnownQuantity {
  FormulaQuantity quantity;
  Tape::Meaning meaning;
};

constexpr Tape::Meaning logarithm_in(int column) {
  return {.op = TapeOp::kColumn, .at = column, .logarithm = true};
}
constexpr Tape::Meaning itself_in(int column) {
  return {.op = TapeOp::kColumn, .at = column};
}

constexpr KnownQuantity kKnownQuantities[] = {
    {{"N", "parameters"}, logarithm_in(kLogN)},
    {{"D", "training tokens"}, logarithm_in(kLogD)},
    {{"C", "training compute, 6 N D"},
     {.op = TapeOp::kColumn, .at = kLogN, .logarithm = true, .times = kLogD, .factor = 6}},
    {{"U", "distinct training tokens; D if no token repeats"}, logarithm_in(kLogU)},
    {{"P_w", "bits of weights in training; 16 if not quantized"}, itself_in(kWeights)},
    {{"P_a", "bits of activations in training"}, itself_in(kActivations)},
    {{"P_kv", "bits of keys and values in training"}, itself_in(kKv)},
    {{"P_k", "bits of keys in training; P_kv if not given apart"}, itself_in(kKeys)},
    {{"P_v", "bits of values in training; P_kv if not given apart"}, itself_in(kValues)},
    {{"P_emb", "bits of embeddings in training, unlimited if not quantized"},
     itself_in(kEmbedding)},
    {{"P_head", "bits of the output head in training, unlimited if not quantized"},
     itself_in(kHead)},
    {{"P_post", "bits of weights after training, in a delta formula"}, itself_in(kPost)},
    {{"G", "entries that share a scale in training"}, logarithm_in(kLogGroup)},
    {{"X", "exponent bits of a floating-point format"}, itself_in(kExponent)},
    {{"M", "mantissa bits of a floating-point format"}, itself_in(kMantissa)},
};
constexpr auto kQuantities = [] {
  std::array<FormulaQuantity, std::size(kKnownQuantities)> out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = kKnownQuantities[i].quantity;
  return out;
}();
// These cannot be constants: every reader takes them for what they are.
constexpr std::string_view kReserved[] = {"N", "D", "P_w", "P_a", "P_kv", "P_post"};

constexpr Parameter gamma_of(const char* name, Quantity of) {
  return positive(name, "bits per factor of e", {0.05, 50}, {0.3, 4}).identified_by(of, 1);
}
constexpr Parameter k_of(const char* name, Quantity of) {
  return positive(name, "size of the error, nats", {1e-12, 1e12}, {1e-2, 100}).identified_by(of, 1);
}
// Constants whose usual range is known.
constexpr std::array kKnownConstants{
    irreducible_loss("E"),
    size_term("A", "loss at N = 1 from finite size, nats"),
    data_term("B", "loss at D = 1 from finite data, nats"),
    exponent_of_size("alpha"),
    exponent_of_data("beta"),
    gamma_of("gamma_w", Quantity::kWeightBits),
    bits_offset("n_w", "offset, weights (fitted as gamma_w n_w, in bits)", Quantity::kWeightBits),
    gamma_of("gamma_a", Quantity::kActivationBits),
    bits_offset("n_a", "offset, activations", Quantity::kActivationBits),
    gamma_of("gamma_kv", Quantity::kKvBits),
    bits_offset("n_kv", "offset, keys and values", Quantity::kKvBits),
    k_of("k_w", Quantity::kWeightBits),
    k_of("k_a", Quantity::kActivationBits),
    k_of("k_kv", Quantity::kKvBits),
    slope_of_error("gamma_D", "growth with data", Quantity::kTokens),
    slope_of_error("gamma_N", "decrease with size", Quantity::kSizes),
    size_of_delta("C_T", "scale of the post-training loss"),
    positive("gamma_post", "bits per factor of e after training", {0.05, 50}, {0.3, 2})
        .identified_by(Quantity::kPostBits, 2),
};

const Parameter* known_constant(std::string_view name) {
  for (const Parameter& each : kKnownConstants) {
    if (name == each.name) return &each;
  }
  return nullptr;
}
const KnownQuantity* known_quantity(std::string_view name) {
  for (const KnownQuantity& each : kKnownQuantities) {
    if (name == each.quantity.name) return &each;
  }
  return nullptr;
}
const LawConstant* find_constant(const LawFormula& law, std::string_view name) {
  for (const LawConstant& each : law.constants) {
    if (name == each.name) return &each;
  }
  return nullptr;
}
// -1 if there is none.
int find_input(const LawFormula& law, std::string_view name) {
  for (size_t i = 0; i < law.inputs.size(); ++i) {
    if (name == law.inputs[i].name) return static_cast<int>(i);
  }
  return -1;
}

std::string label(const LawFormula& law, bool of_delta) {
  const char* const what = of_delta ? "delta formula" : "formula";
  return law.name == "formula" ? what : fmt::format("law {}: {}", law.name, what);
}

Expression parsed(const LawFormula& law, bool of_delta) {
  const std::string& text = of_delta ? law.delta : law.formula;
  if (text.size() > kLongestFormula) {
    throw Error(fmt::format("{}: has {} characters; a formula has at most {}", label(law, of_delta),
                            text.size(), kLongestFormula));
  }
  return Expression(text, label(law, of_delta));
}

[[noreturn]] void fail_unknown(const LawFormula& law, const Expression& formula, size_t place) {
  std::vector<std::string> names;
  for (const KnownQuantity& each : kKnownQuantities) names.emplace_back(each.quantity.name);
  for (const Parameter& each : kKnownConstants) names.emplace_back(each.name);
  for (const LawConstant& each : law.constants) names.push_back(each.name);
  for (const LawInputName& each : law.inputs) names.push_back(each.name);
  const std::string& name = formula.names()[place];
  const std::string near = nearest_name(name, names), shown = printable(name);
  formula.fail_at(place,
                  fmt::format("{} is neither a constant nor a quantity of a run{}", shown,
                              near.empty() ? "" : fmt::format(" (did you mean {}?)", near)),
                  fmt::format("; a constant needs its range in --constants '{}=0..10', a column of "
                              "the table --inputs {}=COLUMN",
                              shown, shown));
}

bool is_used(const std::string& name, std::span<const Expression> formulas) {
  return std::any_of(formulas.begin(), formulas.end(), [&](const Expression& formula) {
    const std::vector<std::string>& names = formula.names();
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

void check_name(std::string_view name) {
  const bool fine =
      !name.empty() && name.size() <= kLongestName &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
      });
  if (!fine) {
    throw Error(fmt::format("law {}: a name has up to {} letters, digits, '-', '_' and '.'",
                            printable(name), kLongestName));
  }
}

// What can be wrong without looking into the formula.
void check_definition(const LawFormula& law, std::span<const Expression> formulas) {
  check_name(law.name);
  const std::string where = label(law, false);
  if (law.constants.size() > kMostConstants || law.inputs.size() > kMostLawInputs) {
    throw Error(fmt::format("{}: has {} constants and {} inputs; at most {} and {} can be fitted",
                            where, law.constants.size(), law.inputs.size(), kMostConstants,
                            kMostLawInputs));
  }
  std::set<std::string> seen;
  const auto check = [&](const std::string& name, const char* what) {
    if (!seen.insert(name).second)
      throw Error(fmt::format("{}: {} is given twice", where, printable(name)));
    if (is_used(name, formulas)) return;
    std::vector<std::string> names;
    for (const Expression& formula : formulas)
      names.insert(names.end(), formula.names().begin(), formula.names().end());
    throw Error(fmt::format("{}: {}", where,
                            unknown_name(what, name, names, "the formula has no such name")));
  };
  for (const LawConstant& each : law.constants) {
    if (std::find(std::begin(kReserved), std::end(kReserved), each.name) != std::end(kReserved)) {
      throw Error(fmt::format("{}: {} is {}, so no constant; call the constant something else",
                              where, each.name, known_quantity(each.name)->quantity.meaning));
    }
    check(each.name, "constant");
    if (std::isnan(each.low) && !known_constant(each.name)) {
      throw Error(fmt::format("{}: {} has a value but no range; add {}=LOW..HIGH to its constants",
                              where, each.name, each.name));
    }
    if (each.value < each.low || each.value > each.high) {
      throw Error(fmt::format("{}: {} = {} is outside its range, {} to {}", where, each.name,
                              each.value, each.low, each.high));
    }
  }
  for (const LawInputName& each : law.inputs) check(each.name, "input");
}

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

// 0: the step does not depend on these constants, 1: it is linear in them, 2: anything else.
int degree(std::span<const TapeStep> steps, const std::vector<bool>& of) {
  std::vector<int> out;
  for (const TapeStep& step : steps) {
    const int a = step.a >= 0 ? out[static_cast<size_t>(step.a)] : 0;
    const int b = step.b >= 0 ? out[static_cast<size_t>(step.b)] : 0;
    switch (step.op) {
      case TapeOp::kConstant:
        out.push_back(of[static_cast<size_t>(step.at)] ? 1 : 0);
        break;
      case TapeOp::kAdd:
      case TapeOp::kSubtract:
        out.push_back(std::max(a, b));
        break;
      case TapeOp::kNegate:
        out.push_back(a);
        break;
      case TapeOp::kMultiply:
        out.push_back(std::min(a + b, 2));
        break;
      case TapeOp::kDivide:
        out.push_back(b > 0 ? 2 : a);
        break;
      default:
        out.push_back(a + b > 0 ? 2 : 0);
    }
  }
  return out.back();
}

// Whether the result is this constant times something that does not depend on it.
bool is_proportional(std::span<const TapeStep> steps, int constant) {
  enum { kFree, kTimes, kOther };
  std::vector<int> out;
  for (const TapeStep& step : steps) {
    const int a = step.a >= 0 ? out[static_cast<size_t>(step.a)] : kFree;
    const int b = step.b >= 0 ? out[static_cast<size_t>(step.b)] : kFree;
    switch (step.op) {
      case TapeOp::kConstant:
        out.push_back(step.at == constant ? kTimes : kFree);
        break;
      case TapeOp::kMultiply:
        out.push_back(std::min(a + b, static_cast<int>(kOther)));
        break;
      case TapeOp::kDivide:
        out.push_back(b == kFree ? a : kOther);
        break;
      case TapeOp::kNegate:
        out.push_back(a);
        break;
      case TapeOp::kAdd:
      case TapeOp::kSubtract:
        out.push_back(a == b ? a : kOther);
        break;
      default:
        out.push_back(a == kFree && b == kFree ? kFree : kOther);
    }
  }
  return out.back() == kTimes;
}

// The columns that a constant meets first, as a set of bits: of N in alpha log N.
uint64_t meets(std::span<const TapeStep> steps, int constant) {
  std::vector<uint64_t> columns;
  std::vector<bool> carries;  // the constant, and nothing of the rows yet
  uint64_t out = 0;
  for (const TapeStep& step : steps) {
    uint64_t here = step.op == TapeOp::kColumn ? uint64_t{1} << step.at : 0;
    bool carried = step.op == TapeOp::kConstant && step.at == constant;
    for (const auto& [one, other] : {std::pair{step.a, step.b}, {step.b, step.a}}) {
      if (one < 0) continue;
      here |= columns[static_cast<size_t>(one)];
      if (!carries[static_cast<size_t>(one)]) continue;
      const uint64_t met = other >= 0 ? columns[static_cast<size_t>(other)] : 0;
      out |= met;
      carried |= met == 0;
    }
    columns.push_back(here);
    carries.push_back(carried);
  }
  return out;
}

Quantity quantity_met(uint64_t columns) {
  switch (columns) {
    case 1 << kLogN:
      return Quantity::kSizes;
    case 1 << kLogD:
      return Quantity::kTokens;
    case 1 << kWeights:
      return Quantity::kWeightBits;
    case 1 << kActivations:
      return Quantity::kActivationBits;
    case 1 << kKv:
      return Quantity::kKvBits;
    case 1 << kPost:
      return Quantity::kPostBits;
    case 1 << kLogGroup:
      return Quantity::kGroups;
    default:
      return Quantity::kNothing;
  }
}

// Whether rows that differ in this quantity alone identify what meets these columns: alpha of
// (N f(P_w))^alpha meets N and P_w, and needs sizes.
bool tells(uint64_t met, Quantity of) {
  if (of == Quantity::kNothing) return false;
  constexpr uint64_t kN = 1 << kLogN, kD = 1 << kLogD;
  if (of == Quantity::kSizes) return (met & kN) != 0 && (met & kD) == 0;
  if (of == Quantity::kTokens) return (met & kD) != 0 && (met & kN) == 0;
  return quantity_met(met) == of;
}

uint64_t columns_in(const Tape& tape) {
  uint64_t out = 0;
  for (const TapeStep& step : tape.steps()) {
    if (step.op == TapeOp::kColumn) out |= uint64_t{1} << step.at;
  }
  return out;
}

}  // namespace

std::span<const FormulaQuantity> quantities_of_formulas() {
  return kQuantities;
}

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
  if (parameters_.size() > kMostConstants) {
    throw Error(fmt::format("{}: has {} constants; at most {} can be fitted",
                            label(definition_, false), parameters_.size(), kMostConstants));
  }
  if (stage == Stage::kPost && parameters_.size() == first) {
    throw Error(
        fmt::format("{}: has no constant of its own; it needs one that the losses do not "
                    "tell, such as C_T",
                    label(definition_, true)));
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
  std::vector<Expression> formulas{parsed(definition_, false)};
  if (!definition_.delta.empty()) formulas.push_back(parsed(definition_, true));
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
    throw Error(fmt::format("{}: has no constant to fit", label(definition_, false)));

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
  std::array<double, kInputs + kMostLawInputs> row{};
  fill_row(law_, run, row.data());
  return loss_.value(p, row.data());
}

double FormulaLaw::delta(const double* p, const Observation& run) const {
  std::array<double, kInputs + kMostLawInputs> row{};
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

LawConstant read_range(const std::string& name, const std::string& text, const std::string& where) {
  LawConstant out{.name = name};
  const size_t dots = text.find("..");
  const auto number = [&](const std::string& part) {
    const auto value = parse_count(part);
    if (!value || !std::isfinite(*value)) {
      throw Error(fmt::format("{}: {}={} is no range; write {}=0..5, or {}=0.5 for a number", where,
                              printable(name), printable(text), printable(name), printable(name)));
    }
    return *value;
  };
  if (dots == std::string::npos) {
    out.low = out.high = out.value = number(text);
    return out;
  }
  out.low = number(text.substr(0, dots));
  out.high = number(text.substr(dots + 2));
  if (!(out.low < out.high)) {
    throw Error(fmt::format("{}: {}={}: the range's lower end must be below the upper one", where,
                            printable(name), printable(text)));
  }
  return out;
}

std::string range_text(const LawConstant& constant) {
  return constant.low == constant.high ? fmt::format("{}", constant.low)
                                       : fmt::format("{}..{}", constant.low, constant.high);
}

}  // namespace

std::vector<LawConstant> parse_law_constants(const std::string& text, const std::string& option) {
  std::vector<LawConstant> out;
  for (const std::string& item : split(text, ',')) {
    const size_t sign = item.find('=');
    const std::string name = trim(item.substr(0, sign));
    if (name.empty() && trim(item).empty()) continue;
    if (sign == std::string::npos || name.empty())
      throw Error(fmt::format("{}: {} is not NAME=LOW..HIGH", option, printable(trim(item))));
    out.push_back(read_range(name, trim(item.substr(sign + 1)), option));
  }
  return out;
}

std::vector<LawInputName> parse_law_inputs(const std::string& text, const std::string& option) {
  std::vector<LawInputName> out;
  for (const std::string& item : split(text, ',')) {
    const size_t sign = item.find('=');
    const std::string name = trim(item.substr(0, sign));
    if (name.empty() && trim(item).empty()) continue;
    const std::string column = sign == std::string::npos ? name : trim(item.substr(sign + 1));
    if (name.empty() || column.empty())
      throw Error(fmt::format("{}: {} is not NAME=COLUMN", option, printable(trim(item))));
    out.push_back({name, column});
  }
  return out;
}

LawFormula with_columns(LawFormula law, std::span<const std::string> columns) {
  for (const bool of_delta : {false, true}) {
    if (of_delta && law.delta.empty()) continue;
    const Expression formula = parsed(law, of_delta);
    for (const std::string& name : formula.names()) {
      const bool known = find_constant(law, name) || find_input(law, name) >= 0 ||
                         known_quantity(name) || known_constant(name);
      if (!known && std::find(columns.begin(), columns.end(), name) != columns.end())
        law.inputs.push_back({name, name});
    }
  }
  return law;
}

Json law_formula_json(const LawFormula& law) {
  Json out{{"name", law.name}, {"formula", law.formula}};
  if (!law.delta.empty()) out["delta"] = law.delta;
  if (!law.title.empty()) out["title"] = law.title;
  if (!law.source.empty()) out["source"] = law.source;
  for (const LawConstant& each : law.constants) {
    if (!std::isnan(each.low)) out["constants"][each.name] = range_text(each);
    if (std::isfinite(each.value) && each.low != each.high) out["values"][each.name] = each.value;
  }
  for (const LawInputName& each : law.inputs) out["inputs"][each.name] = each.column;
  return out;
}

LawFormula law_formula_from(const Json& document, const std::string& where) {
  const JsonFields fields(document, where);
  LawFormula out;
  out.name = fields.text("name");
  out.formula = fields.text("formula");
  out.delta = fields.text("delta", "");
  out.title = fields.text("title", "");
  out.source = fields.text("source", "");
  for (const auto& [key, unused] : document.items()) {
    const std::vector<std::string> known{"name",   "formula",   "delta",  "title",
                                         "source", "constants", "inputs", "values"};
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(fmt::format("{}: {}", where, unknown_name("key", key, known)));
  }
  // As text, "E=0..5, alpha=0..2", or as a table, {E = "0..5"}.
  if (fields.has("constants")) {
    const Json& constants = document["constants"];
    const std::string option = where + ": constants";
    if (constants.is_string()) {
      out.constants = parse_law_constants(constants.get<std::string>(), option);
    } else if (constants.is_object()) {
      for (const auto& [name, range] : constants.items()) {
        if (!range.is_string() && !range.is_number())
          fields.refuse("constants", "text such as \"E=0..5\", or a table of such ranges");
        out.constants.push_back(read_range(
            name,
            range.is_string() ? range.get<std::string>() : fmt::format("{}", range.get<double>()),
            option));
      }
    } else {
      fields.refuse("constants", "text such as \"E=0..5\", or a table of such ranges");
    }
  }
  if (fields.has("inputs")) {
    const Json& inputs = document["inputs"];
    if (inputs.is_string()) {
      out.inputs = parse_law_inputs(inputs.get<std::string>(), where + ": inputs");
    } else if (inputs.is_object()) {
      for (const auto& [name, column] : inputs.items()) {
        if (!column.is_string()) fields.refuse("inputs", "a table of names of columns");
        out.inputs.push_back({name, column.get<std::string>()});
      }
    } else {
      fields.refuse("inputs", "text such as \"experts=num_experts\", or a table");
    }
  }
  if (fields.has("values")) {
    if (!document["values"].is_object()) fields.refuse("values", "a table of numbers");
    for (const auto& [key, value] : document["values"].items()) {
      const std::string& name = key;  // lambdas cannot capture the parts of a binding
      if (!value.is_number() || !std::isfinite(value.get<double>()))
        fields.refuse("values", "a table of finite numbers");
      auto found = std::find_if(out.constants.begin(), out.constants.end(),
                                [&](const LawConstant& each) { return each.name == name; });
      if (found == out.constants.end())
        found = out.constants.insert(out.constants.end(), LawConstant{.name = name});
      found->value = value.get<double>();
    }
  }
  return out;
}

BoundLaw law_of_fit(const Json& fit, const std::string& where) {
  const auto name = fit.is_object() ? fit.find("law") : fit.end();
  if (!fit.is_object() || name == fit.end() || !name->is_string()) {
    throw Error(
        fmt::format("{}: names no .law; give the document that `bitlaw fit --json` prints", where));
  }
  if (const auto own = fit.find("formula"); own != fit.end() && own->is_object())
    return formula_law(law_formula_from(*own, where + ": formula"));
  const std::string& text = name->get_ref<const std::string&>();
  const Law* law = find_law(text);
  if (!law) {
    throw Error(fmt::format("{}: is a fit of {}, a law that this version does not know", where,
                            printable(text)));
  }
  // A registered law is owned until the program ends, as a compiled one is.
  return BoundLaw(std::shared_ptr<const Law>(std::shared_ptr<void>(), law));
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

}  // namespace

void register_law(const BoundLaw& law) {
  if (const Law* other = find_law(law.law().name)) {
    const LawFormula* own = definition_of(*other);
    if (own && law_formula_json(*own) == law_formula_json(*definition_of(law.law()))) return;
    throw Error(
        fmt::format("law {}: another law has that name; choose a different one", law.law().name));
  }
  registered().push_back(law);
}

std::vector<const Law*> registered_laws() {
  std::vector<const Law*> out;
  for (const BoundLaw& each : registered()) out.push_back(&each.law());
  return out;
}

}  // namespace bitlaw
