// Approach 2 of Hoffmann et al. (2022): for every training budget a parabola of the loss in log N, whose
// minimum is N_opt; then N_opt ~ C^a through the minima, each weighted by its error.
//
// A budget gives no minimum if its curvature is not told from none, or if the minimum lies outside the
// sizes that were trained. Errors come from the scatter of all runs around their parabolas, relative to
// the loss; the interval of one minimum is Fieller's, that of the exponents a wild bootstrap by cluster
// through both steps.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "approach/budgets.h"
#include "approach/optima.h"
#include "approach/parabola.h"
#include "approach/power_line.h"

namespace bitlaw {

struct IsoflopBudget {
  double compute = kUnknown;  // geometric mean
  double least_compute = kUnknown, most_compute = kUnknown;
  std::vector<int> runs;  // of the input
  int sizes = 0;          // different N among them
  double least_params = kUnknown, most_params = kUnknown;
  std::string missing;  // why there is no minimum; "" = there is one
  Estimate params, tokens, loss;
  bool low_beyond = false, high_beyond = false;  // ends of the interval outside the sizes trained
  double error = kUnknown;                       // standard error of log N_opt
  double bias = 0;  // of log N_opt by the law fitted beside; the intervals hold both

  // The parabola: of loss / mean_loss in log N, of runs moved to exactly `compute`.
  std::optional<Parabola> parabola;
  double mean_loss = kUnknown;
  std::vector<double> x, y;
  PowerLine tokens_line;  // log D against log N

  bool has_minimum() const { return missing.empty(); }
};

// A law fitted to the same runs, to see what parabolas miss.
struct LawAlong {
  std::vector<double> loss_nats;                     // of each run, by the law
  std::function<double(double compute)> log_params;  // log N_opt, by the law
  double compute_ratio = 6;                          // C / (N D)
};

// Parabolas are biased where curves are lopsided, or sizes lie unevenly around the minimum (Czech et al.
// 2026, arXiv 2603.22339). How much: the same parabolas through the losses of the fitted law, against the
// law's own optimum.
struct ParabolaBias {
  double a = kUnknown;                       // of the exponent; NaN = not known
  double params = kUnknown;                  // of log N_opt, the median over the budgets
  double least = kUnknown, most = kUnknown;  // over the budgets
};

struct IsoflopFit {
  std::vector<IsoflopBudget> budgets;
  int loose_runs = 0;         // in budgets of fewer than three sizes, which are not listed
  double scatter = kUnknown;  // of the loss around the parabolas, relative
  int freedom = 0;            // degrees of freedom of that
  double excess = 0;          // scatter of log N_opt around the power law beyond its errors
  ParabolaBias bias;
  Optima optima;
};

// `law`: null = intervals without what parabolas miss.
IsoflopFit fit_isoflop(const std::vector<SizedRun>& runs, const ApproachOptions& options,
                       const LawAlong* law = nullptr);

}  // namespace bitlaw
