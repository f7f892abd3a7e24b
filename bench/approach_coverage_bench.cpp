// How often do the intervals of `bitlaw fit --approach isoflop` and `envelope` contain the true value?
//
//   bench/run approach_coverage [--studies 1000] [--draws 200] [--level 0.9] [--noise 1e-3]
//
// isoflop: five budgets, each four times the last, of seven runs. "centred": from a third of the best
// size to three times it. "fixed": the same seven sizes for every budget, so that the minimum wanders
// through them. "loose": centred, with budgets that are missed by up to 4 %. "trunks": centred, runs of one
// size are one cluster and share 80 % of their noise.
// envelope: learning curves of eight sizes, each twice the last, to six times their best D; every run is
// off by one factor ("runs"), or also every point of it by itself ("points").
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "approach/approach.h"
#include "base/random.h"
#include "base/statistics.h"

namespace bitlaw {
namespace {

struct Options {
  int studies = 1000, draws = 200;
  double level = 0.9, noise = 1e-3;
};

struct Truth {
  const char* name;
  double e, a, b, alpha, beta;

  double loss(double n, double d) const {
    return e + a * std::pow(n, -alpha) + b * std::pow(d, -beta);
  }
  double exponent() const { return beta / (alpha + beta); }
  double best_params(double compute) const {
    return std::pow(alpha * a / (beta * b) * std::pow(compute / 6, beta), 1 / (alpha + beta));
  }
};

// Of Besiroglu et al. (2024), whose exponents are nearly equal, and of a lopsided law.
constexpr Truth kTruths[] = {{"alpha .348, beta .366", 1.8172, 482.01, 2085.43, 0.3478, 0.3658},
                             {"alpha .45, beta .25", 1.7, 2000, 60, 0.45, 0.25}};

std::vector<SizedRun> isoflop_runs(const Truth& truth, const std::string& kind, double noise,
                                   uint64_t seed) {
  std::vector<SizedRun> out;
  for (int b = 0; b < 5; ++b) {
    const double budget = 1e18 * std::pow(4.0, b);
    for (int i = 0; i < 7; ++i) {
      SizedRun run;
      const double place = i / 3.0 - 1;
      run.params = truth.best_params(kind == "fixed" ? 1.6e19 : budget) *
                   std::pow(kind == "fixed" ? 8.0 : 3.0, place);
      const auto index = out.size();
      const double missed =
          kind == "loose" ? std::exp(0.04 * (2 * random_uniform(seed, 3, index) - 1)) : 1;
      run.tokens = budget * missed / (6 * run.params);
      run.compute = budget * missed;
      run.cluster = static_cast<int>(kind == "trunks" ? static_cast<size_t>(i) : index);
      const double own = random_normal(seed, 1, index);
      const double common = random_normal(seed, 2, static_cast<uint64_t>(run.cluster));
      const double z = kind == "trunks" ? std::sqrt(0.2) * own + std::sqrt(0.8) * common : own;
      run.loss_nats = truth.loss(run.params, run.tokens) * std::exp(noise * z);
      out.push_back(run);
    }
  }
  return out;
}

std::vector<LearningCurve> curves(const Truth& truth, const std::string& kind, double noise,
                                  uint64_t seed) {
  std::vector<LearningCurve> out;
  for (int i = 0; i < 8; ++i) {
    LearningCurve& curve = out.emplace_back();
    curve.params = 1e7 * std::pow(2.0, i);
    const double factor = noise * random_normal(seed, 1, static_cast<uint64_t>(i));
    // Where this size is the best: 6 N D = C and N = best_params(C).
    const double best_compute =
        6 * std::pow(curve.params / truth.best_params(6), 1 / truth.exponent());
    const double most = 6 * best_compute / (6 * curve.params);
    for (int k = 1; k <= 400; ++k) {
      curve.tokens.push_back(most * k / 400);
      const double own =
          kind == "points" ? noise * random_normal(seed, 100 + i, static_cast<uint64_t>(k)) : 0;
      curve.loss_nats.push_back(truth.loss(curve.params, curve.tokens.back()) *
                                std::exp(factor + own));
    }
  }
  return out;
}

// With the law of the registry beside it, as the verb does.
IsoflopFit isoflop(const std::vector<SizedRun>& runs, const ApproachOptions& options) {
  std::vector<Observation> rows;
  for (const SizedRun& run : runs) {
    Observation& row = rows.emplace_back();
    row.params = run.params, row.tokens = run.tokens, row.loss_nats = run.loss_nats;
    row.cluster = fmt::format("{}", run.cluster);
  }
  FitOptions fit;
  fit.law = "chinchilla", fit.starts = 8, fit.hold_out = false;
  return fit_approaches("isoflop", rows, {}, options, law_named(fit.law), fit, {}).isoflop;
}

struct Count {
  int inside = 0, all = 0;
  std::vector<double> errors;

  void add(const Estimate& estimate, double truth, bool is_log) {
    if (!std::isfinite(estimate.value)) return;
    errors.push_back(is_log ? std::log(estimate.value / truth) : estimate.value - truth);
    if (!std::isfinite(estimate.low)) return;
    ++all;
    inside += estimate.low <= truth && truth <= estimate.high;
  }
};

void add_optima(const Optima& optima, const Truth& truth, std::map<std::string, Count>& counts) {
  counts["a"].add(optima.a, truth.exponent(), false);
  counts["b"].add(optima.b, 1 - truth.exponent(), false);
  for (size_t i = 0; i < optima.at.size(); ++i) {
    const OptimumAt& at = optima.at[i];
    counts[i == 0 ? "N_opt" : "N_opt, ten times C"].add(at.params, truth.best_params(at.compute),
                                                        true);
  }
}

void print(const std::string& name, const std::map<std::string, Count>& counts, int studies) {
  for (const auto& [what, count] : counts) {
    const double share = static_cast<double>(count.inside) / std::max(1, count.all);
    const double bias = count.errors.empty() ? NAN : median(count.errors);
    fmt::print("{:<44} {:<22} {:>6.1f} % +- {:<4.1f} median error {:+.4f}  known {:.1f} %\n", name,
               what, 100 * share, 100 * std::sqrt(share * (1 - share) / std::max(1, count.all)),
               bias,
               what == "N_opt of a budget"
                   ? 100.0 * static_cast<double>(count.errors.size()) / (5.0 * studies)
                   : 100.0 * static_cast<double>(count.errors.size()) / studies);
  }
}

void run(const Options& options) {
  ApproachOptions fitting;
  fitting.draws = options.draws, fitting.level = options.level;
  for (const Truth& truth : kTruths) {
    for (const char* kind : {"centred", "fixed", "loose", "trunks"}) {
      std::map<std::string, Count> counts;
      for (int i = 1; i <= options.studies; ++i) {
        fitting.seed = static_cast<uint64_t>(i) + 1'000'000;
        const IsoflopFit fit =
            isoflop(isoflop_runs(truth, kind, options.noise, static_cast<uint64_t>(i)), fitting);
        for (const IsoflopBudget& budget : fit.budgets)
          counts["N_opt of a budget"].add(budget.params, truth.best_params(budget.compute), true);
        if (fit.optima.known()) add_optima(fit.optima, truth, counts);
      }
      print(fmt::format("isoflop, {}, {}", kind, truth.name), counts, options.studies);
    }
    for (const char* kind : {"runs", "points"}) {
      std::map<std::string, Count> counts;
      for (int i = 1; i <= options.studies; ++i) {
        fitting.seed = static_cast<uint64_t>(i) + 1'000'000;
        const EnvelopeFit fit =
            fit_envelope(curves(truth, kind, options.noise, static_cast<uint64_t>(i)), 6, fitting);
        if (fit.optima.known()) add_optima(fit.optima, truth, counts);
      }
      print(fmt::format("envelope, {}, {}", kind, truth.name), counts, options.studies);
    }
  }
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  bitlaw::Options options;
  CLI::App app{"Measures how often intervals of the compute-optimal exponents contain the truth."};
  app.add_option("--studies", options.studies, "studies")->check(CLI::PositiveNumber);
  app.add_option("--draws", options.draws, "draws per study")->check(CLI::PositiveNumber);
  app.add_option("--level", options.level, "level of the intervals")->check(CLI::Range(0.0, 1.0));
  app.add_option("--noise", options.noise, "standard deviation of log loss");
  CLI11_PARSE(app, argc, argv);
  bitlaw::run(options);
  return 0;
}
