#include "formats/gaussian_error.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/search.h"

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double density(double x) {
  return 0.398942280401432677940 * std::exp(-0.5 * x * x);
}

// Probability above x.
double tail(double x) {
  return 0.5 * std::erfc(x * 0.707106781186547524401);
}

// Integral of (x - c)^2 density(x) from a to b, 0 <= a < b. In closed form, which loses digits as
// 1 / width^2 where all of it is small; so narrow cells use Gauss's rule of four points, whose
// relative error there is below 1e-5 width^6.
double half_line_cell(double a, double b, double c) {
  constexpr double kNarrow = 1.0 / 16;
  if (b - a < kNarrow) {
    constexpr double kNode[2] = {0.861136311594052575224, 0.339981043584856264803};
    constexpr double kWeight[2] = {0.347854845137453857373, 0.652145154862546142627};
    const double middle = 0.5 * (a + b), half = 0.5 * (b - a);
    double sum = 0;
    for (int i = 0; i < 2; ++i) {
      for (const double x : {middle - half * kNode[i], middle + half * kNode[i]})
        sum += kWeight[i] * (x - c) * (x - c) * density(x);
    }
    return half * sum;
  }
  const double at_a = density(a), at_b = std::isinf(b) ? 0 : density(b);
  const double above_b = std::isinf(b) ? 0 : tail(b), end = std::isinf(b) ? 0 : (b - 2 * c) * at_b;
  return (1 + c * c) * (tail(a) - above_b) + (a - 2 * c) * at_a - end;
}

}  // namespace

double gaussian_cell(double a, double b, double c) {
  if (b <= 0) return half_line_cell(-b, -a, -c);
  if (a < 0) return half_line_cell(0, b, c) + half_line_cell(0, -a, -c);
  return half_line_cell(a, b, c);
}

namespace {

// Every x goes to the nearest of the ascending codes times scale.
double error_of_codes(const std::vector<float>& codes, double scale) {
  double sum = 0, below = -kInfinity;
  for (size_t i = 0; i < codes.size(); ++i) {
    const double above =
        i + 1 < codes.size() ? scale * 0.5 * (double(codes[i]) + double(codes[i + 1])) : kInfinity;
    // Beyond 40 standard deviations the density is below the smallest double.
    if (above > -40 && below < 40) sum += gaussian_cell(below, above, scale * double(codes[i]));
    below = above;
  }
  return sum;
}

// The minimum of f along log(scale) in [low, high], where f falls and then rises.
template <class Function>
GaussianError least(const Function& f, double low, double high) {
  const Found found = golden_section([&](double log_scale) { return f(std::exp(log_scale)); },
                                     std::log(low), std::log(high), 1e-8);
  return {std::exp(found.x), found.value};
}

// log of least_uniform_grid_error(bits).error at 0, 1, ... 16 bits.
constexpr int kKnots = 17;
constexpr std::array<double, kKnots> kLogError{
    0,
    -1.01230553387725,
    -2.12992631766709,
    -3.28502472486285,
    -4.46168609841101,
    -5.65636142972991,
    -6.86849090448209,
    -8.09738881437198,
    -9.34174618770821,
    -10.5998788035560,
    -11.8700283294346,
    -13.1505503596114,
    -14.4399967199855,
    -15.7371327639721,
    -17.0409227838286,
    -18.3505034394058,
    -19.6651553228278,
};

// Second derivatives of the cubic spline through them, zero at both ends.
constexpr std::array<double, kKnots> spline_curvatures() {
  std::array<double, kKnots> pivot{}, curvature{};
  // m[i-1] + 4 m[i] + m[i+1] = 6 (second difference), eliminated upwards.
  for (int i = 1; i + 1 < kKnots; ++i) {
    const double difference = kLogError[i - 1] - 2 * kLogError[i] + kLogError[i + 1];
    const double denominator = 4 - pivot[i - 1];
    pivot[i] = 1 / denominator;
    curvature[i] = (6 * difference - curvature[i - 1]) / denominator;
  }
  for (int i = kKnots - 2; i > 0; --i) curvature[i] -= pivot[i] * curvature[i + 1];
  return curvature;
}
constexpr std::array<double, kKnots> kCurvature = spline_curvatures();

}  // namespace

double gaussian_error(const Format& format, double scale) {
  BITLAW_CHECK(scale > 0);
  if (format.kind == FormatKind::kFp32) return 0;
  return error_of_codes(all_codes(format), scale);
}

GaussianError least_gaussian_error(const Format& format) {
  if (!format.scaled()) return {1, gaussian_error(format, 1)};
  const std::vector<float> codes = all_codes(format);
  const auto error = [&](double scale) { return error_of_codes(codes, scale); };
  // The largest value is between half a standard deviation and 64 of them: beyond, the far tails
  // are held already and a larger scale only makes cells wider.
  const double largest = format.max_code;
  if (format.kind == FormatKind::kInteger) return least(error, 0.5 / largest, 64 / largest);
  constexpr int kPerOctave = 12, kOctaves = 7;
  const double step = std::exp2(1.0 / kPerOctave);
  double best = 0, best_error = kInfinity;
  for (int i = 0; i <= kOctaves * kPerOctave; ++i) {
    const double scale = 0.5 / largest * std::exp2(double(i) / kPerOctave), at = error(scale);
    if (at < best_error) best = scale, best_error = at;
  }
  return least(error, best / step, best * step);
}

double uniform_grid_error(int bits, double step) {
  BITLAW_CHECK(bits >= 1 && bits <= 16 && step > 0);
  const int half = 1 << (bits - 1);
  double sum = 0;
  for (int i = 0; i < half; ++i)
    sum += half_line_cell(i * step, i + 1 < half ? (i + 1) * step : kInfinity, (i + 0.5) * step);
  return 2 * sum;
}

GaussianError least_uniform_grid_error(int bits) {
  const double levels = std::exp2(bits - 1);
  return least([bits](double step) { return uniform_grid_error(bits, step); }, 0.5 / levels,
               16 / levels);
}

double log_uniform_grid_error(double bits) {
  if (std::isnan(bits)) return bits;
  if (std::isinf(bits)) return -kInfinity;
  constexpr int kLast = kKnots - 1;
  if (bits <= 0) {
    const double slope = kLogError[1] - kLogError[0] - kCurvature[1] / 6;
    return kLogError[0] + slope * bits;
  }
  if (bits >= kLast) {
    const double slope = kLogError[kLast] - kLogError[kLast - 1] + kCurvature[kLast - 1] / 6;
    return kLogError[kLast] + slope * (bits - kLast);
  }
  const int i = static_cast<int>(bits);
  const double t = bits - i, u = 1 - t;
  return u * kLogError[i] + t * kLogError[i + 1] +
         (u * (u * u - 1) * kCurvature[i] + t * (t * t - 1) * kCurvature[i + 1]) / 6;
}

}  // namespace bitlaw
