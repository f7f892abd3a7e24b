#include "formats/block_noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "formats/gaussian_error.h"

namespace bitlaw {
namespace {

constexpr double kRootOfHalf = 0.707106781186547524401;
constexpr int kMostCodeBits = 8;

double normal_density(double x) {
  return 0.398942280401432677940 * std::exp(-0.5 * x * x);
}

// P(|x| < a).
double within(double a) {
  return std::erf(a * kRootOfHalf);
}

double square(double x) {
  return x * x;
}

bool is_integer(const Format& format) {
  return format.kind == FormatKind::kInteger;
}

// Q of a floating-point format's normal range, its smallest normal code, and the step below it.
double subnormal_step(const Format& format) {
  return std::ldexp(1.0, 1 - format.bias - format.mantissa_bits);
}

// Four nodes of Gauss's rule on [-1, 1].
constexpr std::array<double, 4> kGaussNode{-0.861136311594052575224, -0.339981043584856264803,
                                           0.339981043584856264803, 0.861136311594052575224};
constexpr std::array<double, 4> kGaussWeight{0.347854845137453857373, 0.652145154862546142627,
                                             0.652145154862546142627, 0.347854845137453857373};

struct Overhead {
  double rho, weight;
};

// Nodes of an average over [a, b], whose weights sum to b - a.
template <class F>
void add_nodes(std::vector<Overhead>& out, double a, double b, const F& rho) {
  for (size_t i = 0; i < kGaussNode.size(); ++i) {
    const double v = 0.5 * (a + b) + 0.5 * (b - a) * kGaussNode[i];
    out.push_back({rho(v), 0.5 * (b - a) * kGaussWeight[i]});
  }
}

// rho as the phase of log2 sigma moves uniformly through an octave.
std::vector<Overhead> overheads(const Format& format, ScaleRule scales, bool up, int panels) {
  std::vector<Overhead> out;
  switch (scales) {
    case ScaleRule::kFloat32:
      out.push_back({1, 1});
      break;
    case ScaleRule::kE8M0: {
      const double most = up ? 2.0 : format.max_code / std::ldexp(1.0, std::ilogb(format.max_code));
      for (int i = 0; i < panels; ++i) {
        add_nodes(out, double(i) / panels, double(i + 1) / panels,
                  [&](double v) { return most * std::exp2(-v); });
      }
      break;
    }
    case ScaleRule::kE4M3:
      // Numbers with four significant bits: 8 .. 16, by ones.
      for (int code = 8; code <= 16; ++code) {
        const double a = std::max(8.0, code - 0.5), b = std::min(16.0, code + 0.5);
        add_nodes(out, std::log2(a), std::log2(b), [&](double v) { return code / std::exp2(v); });
      }
      break;
  }
  return out;
}

// Blocks of one format, in units of sigma.
class Blocks {
 public:
  Blocks(const Format& format, int group) : codes_(all_codes(format)), group_(group) {
    max_code_ = double(format.max_code);
  }
  Blocks(const Format& format, ScaleRule scales, int group, bool up) : Blocks(format, group) {
    // The error of the largest entry jumps at every code and is the same for all m: finer nodes.
    constexpr int kPanels = 16, kFinePanels = 2000;
    nodes_ = overheads(format, scales, up, kPanels);
    for (const Overhead& each : overheads(format, scales, up, kFinePanels))
      largest_ += each.weight * error_of_largest(each.rho);
  }

  // Mean squared error of an entry where the largest is m.
  double noise(double m, double rho) const {
    return (error_of_others(m, rho) * (group_ - 1) + square(m) * error_of_largest(rho)) / group_;
  }
  // The same averaged over rho.
  double noise(double m) const {
    double others = 0;
    for (const Overhead& each : nodes_) others += each.weight * error_of_others(m, each.rho);
    return (others * (group_ - 1) + square(m) * largest_) / group_;
  }

 private:
  double error_of_others(double m, double rho) const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double scale = rho * m / max_code_;
    double sum = 0, below = -kInfinity;
    for (size_t i = 0; i < codes_.size(); ++i) {
      const double above = i + 1 < codes_.size()
                               ? scale * 0.5 * (double(codes_[i]) + double(codes_[i + 1]))
                               : kInfinity;
      const double from = std::max(below, -m), to = std::min(above, m);
      if (from < to) sum += gaussian_cell(from, to, scale * double(codes_[i]));
      below = above;
    }
    return sum / within(m);
  }

  // Of either sign, in units of m^2.
  double error_of_largest(double rho) const {
    double sum = 0;
    for (const double x : {max_code_ / rho, -max_code_ / rho}) {
      const auto above = std::lower_bound(codes_.begin(), codes_.end(), x);
      double least = std::numeric_limits<double>::infinity();
      if (above != codes_.end()) least = std::fabs(double(*above) - x);
      if (above != codes_.begin()) least = std::min(least, std::fabs(double(*(above - 1)) - x));
      sum += 0.5 * square(least * rho / max_code_);
    }
    return sum;
  }

  std::vector<float> codes_;  // ascending
  double max_code_;
  int group_;
  std::vector<Overhead> nodes_;
  double largest_ = 0;
};

// Mean square of the entries of a block whose largest magnitude is m.
double power(int group, double m) {
  const double others = 1 - 2 * m * normal_density(m) / within(m);
  return (others * (group - 1) + square(m)) / group;
}

// Integral of f(m) times the density of the largest of g magnitudes, by Simpson's rule.
template <class F>
double mean_over_largest(int group, const F& f) {
  constexpr int kSteps = 180;
  constexpr double kMost = 9, kStep = kMost / kSteps;
  double sum = 0;
  for (int i = 1; i <= kSteps; ++i) {
    const double m = i * kStep;
    const double density = 2 * group * std::pow(within(m), group - 1) * normal_density(m);
    if (density < 1e-13) continue;
    sum += (i == kSteps ? 1 : i % 2 == 1 ? 4 : 2) * density * f(m);
  }
  return sum * kStep / 3;
}

}  // namespace

double signal_to_noise_db(double noise) {
  return -10 * std::log10(noise);
}

double printed_noise(const Format& format, ScaleRule scales, int group, double crest, double rho) {
  BITLAW_CHECK(format.scaled() && group >= 1 && crest > 0);
  const bool e4m3 = scales == ScaleRule::kE4M3;
  if (e4m3 || scales == ScaleRule::kFloat32) rho = 1;
  if (is_integer(format)) {
    const double db = 4.78 + 6.02 * format.bits - 20 * std::log10(rho) - 20 * std::log10(crest) +
                      (e4m3 ? 10 * std::log10(group / (group - 1.0)) : 0);
    return std::pow(10, -0.1 * db);
  }
  const double t = rho * crest / format.max_code * format.smallest_normal();
  const double alpha = 1 / (24 * std::exp2(2 * format.mantissa_bits));
  const double beta = square(subnormal_step(format)) / (12 * square(format.max_code));
  const double normal = 2 * t * normal_density(t) + 1 - within(t);
  const double largest = e4m3 ? square(crest) / group : 0;
  return alpha * (normal - largest) + beta * square(rho * crest) * within(t);
}

double largest_at_crest(int group, double crest) {
  BITLAW_CHECK(group >= 1 && crest > 0);
  // The crest rises with m.
  const auto crest_at = [&](double m) { return m / std::sqrt(power(group, m)); };
  double low = 1e-3, high = 1e4;
  if (!(crest > crest_at(low) && crest < crest_at(high)))
    return std::numeric_limits<double>::quiet_NaN();
  while (high / low > 1 + 1e-14) {
    const double middle = std::sqrt(low * high);
    (crest_at(middle) < crest ? low : high) = middle;
  }
  return std::sqrt(low * high);
}

double closed_noise(const Format& format, int group, double crest, double rho) {
  BITLAW_CHECK(format.scaled() && group >= 1 && crest > 0 && rho >= 1);
  const double m = largest_at_crest(group, crest), scale = rho * m / format.max_code;
  if (std::isnan(m)) return m;
  const bool has_error = rho > 1;  // the largest entry
  if (is_integer(format)) {
    const double counted = has_error ? 1 : (group - 1.0) / group;
    return square(scale) / 12 * counted / power(group, m);
  }
  // The squared step of a binade is a constant, so its share of the entries is all that counts.
  const auto share = [&](double from, double to) {  // of the entries below m
    return (within(std::min(to * scale, m)) - within(std::min(from * scale, m))) / within(m);
  };
  const int highest = std::ilogb(format.max_code), lowest = 1 - format.bias;
  double others =
      square(scale * subnormal_step(format)) / 12 * share(0, double(format.smallest_normal()));
  double largest = 0;
  for (int e = lowest; e <= highest; ++e) {
    const double step = scale * std::ldexp(1.0, e - format.mantissa_bits);
    others += square(step) / 12 * share(std::ldexp(1.0, e), std::ldexp(1.0, e + 1));
    if (has_error && std::ilogb(m / scale) == e) largest = square(step) / 12;
  }
  return (others * (group - 1) + largest) / group / power(group, m);
}

double exact_noise(const Format& format, int group, double crest, double rho) {
  BITLAW_CHECK(format.scaled() && group >= 1 && crest > 0 && rho > 0);
  const double m = largest_at_crest(group, crest);
  return std::isnan(m) ? m : Blocks(format, group).noise(m, rho) / power(group, m);
}

double exact_noise(const Format& format, ScaleRule scales, int group, double crest, bool up) {
  BITLAW_CHECK(format.scaled() && group >= 1 && crest > 0);
  const double m = largest_at_crest(group, crest);
  return std::isnan(m) ? m : Blocks(format, scales, group, up).noise(m) / power(group, m);
}

double block_gaussian_error(const Format& format, ScaleRule scales, int group) {
  BITLAW_CHECK(format.scaled() && format.bits <= kMostCodeBits && group >= 1);
  const Blocks blocks(format, scales, group, false);
  return mean_over_largest(group, [&](double m) { return blocks.noise(m); });
}

double mean_largest(int group) {
  BITLAW_CHECK(group >= 1);
  return mean_over_largest(group, [](double m) { return m; });
}

namespace {

struct NamedSource {
  const char* name;
  GaussianErrorSource source;
};
constexpr NamedSource kSources[] = {{"least", GaussianErrorSource::kLeast},
                                    {"block", GaussianErrorSource::kBlock},
                                    {"printed", GaussianErrorSource::kPrinted}};

double computed_error(const PartPrecision& part, GaussianErrorSource source) {
  if (source == GaussianErrorSource::kLeast) return least_gaussian_error(*part.format).error;
  if (source == GaussianErrorSource::kBlock)
    return block_gaussian_error(*part.format, part.scales, part.group);
  constexpr double kMeanOverhead = 1.5;  // the paper's, of E8M0
  return printed_noise(*part.format, part.scales, part.group, mean_largest(part.group),
                       kMeanOverhead);
}

}  // namespace

GaussianErrorSource gaussian_error_source(std::string_view name) {
  std::vector<std::string> names;
  for (const NamedSource& each : kSources) {
    if (name == each.name) return each.source;
    names.emplace_back(each.name);
  }
  throw Error(unknown_name("--gaussian-error", name, names));
}

std::string name_of(GaussianErrorSource source) {
  for (const NamedSource& each : kSources) {
    if (source == each.source) return each.name;
  }
  return "";
}

double gaussian_error_of(const PartPrecision& part, GaussianErrorSource source) {
  constexpr double kUnknownError = std::numeric_limits<double>::quiet_NaN();
  if (!part.quantized() || !part.format || !part.format->scaled()) return kUnknownError;
  if (source != GaussianErrorSource::kLeast &&
      (part.group < 2 || part.format->bits > kMostCodeBits))
    return kUnknownError;
  // Found once for each: the searches and integrals take a while.
  using Key = std::tuple<std::string, ScaleRule, int, GaussianErrorSource>;
  thread_local std::map<Key, double> known;
  const bool blocks = source != GaussianErrorSource::kLeast;
  const Key key{part.format->name(), blocks ? part.scales : ScaleRule::kFloat32,
                blocks ? part.group : 0, source};
  const auto [place, is_new] = known.emplace(key, 0);
  if (is_new) place->second = computed_error(part, source);
  return place->second;
}

}  // namespace bitlaw
