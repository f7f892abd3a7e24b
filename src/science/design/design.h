// The next runs: which ones shrink the interval of a given quantity most, within a budget of
// training FLOP (6 N D each)?
//
// The law is fitted to the table (least squares of log residuals), which gives the noise of a run
// and the information matrix of the constants: M = J' J / sigma^2, J the derivatives of residuals
// at the fit. A planned run adds a row that is known before the run is made, because the
// derivatives do not depend on its loss. So the interval after any set of runs can be predicted,
// and the best set chosen (design/selection.h). This assumes the law and its linearisation at the
// fit.
//
// If the table has loss differences of post-training quantization, an unquantized candidate
// includes those cells: quantizing is cheap compared with training. A constant that the table does
// not identify starts from its whole range.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "fit/fit.h"
#include "laws/observation.h"

namespace bitlaw {

struct DesignOptions {
  std::string law = default_law().name;
  std::string shrink = "P*";        // design/quantity.h; "all" = all constants together
  double budget = 0;                // FLOP; 0 = a tenth of the cost of the table's runs
  int64_t runs = 8;                 // at most
  std::string candidates = "grid";  // table/candidates.h
  std::string params = "non-embedding";
  std::string method;                    // deltas of this method; "" = gptq, or the only one
  std::vector<std::string> tie, freeze;  // as for a fit
  double level = 0.9;                    // of the intervals
  int64_t starts = 64;
  uint64_t seed = 1;

  template <class V>
  void visit(V& v) {
    v("law", law, "law to fit, and to base the design on");
    v("shrink", shrink,
      "quantity whose interval to shrink: a constant, P*, P*_w, N_eff:4, D_crit:4@N=1e9, "
      "loss@N=1e9,D=2e10,P_w=4; or all constants");
    v("budget", budget, "training FLOP of all proposed runs; 0 = a tenth of the table's");
    v("runs", runs, "maximum number of runs");
    v("candidates", candidates, "grid, or N=1e8,2e8;D=1e9,1e10;bits=3,4,16, or a CSV file of runs");
    v("params", params, "what N counts: non-embedding, total, or flops: C / (6 D)");
    v("method", method, "quantization method whose deltas are fitted");
    v("tie", tie, "ties such as beta=alpha");
    v("freeze", freeze, "constants to keep fixed: b=1.1277, or b for its published value");
    v("level", level, "level of the intervals");
    v("starts", starts, "maximum number of starts of the fit");
    v("seed", seed, "seed of the starts and of the random choice to compare with");
  }
};

struct ProposedRun {
  Observation run;                // without a loss
  std::vector<double> post_bits;  // to quantize it to after training, as in the table
  double flop = 0;
  double standard_error = kUnknown;  // of the quantity, after this run and those before it
  std::vector<std::string> beyond;   // what of it leaves the table's runs, in words
};

struct DesignInterval {
  double standard_error = kUnknown, low = kUnknown, high = kUnknown;
};

struct Design {
  std::string law, shrink, unit;
  double level = 0.9, budget = 0, spent = 0;
  double value = kUnknown;  // of the quantity at the fit; NaN for "all"
  // Predicted; of "all" only standard errors, their geometric mean over coordinates.
  DesignInterval before, after,
      random;  // random: the median of 101 random choices within the same limits
  int candidates = 0, points = 0;
  std::vector<ProposedRun> runs;
  std::vector<std::string> notes;
};

// candidates: a list to choose from; empty = from options.candidates. Error if an option is
// invalid.
Design design_runs(const std::vector<Observation>& rows, const DesignOptions& options,
                   const std::vector<Observation>& candidates = {},
                   const ParallelFor& parallel_for = {});

Json design_json(const Design& design);
std::string design_text(const Design& design);

}  // namespace bitlaw
