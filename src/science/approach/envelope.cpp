#include "approach/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "approach/power_line.h"
#include "base/statistics.h"
#include "laws/fixed_params.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

constexpr size_t kFewestPoints = 10;
constexpr double kStep = 0.05;    // of log C between places of the envelope
constexpr double kWindow = 0.15;  // of log C on either side that is smoothed over
constexpr size_t kFewestCrossings = 2;

// A curve at equally spaced places of log C; NaN outside it.
struct Places {
  double params;
  std::vector<double> loss;
};

// A line through the points of the window, or between the two neighbours where they are few.
double smoothed(const std::vector<double>& x, const std::vector<double>& y, double at) {
  if (at < x.front() || at > x.back()) return kUnknown;
  const auto low = std::lower_bound(x.begin(), x.end(), at - kWindow) - x.begin();
  const auto high = std::upper_bound(x.begin(), x.end(), at + kWindow) - x.begin();
  if (high - low >= 4) {
    const std::span<const double> near_x(x.begin() + low, x.begin() + high);
    return fit_power_line(near_x, std::span(y.begin() + low, y.begin() + high), {}).at(at);
  }
  const auto right = std::clamp<ptrdiff_t>(std::lower_bound(x.begin(), x.end(), at) - x.begin(), 1,
                                           static_cast<ptrdiff_t>(x.size()) - 1);
  const double share = (at - x[right - 1]) / (x[right] - x[right - 1]);
  return y[right - 1] + share * (y[right] - y[right - 1]);
}

std::vector<Places> place(const std::vector<LearningCurve>& curves, double ratio, double first,
                          size_t count) {
  std::vector<Places> out;
  for (const LearningCurve& curve : curves) {
    std::vector<double> x;
    for (const double tokens : curve.tokens) x.push_back(std::log(ratio * curve.params * tokens));
    Places& each = out.emplace_back(Places{curve.params, {}});
    for (size_t i = 0; i < count; ++i)
      each.loss.push_back(smoothed(x, curve.loss_nats, first + kStep * static_cast<double>(i)));
  }
  return out;
}

// The mean of the curves of each size, by ascending size.
std::vector<Places> by_size(const std::vector<Places>& curves) {
  std::map<double, std::vector<size_t>> sizes;
  for (size_t i = 0; i < curves.size(); ++i) sizes[curves[i].params].push_back(i);
  std::vector<Places> out;
  for (const auto& [params, members] : sizes) {
    Places& mean = out.emplace_back(Places{params, {}});
    for (size_t place = 0; place < curves[0].loss.size(); ++place) {
      double sum = 0, count = 0;
      for (const size_t i : members) {
        if (std::isnan(curves[i].loss[place])) continue;
        sum += curves[i].loss[place], count += 1;
      }
      mean.loss.push_back(count > 0 ? sum / count : kUnknown);
    }
  }
  return out;
}

int best_at(const std::vector<Places>& sizes, size_t place) {
  int best = -1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const double loss = sizes[i].loss[place];
    if (!std::isnan(loss) && (best < 0 || loss < sizes[static_cast<size_t>(best)].loss[place]))
      best = static_cast<int>(i);
  }
  return best;
}

// Where the best size changes although both curves go on. Noise may change it several times: the middle
// of them counts.
std::vector<Crossing> crossings_of(const std::vector<Places>& sizes, double first) {
  std::map<std::pair<int, int>, std::vector<double>> found;
  if (sizes.empty()) return {};
  for (size_t place = 0; place + 1 < sizes[0].loss.size(); ++place) {
    const int a = best_at(sizes, place), b = best_at(sizes, place + 1);
    if (a < 0 || b < 0 || a == b) continue;
    const int low = std::min(a, b), high = std::max(a, b);
    const auto ahead = [&](size_t at) {
      return sizes[static_cast<size_t>(high)].loss[at] - sizes[static_cast<size_t>(low)].loss[at];
    };
    const double before = ahead(place), after = ahead(place + 1);
    if (std::isnan(before) || std::isnan(after)) continue;
    found[{low, high}].push_back(first +
                                 kStep * (static_cast<double>(place) + before / (before - after)));
  }
  std::vector<Crossing> out;
  for (const auto& [pair, at] : found) {
    if (at.size() % 2 == 0) continue;  // there and back: the smaller size stays the best
    out.push_back({std::exp(median(at)), sizes[static_cast<size_t>(pair.first)].params,
                   sizes[static_cast<size_t>(pair.second)].params});
  }
  std::sort(out.begin(), out.end(),
            [](const Crossing& a, const Crossing& b) { return a.compute < b.compute; });
  return out;
}

bool have_a_line(const std::vector<Crossing>& crossings) {
  return crossings.size() >= kFewestCrossings &&
         crossings.back().compute > crossings.front().compute;
}

// The line through the crossings, with the scatter around it: Student's intervals of `level`.
void add_optima(const std::vector<Crossing>& crossings, double ratio, double level,
                Optima& optima) {
  std::vector<double> x, y;
  for (const Crossing& each : crossings) {
    x.push_back(std::log(each.compute));
    y.push_back(0.5 * std::log(each.smaller * each.larger));
  }
  const PowerLine line = fit_power_line(x, y, {});
  const double freedom = static_cast<double>(x.size()) - 2;
  double squares = 0, spread = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    squares += (y[i] - line.at(x[i])) * (y[i] - line.at(x[i]));
    spread += (x[i] - line.middle) * (x[i] - line.middle);
  }
  const double reach = freedom > 0
                           ? t_quantile(0.5 + 0.5 * level, freedom) * std::sqrt(squares / freedom)
                           : kUnknown;
  const double of_slope = reach / std::sqrt(spread);
  optima.a = {line.slope, line.slope - of_slope, line.slope + of_slope};
  optima.b = {1 - optima.a.value, 1 - optima.a.high, 1 - optima.a.low};
  for (OptimumAt& at : optima.at) {
    const double place = std::log(at.compute), value = line.at(place);
    const double error = reach * std::sqrt(1 / static_cast<double>(x.size()) +
                                           (place - line.middle) * (place - line.middle) / spread);
    at.params = {std::exp(value), std::exp(value - error), std::exp(value + error)};
    const double product = at.compute / ratio;
    at.tokens = {product / at.params.value, product / at.params.high, product / at.params.low};
    at.beyond =
        std::max({1.0, at.compute / optima.most_compute, optima.least_compute / at.compute});
  }
}

}  // namespace

std::vector<LearningCurve> learning_curves(const std::vector<Observation>& rows,
                                           const ApproachOptions& options) {
  std::map<std::string, std::map<double, double>> points;  // loss by tokens
  std::map<std::string, std::set<double>> params;
  for (const Observation& row : rows) {
    if (row.cluster.empty() || row.is_post_training() || !(row.loss_nats > 0)) continue;
    points[row.cluster][row.tokens] = row.loss_nats;
    params[row.cluster].insert(params_counted(row, options.params));
  }
  std::vector<LearningCurve> out;
  for (const auto& [run, losses] : points) {
    if (losses.size() < kFewestPoints || params[run].size() != 1) continue;
    LearningCurve& curve = out.emplace_back(LearningCurve{run, *params[run].begin(), {}, {}});
    for (const auto& [tokens, loss] : losses) {
      curve.tokens.push_back(tokens);
      curve.loss_nats.push_back(loss);
    }
  }
  return out;
}

EnvelopeFit fit_envelope(const std::vector<LearningCurve>& curves, double compute_ratio,
                         const ApproachOptions& options) {
  EnvelopeFit out;
  out.curves = static_cast<int>(curves.size());
  out.compute_ratio = compute_ratio;
  double first = 0, last = 0;
  std::set<double> sizes;
  for (const LearningCurve& curve : curves) {
    const double low = std::log(compute_ratio * curve.params * curve.tokens.front());
    const double high = std::log(compute_ratio * curve.params * curve.tokens.back());
    first = sizes.empty() ? low : std::min(first, low);
    last = sizes.empty() ? high : std::max(last, high);
    sizes.insert(curve.params);
  }
  out.sizes = static_cast<int>(sizes.size());
  if (curves.empty()) {
    out.optima.missing =
        "the rows are no learning curves: ten or more rows of one run at growing tokens, told "
        "apart "
        "by a column run, make one";
    return out;
  }
  const auto count = static_cast<size_t>((last - first) / kStep) + 2;
  const std::vector<Places> placed = place(curves, compute_ratio, first, count);
  out.crossings = crossings_of(by_size(placed), first);
  if (!have_a_line(out.crossings)) {
    out.optima.missing = fmt::format(
        "the curves of {} size{} cross {} on their envelope; an exponent needs two crossings, of "
        "three sizes trained long enough to be overtaken by the next",
        out.sizes, out.sizes == 1 ? "" : "s",
        out.crossings.empty()       ? "nowhere"
        : out.crossings.size() == 1 ? "once"
                                    : "at one C");
    return out;
  }
  out.optima.least_compute = out.crossings.front().compute;
  out.optima.most_compute = out.crossings.back().compute;
  out.optima.at = budgets_asked(options, out.optima.most_compute);
  add_optima(out.crossings, compute_ratio, options.level, out.optima);
  if (out.crossings.size() == kFewestCrossings)
    out.optima.notes.emplace_back(
        "Two crossings give a line without a check, so there are no intervals: a fourth size "
        "would.");
  return out;
}

}  // namespace bitlaw
