// Which law describes these runs best? Each law is fitted to the same rows, as fit_law fits it, and
// ranked by its error on held-out rows. Laws whose difference from the best is within about twice its
// standard error are tied, and the verdict says so. Laws with a post-training term are compared a
// second time, by that term on loss differences.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "compare/comparison.h"
#include "fit/fit.h"
#include "laws/observation.h"

namespace bitlaw {

struct CompareOptions {
  std::vector<std::string> laws;   // empty = all
  bool gaps = false;               // rows are gaps (table/gaps.h): laws of gaps are compared
  std::string hold_out = "kfold";  // see fit/masks.h
  int64_t folds = 5;
  std::string objective = "huber";       // or "least-squares", or "lad"
  double huber_delta = 0;                // Huber's threshold; 0 = from each law's residuals
  std::string params = "non-embedding";  // or "total", "flops": what N counts
  std::string method;                    // deltas of this method; "" = gptq, or the only one
  int64_t starts = 64;                   // maximum; fewer if there are few minima
  uint64_t seed = 1;

  template <class V>
  void visit(V& v) {
    v("laws", laws, "laws to compare; empty = all");
    v("hold_out", hold_out,
      "rows to hold out and predict: largest-N, largest-D, kfold, bits, class, bits=3, P_w<=4, "
      "class=W4A4, N>3e8");
    v("folds", folds, "number of folds");
    v("objective", objective, "huber, lad (least absolute deviations) or least-squares");
    v("huber_delta", huber_delta,
      "Huber's threshold, in log loss; 0 = 1.345 deviations of each law's residuals");
    v("params", params, "what N counts: non-embedding, total, or flops: C / (6 D)");
    v("method", method, "quantization method whose deltas are compared");
    v("starts", starts, "maximum number of starts of each fit");
    v("seed", seed, "seed of starts and folds");
  }
};

// The laws that CompareOptions::laws names, each once; `notes` says which are left out because they do
// not predict a loss (or a gap). Error for an unknown name.
std::vector<const Law*> laws_to_compare(const CompareOptions& options,
                                        std::vector<std::string>& notes);

// Error if an option is invalid, or if the table has nothing to compare laws on.
Comparison compare_laws(const std::vector<Observation>& runs, const CompareOptions& options,
                        const ParallelFor& parallel_for = {});

// The comparison as a document:
//   .laws[]   best first: name, k (free constants), parameters.NAME.{value[,frozen]}, at_edge[],
//             sse, rms_log, r2, aicc, starts {run, reached, minima, most}, converged,
//             held_out {points, rms_log, standard_error}, difference {log_rms, standard_error,
//             allowed_errors} from the best, tied_with_best; note if there is a remark.
//             Laws that could not be fitted or judged come last, with null for numbers.
//   .points .clusters .hold_out .held_out {rows, judged, clusters} .verdict .best .tied[]
//   .behind[] .not_judged[] .best_aicc .notes[]
//   .post     the same for loss differences, if the table has them: errors are in standard errors
//             (rms), with rms_log for deltas well above the noise
Json comparison_json(const Comparison& comparison);

// Tables for a terminal.
std::string comparison_text(const Comparison& comparison);

// A line for each row and fitted law: the row's columns, then law, residual (of the fit to all rows),
// held_out_residual (of a fit to the others; empty if not held out or not predicted) and residual_unit:
// "log loss", log(predicted / measured), or "standard errors" of a difference. N as the laws count it.
std::string comparison_csv(const Comparison& comparison);

}  // namespace bitlaw
