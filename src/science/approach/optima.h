// What every approach finds: the exponents of N_opt and D_opt, and both at some budgets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

struct ApproachOptions {
  std::vector<double> compute;    // budgets to predict; empty = the largest, and ten times it
  double budget_tolerance = 0.1;  // runs whose C differs by at most this share are one budget
  std::string params = "non-embedding";  // or "total", "flops": what N counts
  int64_t draws = 400;
  double level = 0.9;
  uint64_t seed = 1;

  // The others are those of the fit.
  template <class V>
  void visit(V& v) {
    v("compute", compute,
      "approaches: budgets to give N_opt and D_opt for; empty = the largest of the table, and ten "
      "times it");
    v("budget_tolerance", budget_tolerance,
      "isoflop: runs whose C differs by at most this share are one budget");
  }
};

// A number with its interval; NaN = not known.
struct Estimate {
  double value = kUnknown, low = kUnknown, high = kUnknown;
};

struct OptimumAt {
  double compute = kUnknown;
  Estimate params, tokens;
  double beyond = 1;  // by which factor C is outside the budgets that were fitted
};

struct Optima {
  std::string missing;  // why there are no exponents; "" = there are
  Estimate a, b;        // N_opt ~ C^a, D_opt ~ C^b
  std::vector<OptimumAt> at;
  double least_compute = kUnknown, most_compute = kUnknown;  // of what was fitted
  std::vector<std::string> notes;

  bool known() const { return missing.empty(); }
};

// Exponents and log N_opt, log D_opt at every budget of `optima.at`, of the fit or of one draw.
struct OptimaDraw {
  double a, b;
  std::vector<double> log_params, log_tokens;
};

// Fills `optima` from the fit and its draws: percentiles at `level`.
void summarise(const OptimaDraw& best, const std::vector<OptimaDraw>& draws, double level,
               Optima& optima);

// Empty entries for the budgets that are asked for.
std::vector<OptimumAt> budgets_asked(const ApproachOptions& options, double most_compute);

}  // namespace bitlaw
