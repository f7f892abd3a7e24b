// Which law describes these runs best? Each law is fitted to the same rows by least squares of log
// residuals (AICc supposes it) and judged on rows it has not seen. Laws whose difference is within
// twice its standard error are tied, and the verdict says so.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "fit/fit.h"
#include "laws/observation.h"

namespace bitlaw {

struct CompareOptions {
  std::vector<std::string> laws;   // empty = all
  std::string hold_out = "kfold";  // largest-N, largest-D, kfold
  int64_t folds = 5;
  std::string params = "non-embedding";  // or "total": what N counts
  int64_t starts = 64;
  uint64_t seed = 1;

  template <class V>
  void visit(V& v) {
    v("laws", laws, "laws to compare; empty = all");
    v("hold_out", hold_out, "rows to predict unseen: largest-N, largest-D or kfold");
    v("folds", folds, "how many folds");
    v("params", params, "what N counts: non-embedding or total");
    v("starts", starts, "starting points of each fit");
    v("seed", seed, "seed of starts and folds");
  }
};

//   .laws[]     name, parameters (k), sse, rms_log, r2, aicc, held_out {rms_log, standard_error,
//               points}, tied_with_best, note where a law could not be fitted; best first
//   .points .hold_out .verdict
Json compare_laws(const std::vector<Observation>& runs, const CompareOptions& options,
                  const ParallelFor& parallel_for = {});

std::string compare_text(const Json& comparison);

}  // namespace bitlaw
