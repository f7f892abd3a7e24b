#include "approach/isoflop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "approach/power_line.h"
#include "base/random.h"
#include "base/statistics.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

constexpr int kFewestSizes = 3;

// Sizes that differ by less than 2 % are one.
int count_sizes(std::vector<double> params) {
  std::sort(params.begin(), params.end());
  int sizes = 0;
  double last = 0;
  for (const double n : params) {
    if (n > 1.02 * last) ++sizes, last = n;
  }
  return sizes;
}

IsoflopBudget budget_of(const std::vector<SizedRun>& runs, std::vector<int> members) {
  IsoflopBudget out;
  std::vector<double> params;
  double log_compute = 0, loss = 0;
  for (const int i : members) {
    params.push_back(runs[i].params);
    log_compute += std::log(runs[i].compute);
    loss += runs[i].loss_nats;
  }
  const auto count = static_cast<double>(members.size());
  out.compute = std::exp(log_compute / count);
  out.mean_loss = loss / count;
  out.least_compute = runs[members.front()].compute;
  out.most_compute = runs[members.back()].compute;
  out.sizes = count_sizes(params);
  out.least_params = *std::min_element(params.begin(), params.end());
  out.most_params = *std::max_element(params.begin(), params.end());
  out.runs = std::move(members);
  return out;
}

// How the loss at the optimum and its size move with C: runs that spent a little more or less than the
// budget are moved along both.
struct Motion {
  double a = 0.5;             // d log N_opt / d log C
  std::vector<double> slope;  // of each budget, d loss / d log C at the optimum
};

void fit_curve(const std::vector<SizedRun>& runs, double a, double slope, IsoflopBudget& budget) {
  budget.x.clear(), budget.y.clear();
  std::vector<double> log_tokens;
  for (const int i : budget.runs) {
    const double away = std::log(runs[i].compute / budget.compute);
    budget.x.push_back(std::log(runs[i].params) - a * away);
    budget.y.push_back((runs[i].loss_nats - slope * away) / budget.mean_loss);
    log_tokens.push_back(std::log(runs[i].tokens) - (1 - a) * away);
  }
  budget.parabola = fit_parabola(budget.x, budget.y);
  budget.tokens_line = fit_power_line(budget.x, log_tokens, {});
}

double log_tokens_at(const IsoflopBudget& budget, double log_params) {
  return budget.tokens_line.at(log_params);
}

// The minimum if the sizes enclose it.
std::optional<double> inner_minimum(const IsoflopBudget& budget) {
  if (!budget.parabola) return std::nullopt;
  const auto found = budget.parabola->minimum();
  if (!found || *found <= std::log(budget.least_params) || *found >= std::log(budget.most_params))
    return std::nullopt;
  return found;
}

Motion motion_of(const std::vector<IsoflopBudget>& budgets) {
  Motion out{.slope = std::vector<double>(budgets.size(), 0)};
  std::vector<double> log_compute, log_params, loss;
  std::vector<size_t> places;
  for (size_t b = 0; b < budgets.size(); ++b) {
    const auto minimum = inner_minimum(budgets[b]);
    if (!minimum) continue;
    places.push_back(b);
    log_compute.push_back(std::log(budgets[b].compute));
    log_params.push_back(*minimum);
    loss.push_back(budgets[b].parabola->at(*minimum) * budgets[b].mean_loss);
  }
  if (places.size() < 2) return out;
  out.a = std::clamp(fit_power_line(log_compute, log_params, {}).slope, 0.0, 1.0);
  for (size_t b = 0; b < budgets.size(); ++b) {
    // Between the nearest minima on either side.
    const auto above = std::upper_bound(places.begin(), places.end(), b) - places.begin();
    const auto last = static_cast<ptrdiff_t>(places.size()) - 1;
    const ptrdiff_t high = std::clamp<ptrdiff_t>(above, 1, last);
    const ptrdiff_t low =
        high > 1 && places[static_cast<size_t>(high) - 1] == b ? high - 2 : high - 1;
    out.slope[b] = std::min(0.0, (loss[high] - loss[low]) / (log_compute[high] - log_compute[low]));
  }
  return out;
}

bool spreads(const IsoflopBudget& budget) {
  return budget.most_compute > 1.0001 * budget.least_compute;
}

void fit_curves(const std::vector<SizedRun>& runs, std::vector<IsoflopBudget>& budgets) {
  for (IsoflopBudget& budget : budgets) fit_curve(runs, 0, 0, budget);
  if (std::none_of(budgets.begin(), budgets.end(), spreads)) return;
  for (int round = 0; round < 3; ++round) {
    const Motion motion = motion_of(budgets);
    for (size_t b = 0; b < budgets.size(); ++b)
      fit_curve(runs, motion.a, motion.slope[b], budgets[b]);
  }
}

// Fills what is known of the minimum.
void find_minimum(double scatter, double reach, IsoflopBudget& budget) {
  const double least = std::log(budget.least_params), most = std::log(budget.most_params);
  const auto minimum = budget.parabola->minimum();
  if (!minimum) {
    budget.missing = "the loss does not turn: its curve opens downwards";
    return;
  }
  if (*minimum <= least || *minimum >= most) {
    const bool below = *minimum <= least;
    budget.missing =
        fmt::format("the minimum lies {} the {} size trained, {:.4g}: add {} ones",
                    below ? "below" : "above", below ? "smallest" : "largest",
                    below ? budget.least_params : budget.most_params, below ? "smaller" : "larger");
    return;
  }
  Estimate params{std::exp(*minimum), kUnknown, kUnknown};
  Estimate tokens{std::exp(log_tokens_at(budget, *minimum)), kUnknown, kUnknown};
  if (std::isfinite(scatter)) {
    const auto interval = vertex_interval(*budget.parabola, scatter, reach);
    if (!interval) {
      budget.missing = "the curvature is lost in the scatter of the runs";
      return;
    }
    budget.low_beyond = interval->low < least;
    budget.high_beyond = most < interval->high;
    params.low = std::exp(interval->low), params.high = std::exp(interval->high);
    tokens.low = std::exp(log_tokens_at(budget, interval->high));
    tokens.high = std::exp(log_tokens_at(budget, interval->low));
    budget.error = vertex_error(*budget.parabola, scatter);
  }
  budget.params = params, budget.tokens = tokens;
  budget.loss.value = budget.parabola->at(*minimum) * budget.mean_loss;
}

// The minima of the budgets that have one, as far as a draw has them too.
struct Minima {
  std::vector<double> log_compute, log_params, log_tokens, variances;
};

struct Lines {
  PowerLine params, tokens;
};

Lines lines_through(const Minima& minima, double excess, bool is_first) {
  const auto line = [&](const std::vector<double>& y) {
    return is_first ? fit_power_line(minima.log_compute, y, minima.variances)
                    : refit_power_line(minima.log_compute, y, minima.variances, excess);
  };
  return {line(minima.log_params), line(minima.log_tokens)};
}

OptimaDraw draw_from(const Lines& lines, const std::vector<OptimumAt>& at) {
  OptimaDraw out{lines.params.slope, lines.tokens.slope, {}, {}};
  for (const OptimumAt& each : at) {
    out.log_params.push_back(lines.params.at(std::log(each.compute)));
    out.log_tokens.push_back(lines.tokens.at(std::log(each.compute)));
  }
  return out;
}

Minima minima_of(const std::vector<IsoflopBudget>& budgets) {
  Minima out;
  for (const IsoflopBudget& budget : budgets) {
    if (!budget.has_minimum()) continue;
    out.log_compute.push_back(std::log(budget.compute));
    out.log_params.push_back(std::log(budget.params.value));
    out.log_tokens.push_back(std::log(budget.tokens.value));
    if (std::isfinite(budget.error)) out.variances.push_back(budget.error * budget.error);
  }
  return out;
}

// The losses again with other noise: each residual, enlarged by what its parabola absorbed, times a
// normal number of its cluster (the wild bootstrap; Cameron, Gelbach and Miller 2008). `stream`: the
// draw.
std::vector<double> drawn_losses(const std::vector<SizedRun>& runs, const IsoflopBudget& budget,
                                 double scatter, uint64_t seed, uint64_t stream) {
  constexpr double kAbsorbed =
      0.95;  // then the residual tells nothing, and the scatter of all stands in
  std::vector<double> out;
  for (size_t i = 0; i < budget.y.size(); ++i) {
    const double fitted = budget.parabola->at(budget.x[i]);
    const double leverage = budget.parabola->leverage[static_cast<Eigen::Index>(i)];
    const double error =
        leverage > kAbsorbed ? scatter : (budget.y[i] - fitted) / std::sqrt(1 - leverage);
    const auto cluster = static_cast<uint64_t>(runs[budget.runs[i]].cluster);
    out.push_back(fitted + error * random_normal(seed, stream, cluster));
  }
  return out;
}

std::optional<OptimaDraw> draw(const std::vector<SizedRun>& runs, const IsoflopFit& fit,
                               double excess, uint64_t seed, uint64_t number) {
  Minima minima;
  for (size_t b = 0; b < fit.budgets.size(); ++b) {
    const IsoflopBudget& budget = fit.budgets[b];
    if (!budget.has_minimum()) continue;
    const auto minimum =
        refit(*budget.parabola, drawn_losses(runs, budget, fit.scatter, seed, 2 * number + 2))
            .minimum();
    if (!minimum) continue;
    const double log_params = *minimum + excess * random_normal(seed, 2 * number + 3, b);
    minima.log_compute.push_back(std::log(budget.compute));
    minima.log_params.push_back(log_params);
    minima.log_tokens.push_back(log_tokens_at(budget, log_params));
    minima.variances.push_back(budget.error * budget.error);
  }
  if (minima.log_compute.size() < 2) return std::nullopt;
  return draw_from(lines_through(minima, excess, false), fit.optima.at);
}

// The interval also holds what it would be without the bias; on a logarithmic scale if it `is_log`.
void widen(Estimate& estimate, double bias, bool is_log) {
  if (!std::isfinite(bias) || !std::isfinite(estimate.low)) return;
  const auto moved = [&](double end) { return is_log ? end * std::exp(-bias) : end - bias; };
  estimate.low = std::min(estimate.low, moved(estimate.low));
  estimate.high = std::max(estimate.high, moved(estimate.high));
}

// What the parabolas miss of the law fitted beside them.
void add_bias(std::vector<SizedRun> runs, const LawAlong& law, IsoflopFit& fit) {
  for (size_t i = 0; i < runs.size(); ++i) runs[i].loss_nats = law.loss_nats[i];
  std::vector<IsoflopBudget> budgets;
  for (const IsoflopBudget& budget : fit.budgets) budgets.push_back(budget_of(runs, budget.runs));
  fit_curves(runs, budgets);
  Minima by_parabola = minima_of(fit.budgets), by_law = by_parabola;
  std::vector<double> biases;
  size_t place = 0;
  for (size_t b = 0; b < budgets.size(); ++b) {
    if (!fit.budgets[b].has_minimum()) continue;
    const double best = law.log_params(budgets[b].compute);
    const auto found = budgets[b].parabola ? budgets[b].parabola->minimum() : std::nullopt;
    if (!found || !std::isfinite(best)) return;
    by_parabola.log_params[place] = *found, by_law.log_params[place] = best;
    by_parabola.log_tokens[place] = log_tokens_at(budgets[b], *found);
    by_law.log_tokens[place] = std::log(budgets[b].compute / law.compute_ratio) - best;
    biases.push_back(*found - best);
    fit.budgets[b].bias = biases.back();
    widen(fit.budgets[b].params, biases.back(), true);
    widen(fit.budgets[b].tokens, by_parabola.log_tokens[place] - by_law.log_tokens[place], true);
    ++place;
  }
  if (biases.empty()) return;
  fit.bias.params = median(biases);
  fit.bias.least = *std::min_element(biases.begin(), biases.end());
  fit.bias.most = *std::max_element(biases.begin(), biases.end());
  if (!fit.optima.known()) return;
  const OptimaDraw with = draw_from(lines_through(by_parabola, fit.excess, false), fit.optima.at);
  const OptimaDraw without = draw_from(lines_through(by_law, fit.excess, false), fit.optima.at);
  fit.bias.a = with.a - without.a;
  widen(fit.optima.a, with.a - without.a, false);
  widen(fit.optima.b, with.b - without.b, false);
  for (size_t i = 0; i < fit.optima.at.size(); ++i) {
    widen(fit.optima.at[i].params, with.log_params[i] - without.log_params[i], true);
    widen(fit.optima.at[i].tokens, with.log_tokens[i] - without.log_tokens[i], true);
  }
}

void add_optima(const std::vector<SizedRun>& runs, const ApproachOptions& options, double level,
                IsoflopFit& fit) {
  const Minima minima = minima_of(fit.budgets);
  if (minima.log_compute.size() < 2) {
    fit.optima.missing =
        minima.log_compute.empty()
            ? "no budget has a minimum between the sizes trained"
            : "only one budget has a minimum between the sizes trained; an exponent needs two";
    return;
  }
  fit.optima.least_compute = std::exp(minima.log_compute.front());
  fit.optima.most_compute = std::exp(minima.log_compute.back());
  fit.optima.at = budgets_asked(options, fit.optima.most_compute);
  const Lines lines = lines_through(minima, 0, true);
  fit.excess = lines.params.excess;
  std::vector<OptimaDraw> draws;
  if (std::isfinite(fit.scatter)) {
    for (int64_t i = 0; i < options.draws; ++i) {
      if (auto one = draw(runs, fit, fit.excess, options.seed, static_cast<uint64_t>(i)))
        draws.push_back(std::move(*one));
    }
  }
  summarise(draw_from(lines, fit.optima.at), draws, level, fit.optima);
  if (minima.log_compute.size() == 2)
    fit.optima.notes.emplace_back(
        "Two budgets give a power law without a check: a third would show whether it holds.");
}

}  // namespace

IsoflopFit fit_isoflop(const std::vector<SizedRun>& runs, const ApproachOptions& options,
                       const LawAlong* law) {
  IsoflopFit out;
  for (std::vector<int>& members : group_budgets(runs, options.budget_tolerance)) {
    IsoflopBudget budget = budget_of(runs, std::move(members));
    if (budget.sizes < kFewestSizes)
      out.loose_runs += static_cast<int>(budget.runs.size());
    else
      out.budgets.push_back(std::move(budget));
  }
  if (out.budgets.empty()) {
    out.optima.missing = fmt::format(
        "no budget has runs of three sizes: C is one budget where it differs by at most {:.3g} %; "
        "--budget-tolerance widens that, and --approach parametric needs no budgets",
        100 * options.budget_tolerance);
    return out;
  }
  fit_curves(runs, out.budgets);
  double squares = 0;
  for (const IsoflopBudget& budget : out.budgets) {
    if (!budget.parabola) continue;
    squares += budget.parabola->squares;
    out.freedom += static_cast<int>(budget.x.size()) - 3;
  }
  double reach = 0, level = options.level;
  if (out.freedom > 0) {
    out.scatter = std::sqrt(squares / out.freedom);
    reach = t_quantile(0.5 + 0.5 * options.level, out.freedom);
    // Percentiles of normal draws get Student's coverage. Where clusters hold several runs, the line of
    // the exponent has no more degrees of freedom than they.
    std::set<int> clusters;
    for (const IsoflopBudget& budget : out.budgets) {
      for (const int run : budget.runs) clusters.insert(runs[run].cluster);
    }
    const double of_clusters = std::max(1.0, static_cast<double>(clusters.size()) - 2);
    const double freedom = std::min<double>(out.freedom, of_clusters);
    level = 1 - 2 * normal_share(-t_quantile(0.5 + 0.5 * options.level, freedom));
  }
  for (IsoflopBudget& budget : out.budgets) {
    if (budget.parabola)
      find_minimum(out.scatter, reach, budget);
    else
      budget.missing = "its sizes give no parabola";
  }
  add_optima(runs, options, level, out);
  if (law != nullptr) add_bias(runs, *law, out);
  if (out.freedom == 0)
    out.optima.notes.emplace_back(
        "Every budget has as many runs as a parabola has constants: nothing tells their errors, so "
        "there are no intervals. A fourth size per budget would.");
  return out;
}

}  // namespace bitlaw
