#include "quantize/paired.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace bitlaw {
namespace {

TEST(PairedDifference, WithClustersOfOneTokenIsTheUsualStandardError) {
  const std::vector<float> losses{3, 1, 4, 1.5, 5},
      baseline{1, 1, 2, 1, 7};  // differences 2 0 2 .5 -2
  const PairedDifference paired =
      paired_difference(losses, baseline, std::vector<int64_t>{0, 1, 2, 3, 4});
  EXPECT_EQ(paired.mean, 0.5);
  EXPECT_EQ(paired.tokens, 5);
  EXPECT_EQ(paired.clusters, 5);
  EXPECT_EQ(paired.losses_mean, 2.9);
  EXPECT_EQ(paired.baseline_mean, 2.4);
  const double squares = 2.25 + 0.25 + 2.25 + 0 + 6.25;
  EXPECT_DOUBLE_EQ(paired.standard_error, std::sqrt(squares / 4 / 5));
}

TEST(PairedDifference, EqualModelsDifferByNothing) {
  const std::vector<float> losses{3, 1, 4, 1.5, 5, 9};
  const PairedDifference paired = paired_difference(losses, losses, std::vector<int64_t>{0, 0, 1});
  EXPECT_EQ(paired.mean, 0);
  EXPECT_EQ(paired.standard_error, 0);
  EXPECT_EQ(paired.clusters, 2);
}

TEST(PairedDifference, OneClusterHasNoStandardError) {
  const std::vector<float> losses{3, 1}, baseline{1, 1};
  EXPECT_TRUE(
      std::isnan(paired_difference(losses, baseline, std::vector<int64_t>{4}).standard_error));
}

// Differences of tokens = 0.1 + what their document has in common + noise of their own.
TEST(PairedDifference, StandardErrorIsTheSpreadOfTheMeanUnderCorrelation) {
  constexpr int kStudies = 2000, kDocuments = 60;
  constexpr size_t kTokens = 8;  // of a window
  double sum = 0, squares = 0, claimed = 0, claimed_without_clusters = 0;
  for (int study = 0; study < kStudies; ++study) {
    std::vector<float> losses, baseline;
    std::vector<int64_t> cluster, window;
    uint64_t draw = 0;
    const auto seed = static_cast<uint64_t>(study);
    for (int document = 0; document < kDocuments; ++document) {
      const double common = 0.3 * random_normal(seed, 1, static_cast<uint64_t>(document));
      const uint64_t windows = 1 + random_below(seed, 2, static_cast<uint64_t>(document), 4);
      for (uint64_t w = 0; w < windows; ++w) {
        cluster.push_back(document);
        window.push_back(static_cast<int64_t>(window.size()));
        for (size_t t = 0; t < kTokens; ++t, ++draw) {
          baseline.push_back(static_cast<float>(3 + random_normal(seed, 3, draw)));
          losses.push_back(baseline.back() +
                           static_cast<float>(0.1 + common + 0.3 * random_normal(seed, 4, draw)));
        }
      }
    }
    const PairedDifference paired = paired_difference(losses, baseline, cluster);
    sum += paired.mean - 0.1;
    squares += (paired.mean - 0.1) * (paired.mean - 0.1);
    claimed += paired.standard_error * paired.standard_error;
    const double naive = paired_difference(losses, baseline, window).standard_error;
    claimed_without_clusters += naive * naive;
  }
  const double variance = squares / kStudies;
  EXPECT_LT(std::fabs(sum / kStudies), 5 * std::sqrt(variance / kStudies));
  // The variance over S studies is itself known to sqrt(2 / S) = 3.2 %: five of those, and 1/60 of
  // bias of the linearisation.
  EXPECT_NEAR(claimed / kStudies / variance, 1, 5 * std::sqrt(2.0 / kStudies) + 1.0 / kDocuments);
  EXPECT_LT(claimed_without_clusters / kStudies / variance,
            0.6);  // documents of 2.5 windows on average
}

TEST(PairedComparison, IsThePairedDifferenceAndTheOtherMeans) {
  const std::vector<TokenComparison> tokens{
      {3, 1, 0.5f, true}, {1, 1, 0.25f, false}, {4, 2, 0, true}, {1.5f, 1, 1, true}};
  const std::vector<int64_t> cluster{0, 1};
  const PairedComparison got = paired_comparison(tokens, cluster, 2.5);
  const PairedDifference loss =
      paired_difference(std::vector<float>{3, 1, 4, 1.5f}, std::vector<float>{1, 1, 2, 1}, cluster);
  EXPECT_EQ(got.loss.mean, loss.mean);
  EXPECT_EQ(got.loss.standard_error, loss.standard_error);
  EXPECT_EQ(got.loss.losses_mean, loss.losses_mean);
  EXPECT_EQ(got.loss.tokens, 4);
  EXPECT_EQ(got.loss.clusters, 2);
  EXPECT_EQ(got.kl.mean, 0.4375);
  // Cluster sums .75 and 1 about a mean of .875: 2 / 1 (2 .125^2) / 4^2.
  EXPECT_DOUBLE_EQ(got.kl.standard_error, std::sqrt(2 * 2 * 0.125 * 0.125) / 4);
  EXPECT_EQ(got.same_top.mean, 0.75);
  EXPECT_DOUBLE_EQ(got.same_top.standard_error, std::sqrt(2 * 2 * 0.5 * 0.5) / 4);
  EXPECT_DOUBLE_EQ(got.bits_per_byte, 2.375 / (std::log(2.0) * 2.5));
  EXPECT_DOUBLE_EQ(got.baseline_bits_per_byte, 1.25 / (std::log(2.0) * 2.5));
}

TEST(PairedComparison, WhatIsNotKnownIsNotANumber) {
  const std::vector<TokenComparison> tokens{{3, 1, 0.5f, true}, {1, 1, 0.25f, false}};
  const PairedComparison one = paired_comparison(tokens, std::vector<int64_t>{5}, 0);
  EXPECT_TRUE(std::isnan(one.loss.standard_error));
  EXPECT_TRUE(std::isnan(one.kl.standard_error));
  EXPECT_TRUE(std::isnan(one.same_top.standard_error));
  EXPECT_TRUE(std::isnan(one.bits_per_byte));
  EXPECT_EQ(one.same_top.mean, 0.5);
}

// Against its own definition: the spread of the means without one cluster each.
TEST(PairedDifference, StandardErrorIsTheJackknife) {
  constexpr size_t kWindows = 9, kTokens = 4;
  const std::vector<int64_t> cluster{0, 0, 0, 0, 1, 2, 2, 3, 3};
  std::vector<float> losses, baseline(kWindows * kTokens, 1.0f);
  for (size_t i = 0; i < kWindows * kTokens; ++i)
    losses.push_back(static_cast<float>(1 + random_normal(3, 0, i)));
  const PairedDifference all = paired_difference(losses, baseline, cluster);
  double squares = 0;
  for (int64_t out = 0; out < 4; ++out) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < losses.size(); ++i) {
      if (cluster[i / kTokens] == out) continue;
      sum += static_cast<double>(losses[i]) - 1;
      ++count;
    }
    squares += (sum / count - all.mean) * (sum / count - all.mean);
  }
  EXPECT_NEAR(all.standard_error, std::sqrt(3.0 / 4 * squares), 1e-14);
}

// ---- how often an interval holds what it should ------------------------------------------------

constexpr double kZ = 1.645;

// A text of documents whose tokens have something in common: all three quantities of a token move
// with its document.
struct Half {
  std::vector<TokenComparison> tokens;
  std::vector<int64_t> document, window;
};

template <class Windows>  // windows of document d
Half make_half(uint64_t seed, int documents, Windows windows) {
  constexpr size_t kTokens = 8;
  Half half;
  uint64_t draw = 0;
  for (int d = 0; d < documents; ++d) {
    const double common = random_normal(seed, 1, static_cast<uint64_t>(d));
    for (uint64_t w = 0; w < windows(d); ++w) {
      half.document.push_back(d);
      half.window.push_back(static_cast<int64_t>(half.window.size()));
      for (size_t t = 0; t < kTokens; ++t, ++draw) {
        const auto baseline = static_cast<float>(3 + random_normal(seed, 3, draw));
        const double noise = random_normal(seed, 4, draw);
        half.tokens.push_back(
            {.loss = baseline + static_cast<float>(0.1 + 0.3 * common + 0.5 * noise),
             .baseline_loss = baseline,
             .kl = static_cast<float>(0.2 + 0.1 * common + 0.2 * noise),
             .same_top = random_uniform(seed, 5, draw) < 0.8 + 0.1 * std::tanh(common)});
      }
    }
  }
  return half;
}

bool covers(const ClusteredMean& a, const ClusteredMean& b) {
  return std::fabs(a.mean - b.mean) <= kZ * std::hypot(a.standard_error, b.standard_error);
}
ClusteredMean loss_of(const PairedComparison& half) {
  return {half.loss.mean, half.loss.standard_error};
}

struct Coverage {
  double loss = 0, kl = 0, same_top = 0, loss_by_window = 0;
};

// Of how many studies, each with two halves of new documents, the interval of one half holds the
// mean of the other.
template <class Windows>
Coverage coverage(int studies, int documents, Windows windows) {
  Coverage share;
  for (int study = 0; study < studies; ++study) {
    const auto seed = static_cast<uint64_t>(2 * study + 1000);
    const Half a = make_half(seed, documents, [&](int d) { return windows(seed, d); });
    const Half b = make_half(seed + 1, documents, [&](int d) { return windows(seed + 1, d); });
    const PairedComparison x = paired_comparison(a.tokens, a.document, 0),
                           y = paired_comparison(b.tokens, b.document, 0);
    share.loss += covers(loss_of(x), loss_of(y)) / static_cast<double>(studies);
    share.kl += covers(x.kl, y.kl) / static_cast<double>(studies);
    share.same_top += covers(x.same_top, y.same_top) / static_cast<double>(studies);
    share.loss_by_window += covers(loss_of(paired_comparison(a.tokens, a.window, 0)),
                                   loss_of(paired_comparison(b.tokens, b.window, 0))) /
                            static_cast<double>(studies);
  }
  return share;
}

// P(|t| <= z) with an even number of degrees of freedom (Abramowitz and Stegun, 26.7.4).
double students_share(int degrees) {
  const double angle = std::atan(kZ / std::sqrt(static_cast<double>(degrees)));
  const double squared_cosine = std::cos(angle) * std::cos(angle);
  double term = 1, sum = 0;
  for (int k = 2; k <= degrees; k += 2) {
    sum += term;
    term *= squared_cosine * (k - 1) / k;
  }
  return std::sin(angle) * sum;
}

TEST(Coverage, StudentsShareIsThatOfTheTables) {
  EXPECT_NEAR(students_share(2), kZ / std::sqrt(2 + kZ * kZ), 1e-15);
  EXPECT_NEAR(students_share(1000000), std::erf(kZ / std::sqrt(2.0)), 1e-6);
}

// Documents of one size with normal sums: the difference of two means over the root of their
// squared errors is exactly a Student's t of 2 (C - 1) degrees of freedom, the losses' and the
// divergence's alike. Bounds: 4.5 standard deviations of a binomial share, of which one test in
// 100 000 fails. The share of equal tops is a mean of ones and zeros over C documents of 24 tokens,
// normal up to their skewness / sqrt(C), whose effect on a two-sided interval is of order 1 / C.
TEST(Coverage, OfEqualDocumentsIsStudents) {
  constexpr int kStudies = 4000;
  for (const int documents : {5, 20}) {
    const Coverage got = coverage(kStudies, documents, [](uint64_t, int) { return 3u; });
    const double expected = students_share(2 * (documents - 1));
    const double bound = 4.5 * std::sqrt(expected * (1 - expected) / kStudies);
    EXPECT_NEAR(got.loss, expected, bound) << documents;
    EXPECT_NEAR(got.kl, expected, bound) << documents;
    EXPECT_NEAR(got.same_top, expected, bound + 0.1 / documents) << documents;
    // The same intervals from windows hold far less: the documents' part of the variance counts
    // once for every document, not for every window.
    EXPECT_LT(got.loss_by_window, expected - 0.1) << documents;
  }
}

// Documents of 1 to 8 windows: Student's t no longer holds exactly. Residuals of long documents
// count more, which costs degrees of freedom: with weights n_c the effective number is (sum n_c^2)^2
// / sum n_c^4, here 0.59 of the documents; and the jackknife errs upwards by a share of order 1 / C.
TEST(Coverage, OfUnequalDocumentsIsNearlyThat) {
  constexpr int kStudies = 4000, kDocuments = 40;
  const Coverage got = coverage(kStudies, kDocuments, [](uint64_t seed, int d) {
    return 1 + random_below(seed, 6, static_cast<uint64_t>(d), 8);
  });
  const double highest = students_share(2 * (kDocuments - 1)),
               lowest = students_share(2 * (23 - 1));
  const double bound = 4.5 * std::sqrt(highest * (1 - highest) / kStudies);
  for (const double share : {got.loss, got.kl, got.same_top}) {
    EXPECT_GT(share, lowest - bound);
    EXPECT_LT(share, highest + 1.0 / kDocuments + bound);
  }
  EXPECT_LT(got.loss_by_window, lowest - 0.1);
}

// One document is a third of the text, and pulls the mean its own way: its residual is two thirds of
// what it would be to the mean of the others, which is what the jackknife takes. The share lies
// between Student's with three and with all documents (Cochran's error of residuals gives less).
TEST(Coverage, DoesNotSufferFromOneLongDocument) {
  constexpr int kStudies = 4000, kDocuments = 21;
  const Coverage got =
      coverage(kStudies, kDocuments, [](uint64_t, int d) { return d == 0 ? 20u : 2u; });
  const double highest = students_share(2 * (kDocuments - 1)), lowest = students_share(4);
  const double bound = 4.5 * std::sqrt(highest * (1 - highest) / kStudies);
  EXPECT_GT(got.loss, lowest - bound);
  EXPECT_LT(got.loss, highest + bound);
  EXPECT_LT(got.loss_by_window, lowest);
}

}  // namespace
}  // namespace bitlaw
