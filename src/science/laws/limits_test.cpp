// What follows from the formulas themselves: limits, directions, and numbers that the authors
// print.
#include <gtest/gtest.h>

#include <cmath>
#include <string_view>

#include "laws/bind.h"
#include "laws/forms/chinchilla.h"
#include "laws/forms/muennighoff.h"
#include "laws/forms/quest.h"
#include "laws/forms/sun_fp.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

Observation run_of(double params, double tokens, double bits = kUnquantizedBits) {
  Observation run;
  run.params = params, run.tokens = tokens;
  run.bits_weights = run.bits_activations = run.bits_kv = bits;
  return run;
}

double predicted(const char* name, const Observation& run) {
  const BoundLaw bound = bind_law(*find_law(name), std::span<const Observation>(&run, 1));
  return predict(bound.law(), bound.law().constants[0].values.data(), run);
}

// E + A / N^alpha + B / D^beta with a law's own constants of these names.
double without_bits(const Law& law, const Observation& run) {
  const auto value = [&](const char* name) {
    return law.constants[0].values[static_cast<size_t>(parameter_index(law, name))];
  };
  return value("E") + value("A") * std::pow(run.params, -value("alpha")) +
         value("B") * std::pow(run.tokens, -value("beta"));
}

TEST(Limits, UnlimitedBitsLeaveChinchillasLaw) {
  for (const char* name : {"kumar", "kumar-no-offsets", "kumar-w-bracket", "kumar-parts",
                           "kumar-additive", "kumar-deff", "kumar-both-tied", "kumar-both-untied",
                           "kumar-multiplicative", "panferov", "additive-exp", "ouyang-qid"}) {
    const Observation run = run_of(2e8, 3e10, kUnlimitedBits);
    const double expected = without_bits(*find_law(name), run);
    EXPECT_NEAR(predicted(name, run), expected, 1e-14 * expected) << name;
  }
}

// Where a law says that BF16 is the reference, not that it is 16 bits.
TEST(Limits, SixteenBitsLeaveChinchillasLaw) {
  for (const char* name :
       {"quest", "panferov", "chen-qat", "kumar-multiplicative", "additive-class", "ouyang-qid"}) {
    const Observation run = run_of(2e8, 3e10);
    const double expected = without_bits(*find_law(name), run);
    EXPECT_NEAR(predicted(name, run), expected, 1e-14 * expected) << name;
  }
  EXPECT_NEAR(predicted("frantar-eff", run_of(2e8, 3e10)),
              predicted("chinchilla", run_of(2e8, 3e10)), 1e-14);
}

TEST(Limits, MoreBitsNeverHurt) {
  for (const Law& law : laws()) {
    if (!law.uses_bits || law.predicts != Predicts::kLoss || !law.class_parameters.empty())
      continue;
    for (const int part : {0, 1, 2}) {
      double before = INFINITY;
      for (double bits = 2.5; bits <= 16; bits += 0.25) {
        Observation run = run_of(2e8, 3e10);
        (part == 0 ? run.bits_weights : part == 1 ? run.bits_activations : run.bits_kv) = bits;
        const double loss = predicted(law.name, run);
        // sun-fp takes whatever has 16 bits as BF16 and everything below as an integer.
        EXPECT_LE(loss, before) << law.name << " part " << part << " at " << bits << " bits";
        before = loss;
      }
    }
  }
}

TEST(Limits, ClassesOrderAsPublished) {
  for (const char* name : {"quest", "frantar-eff"}) {
    Observation full = run_of(2e8, 3e10), weights = full, both = full;
    weights.bits_weights = 4;
    both.bits_weights = both.bits_activations = 4;
    EXPECT_LT(predicted(name, full), predicted(name, weights)) << name;
    EXPECT_LT(predicted(name, weights), predicted(name, both)) << name;
  }
}

// eff is a share of parameters: a model of N eff parameters in BF16 has the same loss.
TEST(Quest, EffIsAShareOfParameters) {
  for (const ClassValue& known : Quest::kPublishedClasses) {
    Observation run = run_of(4e8, 4e10);
    run.precision = known.name;
    EXPECT_NEAR(predicted("quest", run), predicted("quest", run_of(4e8 * known.value, 4e10)), 1e-14)
        << known.name;
  }
}

TEST(Quartet, ForwardCostsParametersAndBackwardCostsData) {
  Observation forward = run_of(2e8, 2e10), backward = forward;
  forward.precision = backward.backward = "MXFP4";
  EXPECT_NEAR(predicted("quartet", forward), predicted("quartet", run_of(2e8 * .64516309, 2e10)),
              1e-14);
  EXPECT_NEAR(predicted("quartet", backward), predicted("quartet", run_of(2e8, 2e10 * .89346852)),
              1e-14);
}

// Below 1e-2 of the published constants' digits: with A = 521, B = 1488 and equal exponents,
// N_opt = (521 / 1488)^(1 / .35266) U = .0510 U.
TEST(Muennighoff, WithoutRepetitionsAndExcessItIsChinchillas) {
  const Law& law = *find_law("muennighoff");
  Observation run = run_of(0.0509 * 1e10, 1e10);
  EXPECT_NEAR(predicted("muennighoff", run), without_bits(law, run), 1e-14);
  run.params = 0.0511 * 1e10;
  EXPECT_GT(predicted("muennighoff", run), without_bits(law, run));
}

// "Up to four epochs of repeated data are almost as good as new data": D' of 4 U is 3.73 U. In the
// limit of many, D' is (1 + R*_D) U.
TEST(Muennighoff, RepeatedTokensAreWorthLessAndLess) {
  const auto& p = Muennighoff::kPublished;
  const double U = 1e10, N = 1e8;
  const auto effective = [&](double epochs) {
    Observation run = run_of(N, epochs * U);
    run.unique_tokens = U;
    const double rest =
        p[Muennighoff::kE] + p[Muennighoff::kA] * std::pow(N, -p[Muennighoff::kAlpha]);
    return std::pow((predicted("muennighoff", run) - rest) / p[Muennighoff::kB],
                    -1 / p[Muennighoff::kBeta]);
  };
  EXPECT_NEAR(effective(1) / U, 1, 1e-9);
  EXPECT_NEAR(effective(4) / U, 3.726, 5e-4);
  EXPECT_NEAR(effective(1e6) / U, 1 + 15.3878, 1e-6);
  // A run that has more parameters than its distinct tokens deserve is not better than a smaller
  // one by much: N' stops at (1 + R*_N) N_opt(U).
  Observation huge = run_of(1e15, U), large = run_of(1e14, U);
  EXPECT_NEAR(predicted("muennighoff", huge), predicted("muennighoff", large), 1e-12);
}

// The authors: from 768 to 1.5 B parameters D >= 5000 N^0.74 keeps the loss within 2 % of unlimited
// data, and the exponent is alpha_N / alpha_D.
TEST(Kaplan, DataThatKeepsTheLossWithinTwoPercent) {
  for (const double params : {1e6, 1e8, 1e10}) {
    const double enough = 5e3 * std::pow(params, 0.74);
    const double excess =
        predicted("kaplan", run_of(params, enough)) / predicted("kaplan", run_of(params, 1e30)) - 1;
    EXPECT_NEAR(excess, 0.02, 0.005) << params;
  }
  // With unlimited data (N_c / N)^alpha_N, with an unlimited model (D_c / D)^alpha_D.
  EXPECT_NEAR(predicted("kaplan", run_of(1e9, 1e300)), std::pow(6.4e4, 0.076), 1e-12);
  EXPECT_NEAR(predicted("kaplan", run_of(1e300, 1e9)), std::pow(1.8e4, 0.103), 1e-12);
}

// The critical data size: past it more tokens make the loss worse. d/dD of d / D^beta + D^beta /
// N^alpha log2(B) / r vanishes at D = (d N^alpha r / log2 B)^(1 / (2 beta)). The authors: at 1 B
// parameters and blocks of 128, 1730 T tokens in BF16, 27 T in E4M3, 0.4 T in E2M1.
TEST(SunFp, CriticalDataSize) {
  struct Row {
    double exponent, mantissa, tokens, half_digit;
  };
  for (const Row& row :
       {Row{8, 7, 1730e12, 5e12}, Row{4, 3, 27e12, 0.5e12}, Row{2, 1, 0.4e12, 0.05e12}}) {
    const auto loss = [&](double tokens) {
      Observation run = run_of(1e9, tokens, 1 + row.exponent + row.mantissa);
      run.exponent_bits = row.exponent, run.mantissa_bits = row.mantissa, run.group = 128;
      return predicted("sun-fp", run);
    };
    double low = 1e9, high = 1e18;  // the loss falls, then rises
    while (high / low > 1 + 1e-6) {
      const double third = std::cbrt(high / low);
      (loss(low * third) < loss(high / third) ? high : low) *=
          loss(low * third) < loss(high / third) ? 1 / third : third;
    }
    EXPECT_NEAR(low, row.tokens, row.half_digit);
  }
}

// The share is exp(-c / log S): a tenth at S = 18.6, half only at 16,500 tokens per byte.
TEST(AppleQatFraction, GrowsWithTokensPerByte) {
  const auto share = [](double S, double bits) {
    return predicted("apple-qat-fraction", run_of(1e8, S * 1e8 * bits / 8, bits));
  };
  EXPECT_NEAR(share(std::exp(6.7297 / std::log(10)), 4), 0.1, 1e-12);
  EXPECT_NEAR(share(std::exp(6.7297 / std::log(2)), 1), 0.5, 1e-12);
  double before = -1;
  for (const double S : {0.1, 1.0, 2.0, 10.0, 100.0, 1e4, 1e8}) {
    EXPECT_GE(share(S, 4), before);
    EXPECT_LT(share(S, 4), 1);
    before = share(S, 4);
  }
  EXPECT_EQ(share(1, 4), 0);
}

TEST(Gadre, IsChinchillasLawWithBothExponentsTwoEta) {
  const Law& law = *find_law("gadre");
  for (const ConstantSet& set : law.constants) {
    const double a = set.values[0], b = set.values[1], eta = set.values[2], E = set.values[3];
    for (const Observation& run : {run_of(1.1e7, 2.2e8), run_of(6.9e9, 1.4e11)}) {
      const double expected = E + a * std::pow(6.0, -eta) * std::pow(run.params, -2 * eta) +
                              b * std::pow(6.0, -eta) * std::pow(run.tokens, -2 * eta);
      EXPECT_NEAR(predict(law, set.values.data(), run), expected, 1e-14 * expected) << set.name;
    }
  }
}

TEST(ChenQat, ErrorOfAGroupOfOneIsNothingAndOfAnUnknownOneAPartOfK) {
  Observation run = run_of(3e8, 5e10);
  run.bits_weights = run.bits_activations = 4;
  Observation unquantized = run_of(3e8, 5e10);
  const double base = predicted("chen-qat", unquantized);
  unquantized.group = 64;
  EXPECT_EQ(predicted("chen-qat", unquantized), base);
  run.group = 1;
  EXPECT_NEAR(predicted("chen-qat", run), base, 1e-6);
  run.group = 2;
  const double of_two = predicted("chen-qat", run);
  EXPECT_GT(of_two, base);
  run.group = kUnknown;
  EXPECT_NEAR(predicted("chen-qat", run), of_two, 1e-15);
  run.group = 256;
  EXPECT_GT(predicted("chen-qat", run), of_two);
}

TEST(KumarWBracket, RoundingWeightsCostsWhateverOtherPartsHad) {
  const Law &ours = *find_law("kumar-w-bracket"), &kumar = *find_law("kumar");
  const auto delta = [](const Law& law, const Observation& run) {
    return predict_delta(law, law.constants[0].values.data(), run);
  };
  Observation run = run_of(1e8, 1e10);
  run.bits_post = 4;
  EXPECT_DOUBLE_EQ(delta(ours, run), delta(kumar, run)) << "nothing else is rounded";
  for (double Observation::*part : {&Observation::bits_activations, &Observation::bits_kv}) {
    Observation coarse = run;
    coarse.*part = 4;
    EXPECT_EQ(delta(kumar, coarse), 0);
    EXPECT_GT(delta(ours, coarse), delta(ours, run)) << "N_eff is smaller";
  }
  run.bits_weights = 4;
  EXPECT_EQ(delta(ours, run), 0);
}

TEST(OuyangQid, IsThereOnlyWhereTrainingHadMoreBits) {
  const Law& law = *find_law("ouyang-qid");
  const double* p = law.constants[0].values.data();
  Observation run = run_of(1e9, 1e11);
  EXPECT_EQ(predict_delta(law, p, run), 0);
  run.bits_post = 4;
  EXPECT_GT(predict_delta(law, p, run), 0);
  run.bits_weights = 4;
  EXPECT_EQ(predict_delta(law, p, run), 0);
}

}  // namespace
}  // namespace bitlaw
