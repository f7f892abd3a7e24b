// Laws made from formulas: their values are those of the formula and their derivatives exact, the same
// law as the compiled one where it is spelled alike; every mistake is a sentence with its place.
#include "laws/formula_law.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <span>
#include <type_traits>

#include "base/error.h"
#include "base/isa.h"
#include "base/random.h"
#include "laws/dual.h"

namespace bitlaw {
namespace {

constexpr const char* kLikeChinchilla = "E + A/N^alpha + B/D^beta";
constexpr const char* kLikeKumar =
    "E + A/(N*(1-exp(-P_w/gamma_w+n_w))*(1-exp(-P_a/gamma_a+n_a))*(1-exp(-P_kv/gamma_kv+n_kv)))"
    "^alpha + B/D^beta";
constexpr const char* kLikeAdditiveExp =
    "E + A/N^alpha + B/D^beta + D^gamma_D/N^gamma_N*(k_w*exp(-P_w/gamma_w) + "
    "k_a*exp(-P_a/gamma_a) + k_kv*exp(-P_kv/gamma_kv))";

BoundLaw own(const std::string& formula, const std::string& constants = "",
             const std::string& inputs = "", const std::string& delta = "") {
  return formula_law({.formula = formula,
                      .delta = delta,
                      .constants = parse_law_constants(constants, "constants"),
                      .inputs = parse_law_inputs(inputs, "inputs")});
}

std::string mistake(const std::function<void()>& task) {
  try {
    task();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// 61 rows: two blocks, the second not full.
std::vector<Observation> some_rows() {
  std::vector<Observation> rows;
  for (int i = 0; i < 61; ++i) {
    const auto at = [&](int j) { return random_uniform(1, 0, static_cast<uint64_t>(10 * i + j)); };
    Observation run;
    run.params = std::pow(10, 5 + 6 * at(0)), run.tokens = std::pow(10, 7 + 6 * at(1));
    run.bits_weights = 3 + 13 * at(2), run.bits_activations = 4 + 12 * at(3);
    run.bits_kv = 4 + 12 * at(4);
    run.inputs = {{"num_experts", std::pow(2, std::floor(6 * at(5)))}, {"depth", 4.0 + i % 5}};
    run.loss_nats = 3;
    rows.push_back(run);
  }
  return rows;
}

struct Evaluated {
  std::vector<double> values, jacobian;
};

Evaluated evaluated(const Law& law, const std::vector<double>& p, const Rows& rows,
                    bool delta = false) {
  const size_t width = delta ? law.parameters.size() : law.training_parameters;
  Evaluated out{std::vector<double>(rows.stride()), std::vector<double>(rows.stride() * width)};
  (delta ? evaluate_delta : evaluate_loss)(law, p.data(), rows, out.values.data(),
                                           out.jacobian.data());
  return out;
}

double drawn(const Parameter& p, double share) {
  return p.scale == Scale::kLog ? p.start_low * std::pow(p.start_high / p.start_low, share)
                                : p.start_low + share * (p.start_high - p.start_low);
}

// The reference: the expression itself on dual numbers, name by name.
constexpr int kMostNames = 24;
using Reference = Dual<kMostNames>;

template <class Real>
Real reference_value(const Law& law, const std::string& text, const std::vector<double>& p,
                     const Observation& run) {
  const Expression formula(text);
  std::vector<Real> inputs;
  for (const std::string& name : formula.names()) {
    const int constant = parameter_index(law, name);
    if (constant >= 0) {
      inputs.emplace_back(p[static_cast<size_t>(constant)]);
      if constexpr (!std::is_same_v<Real, double>) inputs.back().d[constant] = 1;
      continue;
    }
    inputs.emplace_back(name == "N"         ? run.params
                        : name == "D"       ? run.tokens
                        : name == "C"       ? 6 * run.params * run.tokens
                        : name == "U"       ? run.tokens
                        : name == "P_w"     ? run.bits_weights
                        : name == "P_a"     ? run.bits_activations
                        : name == "P_kv"    ? run.bits_kv
                        : name == "experts" ? run.input("num_experts")
                                            : run.input(name));
  }
  return formula.value(std::span<const Real>(inputs));
}

struct Case {
  const char* formula;
  const char* constants = "";
  const char* inputs = "";
};
const Case kCases[] = {
    {kLikeChinchilla},
    {kLikeKumar,
     "gamma_w=1..3, n_w=-1..0.5, gamma_a=1..3, n_a=-1..0.5, gamma_kv=1..3, n_kv=-1..0.5"},
    {kLikeAdditiveExp},
    {"E + A/N^alpha + B/D^beta * exp(-k*experts)", "k=0..2", "experts=num_experts"},
    {"E + (A/C)^alpha + k*log(depth)/sqrt(U) - abs(q - r)", "k=0.1..2, q=-3..-1, r=0..1", "depth"},
    {"max(E, a*log2(N)) + min(k, log10(D)^m)", "E=1..1.5, a=0.2..3, k=1..2, m=2..3"},
    {"E + A*N^(-alpha) + B/D**beta + (P_w - 20)^2*k + (P_a-17)^-2*q", "k=0.01..1, q=1..2"},
    {"E^2 + A/((N/1M)^alpha + 3)^2.5 - -B*exp(-D^beta)", "B=1..2"},
};

TEST(FormulaLaw, ValuesAndDerivativesAreThoseOfTheExpression) {
  const std::vector<Observation> rows = some_rows();
  size_t compared = 0;
  for (const Case& each : kCases) {
    const BoundLaw law = own(each.formula, each.constants, each.inputs);
    for (int draw = 0; draw < 5; ++draw) {
      std::vector<double> p;
      for (const Parameter& parameter : law.law().parameters)
        p.push_back(drawn(parameter, random_uniform(2, static_cast<uint64_t>(draw), p.size())));
      const Rows inputs(law.law(), rows);
      const Evaluated fast = evaluated(law.law(), p, inputs);
      for (size_t i = 0; i < rows.size(); ++i) {
        const double exact = reference_value<double>(law.law(), each.formula, p, rows[i]);
        // A dozen operations, each to a few units in the last place; exponents magnify them by at
        // most alpha log N, 40.
        const double size = 1 + std::fabs(exact);
        EXPECT_NEAR(fast.values[i], exact, 1e-13 * size) << each.formula;
        EXPECT_NEAR(predict(law.law(), p.data(), rows[i]), exact, 1e-13 * size);
        const auto dual = reference_value<Reference>(law.law(), each.formula, p, rows[i]);
        // Dual numbers take (P_w - 20)^2 through a logarithm that it does not have.
        if (std::isnan(dual.value)) continue;
        ++compared;
        for (size_t j = 0; j < p.size(); ++j) {
          EXPECT_NEAR(fast.jacobian[j * inputs.stride() + i], dual.d[j],
                      1e-12 * (std::fabs(dual.d[j]) + size))
              << each.formula << " by " << law.law().parameters[j].name;
        }
      }
    }
  }
  EXPECT_EQ(compared, 7 * 5 * rows.size()) << "all cases but the one with a negative base";
}

TEST(FormulaLaw, DerivativesAreThoseOfTheValues) {
  const std::vector<Observation> rows = some_rows();
  for (const Case& each : kCases) {
    const BoundLaw law = own(each.formula, each.constants, each.inputs);
    std::vector<double> p;
    for (const Parameter& parameter : law.law().parameters)
      p.push_back(drawn(parameter, 0.3 + 0.05 * static_cast<double>(p.size())));
    const Rows inputs(law.law(), rows);
    const Evaluated at = evaluated(law.law(), p, inputs);
    for (size_t j = 0; j < p.size(); ++j) {
      const double h = 1e-5 * std::max(1e-3, std::fabs(p[j]));
      std::vector<double> up = p, down = p;
      up[j] += h, down[j] -= h;
      const Evaluated above = evaluated(law.law(), up, inputs);
      const Evaluated below = evaluated(law.law(), down, inputs);
      for (size_t i = 0; i < rows.size(); ++i) {
        const double slope = (above.values[i] - below.values[i]) / (2 * h);
        // Rounding of the values over h, and h^2 of the third derivative.
        EXPECT_NEAR(at.jacobian[j * inputs.stride() + i], slope,
                    1e-5 * std::fabs(slope) + 1e-14 * std::fabs(at.values[i]) / h + 1e-7)
            << each.formula << " by " << law.law().parameters[j].name;
      }
    }
  }
}

TEST(FormulaLaw, EveryInstructionSetGivesTheSameBits) {
  const std::vector<Observation> rows = some_rows();
  for (const Case& each : kCases) {
    const BoundLaw law = own(each.formula, each.constants, each.inputs);
    const Tape& tape = law.law().own->loss();
    std::vector<double> p;
    for (const Parameter& parameter : law.law().parameters) p.push_back(drawn(parameter, 0.4));
    const Rows inputs(law.law(), rows);
    const int width = static_cast<int>(p.size());
    const TapeView view{tape.steps().data(), static_cast<int>(tape.steps().size()), width};
    std::vector<double> scratch(kTapeScratch * kTapeBlock * tape.steps().size());
    Evaluated plain;
    for (const auto& [isa, evaluate] : {std::pair{Isa::kPlain, kEvaluateTapePlain},
                                        {Isa::kAvx2, kEvaluateTapeAvx2},
                                        {Isa::kAvx512, kEvaluateTapeAvx512}}) {
      if (isa > best_isa()) continue;
      Evaluated out{std::vector<double>(inputs.stride()),
                    std::vector<double>(inputs.stride() * p.size())};
      evaluate(view, p.data(), inputs.column(0), inputs.stride(), out.values.data(),
               out.jacobian.data(), scratch.data());
      if (isa == Isa::kPlain) plain = out;
      EXPECT_EQ(out.values, plain.values) << each.formula;
      EXPECT_EQ(out.jacobian, plain.jacobian) << each.formula;
    }
  }
}

// Constants in the order of another law, by name.
std::vector<double> reordered(const Law& from, const std::vector<double>& p, const Law& to) {
  std::vector<double> out;
  for (const Parameter& each : to.parameters)
    out.push_back(p[static_cast<size_t>(parameter_index(from, each.name))]);
  return out;
}

TEST(FormulaLaw, SpelledLikeACompiledLawItIsThatLaw) {
  const std::vector<Observation> rows = some_rows();
  for (const auto& [name, formula] : {std::pair{"chinchilla", kLikeChinchilla},
                                      {"kumar", kLikeKumar},
                                      {"additive-exp", kLikeAdditiveExp}}) {
    const Law& compiled = law_named(name);
    const BoundLaw made = own(formula);
    EXPECT_EQ(made.law().training_parameters, compiled.training_parameters) << name;
    EXPECT_EQ(made.law().uses_bits, compiled.uses_bits) << name;
    const std::vector<double> p(compiled.constants[0].values.begin(),
                                compiled.constants[0].values.end());
    const std::vector<double> q = reordered(compiled, p, made.law());
    const Rows inputs(compiled, rows);
    const Evaluated a = evaluated(compiled, p, inputs), b = evaluated(made.law(), q, inputs);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (a.values[i] > 1e3) continue;  // kumar goes on by its tangent where f is below 1/1000
      EXPECT_NEAR(b.values[i] / a.values[i], 1, 1e-13) << name;
      for (size_t j = 0; j < q.size(); ++j) {
        const Parameter& parameter = made.law().parameters[j];
        const size_t in_a = static_cast<size_t>(parameter_index(compiled, parameter.name));
        const double slope = a.jacobian[in_a * inputs.stride() + i];
        // 1 + (exp(u) - 1), from which the compiled law has its slope, is rounded at 1.
        EXPECT_NEAR(b.jacobian[j * inputs.stride() + i], slope,
                    1e-11 * std::fabs(slope) + 1e-13 * a.values[i])
            << name << " by " << parameter.name;
      }
    }
    for (const Parameter& parameter : made.law().parameters) {
      const Parameter& other =
          compiled.parameters[static_cast<size_t>(parameter_index(compiled, parameter.name))];
      EXPECT_EQ(parameter.linear, other.linear) << name << " " << parameter.name;
      EXPECT_EQ(parameter.scale, other.scale) << name << " " << parameter.name;
      EXPECT_EQ(parameter.needs.of, other.needs.of) << name << " " << parameter.name;
    }
  }
}

TEST(FormulaLaw, ADeltaIsAFormulaOfItsOwn) {
  const BoundLaw law =
      own(kLikeChinchilla, "", "", "C_T*exp(-P_post/gamma_post)*D^gamma_D/N^gamma_N");
  EXPECT_TRUE(law.law().has_delta);
  EXPECT_EQ(law.law().training_parameters, 5u);
  ASSERT_EQ(law.law().parameters.size(), 9u);
  std::vector<double> p{2, 100, 200, 0.3, 0.3, 0.01, 0.6, 0.4, 0.3};
  p = {2, 100, 0.3, 200, 0.3, 0.01, 0.6, 0.4, 0.3};  // in the order of the formula
  Observation run;
  run.params = 1e6, run.tokens = 1e8;
  const double before = predict(law.law(), p.data(), run);
  run.bits_post = 3;
  const double expected = 0.01 * std::exp(-3 / 0.6) * std::pow(1e8, 0.4) / std::pow(1e6, 0.3);
  EXPECT_NEAR(predict_delta(law.law(), p.data(), run), expected, 1e-14);
  EXPECT_NEAR(predict(law.law(), p.data(), run) - before, expected, 1e-14);
  const Rows rows(law.law(), std::vector{run});
  const Evaluated made = evaluated(law.law(), p, rows, true);
  EXPECT_NEAR(made.values[0], expected, 1e-14);
  EXPECT_NEAR(made.jacobian[5 * rows.stride()], expected / 0.01, 1e-12);
  EXPECT_EQ(made.jacobian[0], 0) << "the loss's constants are not the delta's";
}

TEST(FormulaLaw, ARangeSaysHowAConstantIsFitted) {
  const BoundLaw law =
      own("E + A/N^alpha + k/D^q + s*exp(-r*experts)",
          "E=0..5, alpha=0..2, k=1..100, q=0.1..1, s=-1..1, r=0.5", "experts=num_experts");
  const auto of = [&](const char* name) {
    return law.law().parameters[static_cast<size_t>(parameter_index(law.law(), name))];
  };
  EXPECT_EQ(of("E").scale, Scale::kLog) << "a usual constant above zero stays so";
  EXPECT_EQ(of("E").high, 5);
  EXPECT_GT(of("E").low, 0);
  EXPECT_EQ(of("alpha").start_low, 0.05);
  EXPECT_EQ(of("alpha").start_high, 1);
  EXPECT_EQ(of("k").scale, Scale::kLog);
  EXPECT_TRUE(of("k").linear);
  EXPECT_EQ(of("s").scale, Scale::kLinear);
  EXPECT_EQ(of("s").start_low, -1);
  EXPECT_EQ(of("r").low, of("r").high) << "a number is no range";
  EXPECT_EQ(of("q").needs.of, Quantity::kTokens);
  EXPECT_EQ(of("r").needs.of, Quantity::kInput);
  EXPECT_STREQ(of("r").needs.column, "num_experts");
  EXPECT_EQ(law.law().inputs.size(), 1u);
}

TEST(FormulaLaw, AMistakeHasItsPlaceAndTheNextStep) {
  const auto said = [](const std::string& formula, const std::string& constants = "",
                       const std::string& inputs = "", const std::string& delta = "") {
    return mistake([&] { own(formula, constants, inputs, delta); });
  };
  for (const auto& [error, words] : std::vector<std::pair<std::string, std::string>>{
           {said("E + A/N^alhpa"),
            "alhpa is neither a constant nor a quantity of a run (did you "
            "mean alpha?) at character 9, before 'alhpa'"},
           {said("E + A/N^alhpa"), "--constants 'alhpa=0..10'"},
           {said("E + zeta*N"), "--inputs zeta=COLUMN"},
           {said("E + A/N^"), "at its end"},
           {said("E + foo(N)"), "unknown function 'foo'"},
           {said("E", "N=0..5"), "N is parameters, so no constant"},
           {said("E", "k=0..5"), "unknown constant 'k'"},
           {said("E", "", "k=x"), "unknown input 'k'"},
           {said("E", "E=0..5,E=0..6"), "E is given twice"},
           {said("E", "E=5..0"), "lower end must be below"},
           {said("E", "E=a..b"), "is no range; write E=0..5"},
           {said("E", "E"), "E is not NAME=LOW..HIGH"},
           {said("E + P_post"), "P_post says nothing of a loss before it at character 5"},
           {said("N/D"), "has no constant to fit"},
           {said("E", "", "", "E*P_post"), "has no constant of its own"},
           {said(std::string(5000, '1')), "has 5000 characters"},
       }) {
    EXPECT_NE(error.find(words), std::string::npos) << "'" << error << "' lacks '" << words << "'";
  }
}

TEST(FormulaLaw, HostileFormulasAreRefused) {
  EXPECT_NE(mistake([] { own(std::string(3000, '(') + "E"); }), "");
  EXPECT_NE(mistake([] { own(std::string(3000, '-') + "E"); }), "");
  std::string formula = "c0", constants = "c0=0..1";
  for (int i = 1; i < 200; ++i) {
    formula += fmt::format("+c{}", i);
    constants += fmt::format(",c{}=0..1", i);
  }
  EXPECT_NE(mistake([&] { own(formula, constants); }).find("at most"), std::string::npos);
  EXPECT_NE(mistake([] { formula_law({.name = "a/b", .formula = "E"}); }), "");
}

TEST(FormulaLaw, ADocumentGivesTheSameLaw) {
  LawFormula law{.name = "moe",
                 .title = "Experts",
                 .source = "ours",
                 .formula = "E + A/N^alpha + B/D^beta*exp(-k*experts)",
                 .constants = parse_law_constants("E=0..5,k=0.1..3,beta=0.5", "constants"),
                 .inputs = parse_law_inputs("experts=num_experts", "inputs")};
  law.constants[1].value = 1.0 / 3;
  const Json document = law_formula_json(law);
  const LawFormula again = law_formula_from(document, "there");
  EXPECT_EQ(law_formula_json(again), document);
  EXPECT_EQ(definition_of(formula_law(again).law())->constants.size(), 3u);
  EXPECT_EQ(law_formula_from(parse_json(R"({"name": "x", "formula": "E+k*d", "constants": "k=0..1",
                                            "inputs": "d=depth"})",
                                        "there"),
                             "there")
                .inputs[0]
                .column,
            "depth");
  for (const char* wrong : {R"({"name": "x"})", R"({"name": "x", "formula": 3})",
                            R"({"name": "x", "formula": "E", "constants": [1]})",
                            R"({"name": "x", "formula": "E", "constnats": "E=0..5"})",
                            R"({"name": "x", "formula": "E", "values": {"E": "two"}})"}) {
    EXPECT_NE(mistake([&] { law_formula_from(parse_json(wrong, "there"), "there"); }), "") << wrong;
  }
}

TEST(FormulaLaw, AColumnOfTheTableIsAnInputByItsName) {
  const std::vector<std::string> columns{"N", "depth", "k"};
  const LawFormula law = with_columns(
      {.formula = "E + k*depth", .constants = parse_law_constants("k=0..1", "constants")}, columns);
  ASSERT_EQ(law.inputs.size(), 1u);
  EXPECT_EQ(law.inputs[0].column, "depth");
}

TEST(FormulaLaw, ARegisteredLawIsFoundByItsName) {
  const BoundLaw law = formula_law({.name = "registered-for-a-test", .formula = "E + A/N^alpha"});
  EXPECT_EQ(find_law("registered-for-a-test"), nullptr);
  register_law(law);
  register_law(law);  // the same once more
  EXPECT_EQ(find_law("registered-for-a-test"), &law.law());
  EXPECT_NE(
      mistake([] {
        register_law(formula_law({.name = "registered-for-a-test", .formula = "E + A/D^alpha"}));
      }),
      "");
  EXPECT_NE(mistake([] { register_law(formula_law({.name = "kumar", .formula = "E"})); }), "");
}

TEST(FormulaLaw, ARowWithoutAnInputHasNoPrediction) {
  const BoundLaw law = own("E + k*depth", "k=0..1", "depth");
  const std::vector<double> p{2, 0.5};
  Observation run;
  run.params = 1e6, run.tokens = 1e8;
  EXPECT_TRUE(std::isnan(predict(law.law(), p.data(), run)));
  run.inputs = {{"depth", 4}};
  EXPECT_EQ(predict(law.law(), p.data(), run), 4);
}

// Clark et al.: 5 M parameters with 128 experts are worth a dense model of 55 M, the benefit ends at
// 937 B, 85 B and 83 B parameters, and the dense law is (3.568e13 / N)^.078.
TEST(PublishedFormulas, ClarksNumbersComeOut) {
  const auto loss = [](const char* name, double params, double experts) {
    const Law& law = law_named(name);
    Observation run;
    run.params = params, run.tokens = 130e9;
    run.inputs = {{"experts", experts}};
    return predict(law, law.constants[0].values.data(), run);
  };
  EXPECT_NEAR(loss("clark", 1e9, 1) / std::pow(3.568e4, 0.078), 1, 0.02);
  EXPECT_NEAR(loss("clark", 5e6, 128) / loss("clark", 52e6, 1), 1, 1e-3);
  struct Row {
    const char* name;
    double cutoff;
  };
  for (const Row& row : {Row{"clark", 937e9}, Row{"clark-rl", 85e9}, Row{"clark-hash", 83e9}}) {
    EXPECT_LT(loss(row.name, row.cutoff / 10, 64), loss(row.name, row.cutoff / 10, 1)) << row.name;
    EXPECT_GT(loss(row.name, row.cutoff * 10, 64), loss(row.name, row.cutoff * 10, 1)) << row.name;
  }
  // More experts than E_max add nothing.
  EXPECT_NEAR(loss("clark", 1e9, 1e12), loss("clark", 1e9, 1e13), 1e-9);
}

TEST(PublishedFormulas, ApplesPenaltyFallsWithQuantizedTokens) {
  const Law& law = law_named("apple-qat");
  EXPECT_FALSE(law.constants[0].is_published()) << "its constants are not known";
  const auto loss = [&](double qat) {
    Observation run;
    run.params = 1e8, run.tokens = 1e10, run.bits_weights = 4;
    run.inputs = {{"D_qat", qat}};
    return predict(law, law.constants[0].values.data(), run);
  };
  EXPECT_GT(loss(1e7), loss(1e8));
  EXPECT_TRUE(std::isfinite(loss(1e10))) << "all of training quantized";
}

}  // namespace
}  // namespace bitlaw
