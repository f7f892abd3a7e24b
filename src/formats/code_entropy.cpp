#include "formats/code_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr double kRootHalf = 0.707106781186547524401;

// The probability between a < b, without a loss of digits in the tails.
double normal_between(double a, double b) {
  if (a < 0 && b > 0) return 1 - 0.5 * (std::erfc(-a * kRootHalf) + std::erfc(b * kRootHalf));
  if (b <= 0) return 0.5 * (std::erfc(-b * kRootHalf) - std::erfc(-a * kRootHalf));
  return 0.5 * (std::erfc(a * kRootHalf) - std::erfc(b * kRootHalf));
}

// Entropy of probabilities, in bits.
double entropy(const std::vector<double>& shares) {
  double bits = 0;
  for (const double share : shares) {
    if (share > 0) bits -= share * std::log2(share);
  }
  return bits;
}

// Upper ends of the codes' cells in units of the scale; the last is infinite.
std::vector<double> ends_of_cells(const std::vector<float>& codes) {
  std::vector<double> ends;
  for (size_t k = 0; k + 1 < codes.size(); ++k)
    ends.push_back(0.5 * (double(codes[k]) + double(codes[k + 1])));
  ends.push_back(kFar);
  return ends;
}

// The integral of f(m, weight) over the density of the largest of `group` absolute values, cut to
// where it is not negligible.
template <class Function>
void over_largest(double group, const Function& add) {
  constexpr double kNode[4] = {0.960289856497536231684, 0.796666477413626739592,
                               0.525532409916328985818, 0.183434642495649804939};
  constexpr double kWeight[4] = {0.101228536290376259153, 0.222381034453374470544,
                                 0.313706645877887287338, 0.362683783378361982965};
  constexpr int kPanels = 32;
  constexpr double kMost = 10;  // beyond, even the largest of 1e9 is not found
  double low = 0, high = kMost;
  // (2 Phi(low) - 1)^group below 1e-18.
  const double log_least = -41 / group;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (std::log1p(-std::erfc(middle * kRootHalf)) < log_least ? low : high) = middle;
  }
  const double half = 0.5 * (kMost - low) / kPanels;
  for (int panel = 0; panel < kPanels; ++panel) {
    const double middle = low + half * (2 * panel + 1);
    for (int i = 0; i < 4; ++i) {
      for (const double m : {middle - half * kNode[i], middle + half * kNode[i]}) {
        const double density = (group - 1) * 2 * 0.398942280401432677940 * std::exp(-0.5 * m * m) *
                               std::exp((group - 2) * std::log1p(-std::erfc(m * kRootHalf)));
        add(m, half * kWeight[i] * density);
      }
    }
  }
}

}  // namespace

double entropy_of_counts(std::span<const double> counts) {
  double all = 0;
  for (const double count : counts) {
    BITLAW_CHECK(count >= 0);
    all += count;
  }
  if (!(all > 0)) return 0;
  std::vector<double> shares;
  for (const double count : counts) shares.push_back(count / all);
  return entropy(shares);
}

double gaussian_code_entropy(const Format& format, double scale) {
  BITLAW_CHECK(scale > 0 && format.kind != FormatKind::kFp32);
  std::vector<double> shares;
  double below = -kFar;
  for (const double end : ends_of_cells(all_codes(format))) {
    shares.push_back(normal_between(below, scale * end));
    below = scale * end;
  }
  return entropy(shares);
}

double gaussian_group_entropy(const Format& format, int64_t group) {
  BITLAW_CHECK(format.scaled() && group >= 1);
  if (group == 1) return 1;  // the sign is all that is left
  const std::vector<float> codes = all_codes(format);
  const std::vector<double> ends = ends_of_cells(codes);
  std::vector<double> shares(codes.size(), 0.0);
  const double end = 0.5 / static_cast<double>(group), most = format.max_code;
  // Integers have a code below -max_code, which abs-max never uses.
  for (size_t k = 0; k < codes.size(); ++k) {
    if (std::fabs(codes[k]) == most) shares[k] += end;
  }
  over_largest(static_cast<double>(group), [&](double m, double weight) {
    double below = -m;
    for (size_t k = 0; k < codes.size(); ++k) {
      const double above = std::clamp(ends[k] * m / most, -m, m);
      if (above > below) shares[k] += weight * normal_between(below, above);
      below = above;
    }
  });
  return entropy(shares);
}

}  // namespace bitlaw
