#include "laws/registry.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/isa.h"
#include "laws/bind.h"
#include "laws/formulas.h"

namespace bitlaw {
namespace {

Observation quantized_run() {
  Observation run;
  run.params = 3e7, run.tokens = 3e9;
  run.bits_weights = 6, run.bits_activations = 7, run.bits_kv = 5;
  return run;
}

Observation post_training_cell() {
  Observation run = quantized_run();
  run.bits_weights = run.bits_activations = run.bits_kv = kUnquantizedBits;
  run.bits_post = 4;
  return run;
}

TEST(Registry, NamesAreUniqueAndFound) {
  std::set<std::string> seen;
  for (const Law& law : laws()) {
    EXPECT_TRUE(seen.insert(law.name).second) << law.name;
    EXPECT_EQ(find_law(law.name), &law);
    EXPECT_GE(law.constants.size(), 1u);
    std::set<std::string> symbols;
    for (const Parameter& p : law.parameters) EXPECT_TRUE(symbols.insert(p.name).second) << p.name;
  }
  EXPECT_EQ(find_law("kumer"), nullptr);
  EXPECT_EQ(&law_named("kumar"), find_law("kumar"));
  EXPECT_THROW(law_named("kumer"), Error);
  EXPECT_EQ(parameter_index(*find_law("kumar"), "gamma_post"), 14);
  EXPECT_EQ(parameter_index(*find_law("kumar"), "gamma"), -1);
  EXPECT_EQ(find_constants(*find_law("chinchilla"), "")->values[0], 1.69337);
  EXPECT_EQ(find_constants(*find_law("chinchilla"), "besiroglu")->values[0], 1.8172);
}

TEST(Registry, TheDefaultKnowsBitsWhileTrainingAndAfter) {
  EXPECT_STREQ(default_law().name, "kumar");
  EXPECT_EQ(laws_with_delta(), "kumar, kumar-no-offsets, kumar-w-bracket or ouyang-qid");
}

TEST(Registry, PublishedValuesAreThoseOfTheFirstSet) {
  EXPECT_EQ(published_value(*find_law("kumar"), "gamma_w"), 2.6745);
  EXPECT_EQ(published_value(*find_law("quest"), "eff[W4A4]"), 0.691832);
  EXPECT_TRUE(std::isnan(published_value(*find_law("quest"), "eff[W5A5]")));
  EXPECT_TRUE(std::isnan(published_value(*find_law("kumar"), "gama_w")));
  EXPECT_TRUE(std::isnan(published_value(*find_law("kumar-deff"), "gamma_w")));  // a start
}

// L = E + A / (N share)^alpha + B / D^beta, to rounding.
TEST(Registry, AShareInClosedFormIsThatOfTheLoss) {
  for (const Law& law : laws()) {
    if (!law.has_share) continue;
    const std::span<const double> p = law.constants[0].values;
    const auto value = [&](const char* name) {
      return p[static_cast<size_t>(parameter_index(law, name))];
    };
    Observation run = quantized_run();
    for (const double bits : {3.0, 6.5, 16.0, kUnlimitedBits}) {
      run.bits_weights = bits;
      const double log_size = std::log(run.params) + log_share(law, p.data(), run);
      const double expected = value("E") + value("A") * std::exp(-value("alpha") * log_size) +
                              value("B") * std::exp(-value("beta") * std::log(run.tokens));
      EXPECT_NEAR(predict(law, p.data(), run), expected, 1e-12 * expected) << law.name;
    }
  }
}

TEST(Registry, TrainingParametersComeFirstAndPublishedValuesAreInRange) {
  for (const Law& law : laws()) {
    for (size_t j = 0; j < law.parameters.size(); ++j) {
      const Parameter& p = law.parameters[j];
      EXPECT_EQ(p.stage == Stage::kTraining, j < law.training_parameters)
          << law.name << " " << p.name;
      EXPECT_LE(p.low, p.start_low) << p.name;
      EXPECT_LT(p.start_low, p.start_high) << p.name;
      EXPECT_LE(p.start_high, p.high) << p.name;
      for (const ConstantSet& set : law.constants) {
        const double walked =
            p.scale == Scale::kTimesLast ? set.values[j] * set.values[j - 1] : set.values[j];
        EXPECT_GE(walked, p.low) << law.name << " " << p.name;
        EXPECT_LE(walked, p.high) << law.name << " " << p.name;
      }
    }
  }
}

// Every law, bound to the class of the run below, at its first constants.
struct AtConstants {
  explicit AtConstants(const Law& unbound)
      : bound(bind_law(unbound, std::vector{quantized_run()})) {
    p.assign(law().constants[0].values.begin(), law().constants[0].values.end());
    for (double& value : p) value = value == 1000 ? 0.5 : value;  // a smooth bracket
  }
  const Law& law() const { return bound.law(); }

  BoundLaw bound;
  std::vector<double> p;
};

struct Evaluated {
  double value;
  std::vector<double> gradient;
};

Evaluated evaluate(const Law& law, bool post, const std::vector<double>& p,
                   const Observation& run) {
  const Rows rows(law, std::vector{run});
  const size_t width = post ? law.parameters.size() : law.training_parameters;
  std::vector<double> values(rows.stride()), jacobian(width * rows.stride());
  (post ? evaluate_delta : evaluate_loss)(law, p.data(), rows, values.data(), jacobian.data());
  Evaluated out{values[0], {}};
  for (size_t j = 0; j < width; ++j) out.gradient.push_back(jacobian[j * rows.stride()]);
  return out;
}

TEST(Registry, DerivativesAgreeWithCentralDifferences) {
  for (const Law& unbound : laws()) {
    const AtConstants at(unbound);
    const Law& law = at.law();
    for (const bool post : {false, true}) {
      if (post && !law.has_delta) continue;
      const Observation run = post ? post_training_cell() : quantized_run();
      const Evaluated exact = evaluate(law, post, at.p, run);
      for (size_t j = 0; j < exact.gradient.size(); ++j) {
        // Relative steps of 6e-6 (the cube root of rounding) leave errors near 1e-10 of the value.
        const double h = 6e-6 * std::abs(at.p[j]);
        std::vector<double> up = at.p, down = at.p;
        up[j] += h, down[j] -= h;
        const double above = evaluate(law, post, up, run).value;
        const double below = evaluate(law, post, down, run).value;
        EXPECT_NEAR(exact.gradient[j] * at.p[j], (above - below) / (2 * h) * at.p[j],
                    1e-8 * std::abs(exact.value))
            << law.name << " " << law.parameters[j].name;
      }
    }
  }
}

TEST(Registry, LinearParametersAreLinear) {
  for (const Law& unbound : laws()) {
    const AtConstants at(unbound);
    for (size_t j = 0; j < at.law().parameters.size(); ++j) {
      const Parameter& parameter = at.law().parameters[j];
      if (!parameter.linear) continue;
      const bool post = parameter.stage == Stage::kPost;
      const Observation run = post ? post_training_cell() : quantized_run();
      std::vector<double> twice = at.p;
      twice[j] *= 2;
      const Evaluated one = evaluate(at.law(), post, at.p, run);
      const Evaluated two = evaluate(at.law(), post, twice, run);
      EXPECT_NEAR(two.value - one.value, at.p[j] * one.gradient[j], 1e-13 * std::abs(two.value))
          << at.law().name << " " << parameter.name;
    }
  }
}

// Eight rows at once in the batch's own exp and log, against one row in the C library's.
TEST(Registry, BatchesAgreeWithSingleRows) {
  for (const Law& unbound : laws()) {
    std::vector<Observation> runs;
    for (int i = 0; i < 19; ++i) {
      Observation run = i % 3 == 0 ? post_training_cell() : quantized_run();
      run.params *= 1 + i, run.tokens *= 1 + i % 5;
      if (i % 3 == 1) run.bits_weights = 3 + i % 7;
      runs.push_back(run);
    }
    const BoundLaw bound = bind_law(unbound, runs);
    const Law& law = bound.law();
    const std::span<const double> p = law.constants[0].values;
    const Rows rows(law, runs);
    ASSERT_EQ(rows.stride(), 24u);
    std::vector<double> loss(rows.stride()), with_gradient(rows.stride()),
        gradient(law.training_parameters * rows.stride()), delta(rows.stride());
    evaluate_loss(law, p.data(), rows, loss.data(), nullptr);
    evaluate_loss(law, p.data(), rows, with_gradient.data(), gradient.data());
    if (law.has_delta) evaluate_delta(law, p.data(), rows, delta.data(), nullptr);
    for (size_t i = 0; i < runs.size(); ++i) {
      const double one = predict(law, p.data(), runs[i]);
      // A few operations, each of which errs by 2^-52 or so, some of them in exponents near 20.
      EXPECT_NEAR(loss[i] + delta[i], one, 1e-13 * one) << law.name << " " << i;
      EXPECT_EQ(loss[i], with_gradient[i]) << law.name << " " << i;
    }
  }
}

TEST(Registry, EveryInstructionSetGivesTheSameBits) {
  struct Set {
    Isa isa;
    const Formulas* (*formulas)();
  };
  std::vector<Observation> runs(8, quantized_run());
  for (size_t i = 0; i < runs.size(); ++i) runs[i].params *= 1 + static_cast<double>(i);
  for (const Law& unbound : laws()) {
    const BoundLaw bound = bind_law(unbound, runs);
    const Law& law = bound.law();
    const Rows rows(law, runs);
    const RowsView view{.columns = rows.column(0),
                        .positions = rows.positions(0),
                        .size = rows.size(),
                        .stride = rows.stride(),
                        .class_count = static_cast<int>(law.classes.size()),
                        .first_of_class = law.classes.empty() ? 0 : law.classes[0].position};
    const auto run = [&](const Formulas* formulas) {
      std::vector<double> out((1 + law.training_parameters) * rows.stride());
      formulas[law.index].loss(law.constants[0].values.data(), view, out.data(),
                               out.data() + rows.stride());
      return out;
    };
    const std::vector<double> plain = run(formulas_plain());
    for (const Set& set : {Set{Isa::kAvx2, formulas_avx2}, Set{Isa::kAvx512, formulas_avx512}}) {
      if (set.isa <= best_isa()) {
        EXPECT_EQ(run(set.formulas()), plain) << law.name << " " << name_of(set.isa);
      }
    }
  }
}

// A law with a value per class, made for this test.
constexpr Parameter kEff{"eff", "share of the parameters", Scale::kLog, 1e-3, 10, .1, 1};

TEST(Bind, ClassesOfATableBecomeParameters) {
  Observation run = quantized_run();
  EXPECT_EQ(precision_class(run), "W6A7KV5");
  run.bits_kv = 16;
  EXPECT_EQ(precision_class(run), "W6A7");
  run.bits_activations = 16;
  EXPECT_EQ(precision_class(run), "W6A16");
  run.bits_weights = 1.58;
  EXPECT_EQ(precision_class(run), "W1.58A16");
  run.bits_weights = 16;
  EXPECT_EQ(precision_class(run), "");
  for (const char* name : {"16", "BF16", "NoQuantizer"}) {
    run.precision = name;
    EXPECT_EQ(precision_class(run), "") << name;
  }
  run.precision = "4WO";
  EXPECT_EQ(precision_class(run), "4WO");

  static const std::array parameters{ClassParameter{kEff, ClassAxis::kForward, 1}};
  static const std::array published{ClassValue{"eff", "4WO", .84}};
  const Law& plain = *find_law("chinchilla");
  const std::array sets{ConstantSet{"published", "here", plain.constants[0].values, published}};
  Law law = plain;
  law.class_parameters = parameters;
  law.constants = sets;
  Observation other = run, none;
  other.precision = "2WO";
  const BoundLaw bound = bind_law(law, std::vector{run, other, none, run});
  ASSERT_EQ(bound.law().parameters.size(), 7u);
  EXPECT_EQ(bound.law().training_parameters, 7u);
  EXPECT_STREQ(bound.law().parameters[5].name, "eff[2WO]");
  EXPECT_STREQ(bound.law().parameters[6].name, "eff[4WO]");
  EXPECT_EQ(bound.law().constants[0].values[6], .84);
  EXPECT_NEAR(bound.law().constants[0].values[5], std::sqrt(.1), 1e-15);
  EXPECT_EQ(class_position(bound.law(), 0, other), 5);
  EXPECT_EQ(class_position(bound.law(), 0, none), Rows::kReference);
  other.precision = "3WO";
  EXPECT_EQ(class_position(bound.law(), 0, other), Rows::kUnknownClass);
  const BoundLaw again = bind_names(law, {"E", "eff[4WO]", "A", "eff[2WO]"});
  ASSERT_EQ(again.law().classes.size(), 2u);
  EXPECT_EQ(again.law().classes[0].name, "2WO");
}

}  // namespace
}  // namespace bitlaw
