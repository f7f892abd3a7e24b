#include "laws/formula_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "laws/common_parameters.h"

namespace bitlaw {
namespace {

using namespace formula_column;

// More than any law has: what is longer is a mistake, or meant to take for ever.
constexpr size_t kLongestFormula = 4000, kLongestName = 60;

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

}  // namespace

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

int find_input(const LawFormula& law, std::string_view name) {
  for (size_t i = 0; i < law.inputs.size(); ++i) {
    if (name == law.inputs[i].name) return static_cast<int>(i);
  }
  return -1;
}

std::string formula_label(const LawFormula& law, bool of_delta) {
  const char* const what = of_delta ? "delta formula" : "formula";
  return law.name == "formula" ? what : fmt::format("law {}: {}", law.name, what);
}

Expression parse_formula(const LawFormula& law, bool of_delta) {
  const std::string& text = of_delta ? law.delta : law.formula;
  if (text.size() > kLongestFormula) {
    throw Error(fmt::format("{}: has {} characters; a formula has at most {}",
                            formula_label(law, of_delta), text.size(), kLongestFormula));
  }
  return Expression(text, formula_label(law, of_delta));
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

namespace {

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

}  // namespace

void check_definition(const LawFormula& law, std::span<const Expression> formulas) {
  check_name(law.name);
  const std::string where = formula_label(law, false);
  if (law.constants.size() > kMostFormulaConstants || law.inputs.size() > kMostFormulaInputs) {
    throw Error(fmt::format("{}: has {} constants and {} inputs; at most {} and {} can be fitted",
                            where, law.constants.size(), law.inputs.size(), kMostFormulaConstants,
                            kMostFormulaInputs));
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

std::span<const FormulaQuantity> quantities_of_formulas() {
  return kQuantities;
}

LawFormula with_columns(LawFormula law, std::span<const std::string> columns) {
  for (const bool of_delta : {false, true}) {
    if (of_delta && law.delta.empty()) continue;
    const Expression formula = parse_formula(law, of_delta);
    for (const std::string& name : formula.names()) {
      const bool known = find_constant(law, name) || find_input(law, name) >= 0 ||
                         known_quantity(name) || known_constant(name);
      if (!known && std::find(columns.begin(), columns.end(), name) != columns.end())
        law.inputs.push_back({name, name});
    }
  }
  return law;
}

}  // namespace bitlaw
