#include "tune/tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "base/statistics.h"
#include "tune/simplex.h"

namespace bitlaw {
namespace {

constexpr int64_t kLeastConfigurations = 32;
constexpr int64_t kLeastTail = 16, kLeastKnown = 23;  // seven of ten of these are a tail

// Nodes of a standard normal number and their weights.
constexpr int kNodes = 61;
struct Normal {
  std::array<double, kNodes> z{}, weight{};
};

const Normal& normal() {
  static const Normal nodes = [] {
    Normal out;
    double total = 0;
    for (size_t k = 0; k < kNodes; ++k) {
      out.z[k] = -4.5 + 9.0 * static_cast<double>(k) / (kNodes - 1);
      out.weight[k] = std::exp(-0.5 * out.z[k] * out.z[k]);
      total += out.weight[k];
    }
    for (double& weight : out.weight) weight /= total;
    return out;
  }();
  return nodes;
}

// The best third, but no more than seven of ten whose loss is known: others were given up early, and
// some of them might have come among the rest.
int64_t tail_size(const std::vector<double>& sorted) {
  const auto share_of = [](double share, double count) {
    return std::max(kLeastTail, static_cast<int64_t>(std::llround(share * count)));
  };
  const auto known =
      std::count_if(sorted.begin(), sorted.end(), [](double loss) { return std::isfinite(loss); });
  return std::min(share_of(1.0 / 3, static_cast<double>(sorted.size())),
                  share_of(0.7, static_cast<double>(known)));
}

// Minus the logarithm of the likelihood of the tail, given its size.
double cost_of(const NoisyQuadratic& q, const std::vector<double>& sorted, size_t tail) {
  const double below = q.below(q.threshold);
  if (!(below > 0)) return std::numeric_limits<double>::infinity();
  double cost = 0;
  for (size_t i = 0; i < tail; ++i) {
    const double density = q.density(sorted[i]);
    if (!(density > 0)) return std::numeric_limits<double>::infinity();
    cost -= std::log(density / below);
  }
  return cost;
}

// Whether the tail looks as the fit says: Kolmogorov and Smirnov's distance. The 1 % limit is for a
// distribution that was not fitted, so it is seldom exceeded.
bool looks_alike(const NoisyQuadratic& q, const std::vector<double>& sorted, size_t tail) {
  const double below = q.below(q.threshold), n = static_cast<double>(tail);
  double distance = 0;
  for (size_t i = 0; i < tail; ++i) {
    const double share = q.below(sorted[i]) / below;
    distance = std::max({distance, std::fabs(share - static_cast<double>(i) / n),
                         std::fabs(share - static_cast<double>(i + 1) / n)});
  }
  return distance * std::sqrt(n) < 1.63;
}

TuneEstimate estimate(double value, std::vector<double> draws) {
  std::sort(draws.begin(), draws.end());
  return {value, percentile(draws, 0.05), percentile(draws, 0.95)};
}

std::vector<int64_t> regret_sizes(int64_t configurations) {
  std::vector<int64_t> sizes{4, 16, 64, 256, configurations};
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

// Parameters x: log of the distance from alpha to the threshold over `width`, log gamma, and, where
// the noise is not known, log of sigma over `width`.
struct TailProblem {
  const std::vector<double>& sorted;
  size_t tail = 0;
  double noise = kNoNumber, threshold = 0, width = 0;

  bool noise_is_known() const { return noise > 0; }

  NoisyQuadratic quadratic(const std::vector<double>& x) const {
    return {.alpha = threshold - width * std::exp(x[0]),
            .gamma = std::exp(x[1]),
            .sigma = noise_is_known() ? noise : width * std::exp(x[2]),
            .threshold = threshold,
            .share = 1};
  }
  NoisyQuadratic with_share(NoisyQuadratic q) const {
    q.share = static_cast<double>(tail) / static_cast<double>(sorted.size()) / q.below(threshold);
    return q;
  }
  // Minus the logarithm of the likelihood; infinite outside of wide bounds.
  double cost(const std::vector<double>& x) const {
    const bool outside = std::fabs(x[0]) > 3 || std::exp(x[1]) < 0.3 || std::exp(x[1]) > 20 ||
                         (!noise_is_known() && (x[2] < -5 || x[2] > 1));
    return outside ? std::numeric_limits<double>::infinity() : cost_of(quadratic(x), sorted, tail);
  }
};

std::optional<TailProblem> tail_problem(const std::vector<double>& sorted, double noise) {
  const auto tail = static_cast<size_t>(tail_size(sorted));
  if (std::ssize(sorted) < kLeastConfigurations || tail >= sorted.size() ||
      !std::isfinite(sorted[tail]))
    return std::nullopt;
  const double threshold = (sorted[tail - 1] + sorted[tail]) / 2;
  if (!(threshold > sorted[0])) return std::nullopt;
  return TailProblem{sorted, tail, noise, threshold, threshold - sorted[0]};
}

std::optional<SimplexFound> most_likely(const TailProblem& problem) {
  const auto cost = [&](const std::vector<double>& x) { return problem.cost(x); };
  std::optional<SimplexFound> best;
  for (const double gamma : {1.0, 2.0, 4.0}) {
    for (const double sigma : {0.05, 0.3}) {
      std::vector<double> start{0.1, std::log(gamma), std::log(sigma)}, step{0.3, 0.4, 0.7};
      if (problem.noise_is_known()) {
        start.pop_back();
        step.pop_back();
      }
      if (!std::isfinite(cost(start))) continue;
      SimplexFound found = minimise_simplex(cost, start, step, 1e-6, 300);
      if (!best || found.value < best->value) best = std::move(found);
      if (problem.noise_is_known()) break;
    }
  }
  return best;
}

// Parameters in proportion to their likelihood: a random walk from the most likely ones, whose steps
// are fitted in its first part, which is dropped.
std::vector<std::vector<double>> walk(const TailProblem& problem, const SimplexFound& from,
                                      uint64_t seed) {
  constexpr uint64_t kFirst = 1000, kSteps = 3500, kKeepEach = 40;
  std::vector<double> x = from.x, size(x.size(), 0.2);
  double cost = from.value;
  std::vector<std::vector<double>> kept;
  for (uint64_t step = 0; step < kSteps; ++step) {
    const auto k = static_cast<size_t>(step % x.size());
    std::vector<double> next = x;
    next[k] += size[k] * random_normal(seed, 11, step);
    const double next_cost = problem.cost(next);
    const bool taken = next_cost - cost < -std::log(1 - random_uniform(seed, 12, step));
    if (taken) {
      x = std::move(next);
      cost = next_cost;
    }
    if (step < kFirst) {
      size[k] = std::min(2.0, size[k] * (taken ? 1.1 : 0.95));  // a third of the steps are taken
    } else if (step % kKeepEach == 0) {
      kept.push_back(x);
    }
  }
  return kept;
}

}  // namespace

double NoisyQuadratic::below(double loss) const {
  double sum = 0;
  for (size_t k = 0; k < kNodes; ++k) {
    const double q = loss - sigma * normal().z[k];
    if (q > alpha)
      sum += normal().weight[k] * std::pow((q - alpha) / (threshold - alpha), gamma / 2);
  }
  return share * sum;
}

// The mean of the derivative of a function of a normal number is the mean of the number times the
// function (Stein's identity), which is finite where the derivative is not.
double NoisyQuadratic::density(double loss) const {
  double sum = 0;
  for (size_t k = 0; k < kNodes; ++k) {
    const double q = loss - sigma * normal().z[k];
    if (q > alpha) {
      sum -= normal().weight[k] * normal().z[k] *
             std::pow((q - alpha) / (threshold - alpha), gamma / 2);
    }
  }
  return share * sum / sigma;
}

std::optional<NoisyQuadratic> fit_noisy_quadratic(const std::vector<double>& sorted, double noise) {
  const std::optional<TailProblem> problem = tail_problem(sorted, noise);
  if (!problem) return std::nullopt;
  const std::optional<SimplexFound> best = most_likely(*problem);
  if (!best) return std::nullopt;
  const NoisyQuadratic q = problem->quadratic(best->x);
  if (!looks_alike(q, sorted, problem->tail)) return std::nullopt;
  return problem->with_share(q);
}

double expected_regret(const NoisyQuadratic& tail, int64_t configurations, uint64_t seed,
                       int draws) {
  double sum = 0;
  for (uint64_t draw = 0; draw < static_cast<uint64_t>(draws); ++draw) {
    double least = std::numeric_limits<double>::infinity();
    double regret = tail.threshold - tail.alpha;  // if all are above t: at least that
    for (int64_t i = 0; i < configurations; ++i) {
      const auto index = static_cast<uint64_t>(i);
      const double u = random_uniform(seed, 3 * draw, index);
      if (u >= tail.share) continue;
      const double above = (tail.threshold - tail.alpha) * std::pow(u / tail.share, 2 / tail.gamma);
      const double seen = above + tail.sigma * random_normal(seed, 3 * draw + 1, index);
      if (seen >= least) continue;
      least = seen;
      regret = above;
    }
    sum += regret;
  }
  return sum / draws;
}

TailFit fit_tail(std::vector<double> losses, const TailOptions& options) {
  std::sort(losses.begin(), losses.end());
  const auto n = static_cast<int64_t>(losses.size());
  TailFit out{.configurations = n};
  if (n < kLeastConfigurations) {
    out.missing = fmt::format("{} configurations are too few to say; {} are the least", n,
                              kLeastConfigurations);
    return out;
  }
  const auto known =
      std::count_if(losses.begin(), losses.end(), [](double loss) { return std::isfinite(loss); });
  if (known < kLeastKnown) {
    out.missing = fmt::format(
        "{} of {} configurations have a loss at this D; {} are the least (more points, or fewer "
        "halvings)",
        known, n, kLeastKnown);
    return out;
  }
  out.in_tail = tail_size(losses);
  const std::optional<TailProblem> problem = tail_problem(losses, options.noise);
  const std::optional<SimplexFound> best =
      problem ? most_likely(*problem) : std::optional<SimplexFound>();
  if (!best || !looks_alike(problem->quadratic(best->x), losses, problem->tail)) {
    out.missing = "the losses near the best do not look like a noisy quadratic";
    return out;
  }
  const NoisyQuadratic fit = problem->with_share(problem->quadratic(best->x));
  const std::vector<int64_t> sizes = regret_sizes(n);
  std::vector<double> alphas, dimensions, noises;
  std::vector<std::vector<double>> regrets(sizes.size());
  for (const std::vector<double>& x : walk(*problem, *best, options.seed)) {
    const NoisyQuadratic drawn = problem->with_share(problem->quadratic(x));
    alphas.push_back(drawn.alpha);
    dimensions.push_back(drawn.gamma);
    noises.push_back(drawn.sigma);
    for (size_t k = 0; k < sizes.size(); ++k)
      regrets[k].push_back(expected_regret(drawn, sizes[k], options.seed, 100));
  }
  out.alpha = estimate(fit.alpha, alphas);
  out.dimension = estimate(fit.gamma, dimensions);
  out.noise = estimate(fit.sigma, noises);
  for (size_t k = 0; k < sizes.size(); ++k) {
    out.regrets.push_back(
        {sizes[k], estimate(expected_regret(fit, sizes[k], options.seed, 400), regrets[k])});
    if (sizes[k] == n) out.enough = out.regrets.back().nats.high <= options.tolerance;
  }
  return out;
}

}  // namespace bitlaw
