// Fits a law to the rows of a study.
//
//   training   minimise over the constants   sum_i rho( log L(run_i) - log loss_i )
//   post       then, with those fixed, over the constants of delta   sum_j rho_post( r_j )
//
// rho is Huber's function, summed, never averaged (or the square). r_j is the residual in standard
// errors: of log delta if delta was measured better than a law can predict it, of delta itself
// otherwise. A measured delta at or below zero is a measurement too; dropping it would bias the
// exponents. See docs/decisions/0003-fitting.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "fit/penalty.h"
#include "fit/uncertainty.h"
#include "laws/fitted_classes.h"
#include "laws/fixed_params.h"
#include "laws/formula_law.h"
#include "laws/observation.h"
#include "laws/parameter.h"
#include "laws/registry.h"
#include "predict/reach.h"
#include "predict/scatter.h"
#include "solve/quantile.h"

namespace bitlaw {

// Calls task(i) for every i in [0, count), in any order, on any threads. Empty = sequentially.
using ParallelFor = std::function<void(int64_t count, const std::function<void(int64_t)>& task)>;

struct FitOptions {
  std::string law = default_law().name;
  std::string objective = "huber";  // or "least-squares", or "lad"
  std::string residual = "log";     // of the loss; or "linear"
  std::string weights = "none";     // of runs; or "standard-error"
  double huber_delta =
      0;  // Huber's threshold, in log loss; 0 = from the residuals (fit/threshold.h)
  std::string params = "non-embedding";  // or "total", "flops": what N counts
  std::string method;                    // deltas of this method only; "" = gptq, or the only one
  std::vector<std::string> tie;          // "beta=alpha": the first always equals the second
  std::vector<std::string> freeze;       // "b=1.1277", or "b" alone: at its published value
  std::vector<std::string> range;        // "alpha=0.1..1": hard limits of a constant
  double post_threshold = 1.345;  // Huber's threshold for delta, in standard errors; 0 = squares
  double post_floor = 0.1;        // smallest relative error of a delta: no law is exact
  bool joint = false;             // constants of training and delta together, from the staged fit
  std::vector<std::string> profile;  // profile likelihood of: constants, "all" of them, "derived"
  int64_t starts = 64;
  int64_t draws = 400;  // bootstrap refits; 0 = no intervals
  double level = 0.9;   // of the intervals
  uint64_t seed = 1;
  bool hold_out = true;  // also fit without the largest N, the largest D, and by folds

  template <class V>
  void visit(V& v) {
    v("law", law, "law to fit");
    v("objective", objective, "huber, lad (least absolute deviations) or least-squares");
    v("residual", residual, "log (of the loss) or linear");
    v("weights", weights,
      "weights of runs: none, or standard-error (inverse square of the loss's standard error)");
    v("huber_delta", huber_delta,
      "Huber's threshold, in log loss; 0 = 1.345 deviations of the residuals");
    v("params", params, "what N counts: non-embedding, total, or flops: C / (6 D)");
    v("method", method,
      "quantization method whose deltas are fitted; empty = gptq, or the only one");
    v("tie", tie, "ties such as beta=alpha");
    v("freeze", freeze, "constants to keep fixed: b=1.1277, or b for its published value");
    v("range", range, "hard limits of constants: alpha=0.1..1,E=0..3");
    v("post_threshold", post_threshold,
      "Huber's threshold for delta, in standard errors; 0 = squares");
    v("post_floor", post_floor, "smallest relative error of a delta");
    v("joint", joint,
      "fit the constants of training and of delta together, starting from the staged fit");
    v("profile", profile, "profile likelihood of these constants, of all, or of derived");
    v("starts", starts, "starting points");
    v("draws", draws, "bootstrap refits for the intervals; 0 = none");
    v("level", level, "level of the intervals");
    v("seed", seed, "seed of starts and bootstrap");
    v("hold_out", hold_out, "also measure the error on held-out rows");
  }
};

struct FittedParameter {
  std::string name;  // the authors' symbol
  double value = kUnknown;
  double low = kUnknown, high = kUnknown;  // percentile interval; NaN = none
  std::string frozen;                      // why it was not fitted; "" = fitted or tied
  std::string tied_to;                     // the constant it always equals; "" = none
  // False: over most of its range no value is better than another, whatever the others are then.
  // `value` is one of many, and [low, high] all of them.
  bool identified = true;
  bool low_open = false, high_open = false;  // the rows set no such end: it is that of the search
};

// The error on held-out rows.
struct HeldOut {
  std::string part;                  // "training": of losses; "post": of deltas
  std::string split;                 // "largest-N", "largest-D", "kfold" (five folds)
  int fitted = 0, points = 0;        // rows fitted, rows predicted
  double rms_log = kUnknown;         // root of the mean squared log residual
  double standard_error = kUnknown;  // of rms_log, over clusters; NaN for one cluster
  // Held-out deltas without a logarithm: below five standard errors, or zero by the law.
  int unclear = 0;
  // Of deltas: the root mean square in standard errors, as they are fitted, over all `all_points`.
  double rms_errors = kUnknown;
  int all_points = 0;
};

// One of the two parts of a fit.
struct StageFit {
  double objective = kUnknown;  // at the minimum: a sum, not a mean
  double sse = kUnknown;        // of log residuals (of log delta: where r2 is known)
  double r2 = kUnknown;         // of the loss; of log delta for deltas above five standard errors
  double r2_all = kUnknown;     // of deltas: of all that were measured, in nats
  int judged = 0;               // how many these are
  int points = 0, free = 0, clusters = 0;
  int starts = 0, reached = 0;  // starts run; starts within 1 % of the best objective
  bool converged = false;
  double condition = kUnknown;  // of the Jacobian, columns scaled to one
  Scatter scatter;              // of runs around the law; of deltas
  // The constants that the spread of draws lacks, 1 unless draws weight rows by fractions.
  int absorbed = 1;
  // The level whose percentiles over the draws have coverage `level`.
  double drawn(double level) const { return expanded_level(level, clusters, absorbed); }
};

// The training law fitted with the other way to count N, if the rows have both.
struct OtherCount {
  std::string params;  // "total", "non-embedding"; "" = there is none
  double objective = kUnknown;
  std::vector<double> values;  // in the law's order
};

struct Fit {
  std::string law;
  std::optional<LawFormula> own;            // the law's definition, unless it is compiled
  std::string objective_name;               // "huber(0.001, sum) of log residuals"
  double threshold = kUnknown;              // Huber's, of the training stage
  std::vector<FittedParameter> parameters;  // all of the law's, in its order
  StageFit training, post;                  // points = 0 if there were no rows
  double level = 0.9;                       // of the intervals
  Reach reach;                              // of the rows; a plan beyond it extrapolates
  FittedClasses classes;                    // of precision, if the law has constants for them
  std::string params = "non-embedding";     // or "total", "flops": what N counts
  std::string method;                       // whose deltas were fitted; "" = unknown, or none were
  FixedParams fixed;                        // embeddings and head in the table, by size
  int censored = 0;                         // rows of delta <= 0, fitted as measurements near zero
  std::vector<HeldOut> held_out;
  PenaltyFit penalty;  // what precision costs, by the training law
  OtherCount other_count;
  std::vector<std::vector<double>> draws;  // bootstrap: a value for every parameter
  std::vector<Derived> derived;            // derived quantities
  std::vector<ProfileInterval> profiles;   // as options.profile requests
  std::vector<std::string> notes;          // sentences for the reader

  bool converged() const {
    return (training.points == 0 || training.converged) && (post.points == 0 || post.converged);
  }
  // The training stage, or the post-training stage if there is no training row.
  const StageFit& main() const { return training.points > 0 ? training : post; }
  std::vector<double> values() const;  // in the law's order
};

// Error with the number of missing rows if there are fewer rows than constants to fit; with equally
// many there are no intervals. Constants the data cannot identify stay at published values; `notes`
// lists them.
Fit fit_law(const Law& law, const std::vector<Observation>& runs, const FitOptions& options,
            const ParallelFor& parallel_for = {});
// The same for the law that `options` names.
Fit fit_law(const std::vector<Observation>& runs, const FitOptions& options,
            const ParallelFor& parallel_for = {});

// .fixed_params (laws/fixed_params.h) where the table has both counts of N
// .law .objective .parameters.NAME.{value,low,high[,frozen][,tied_to][,identified]} .params
// .method .r2 .points .notes[]
// .classes.{reference,bits[]} (laws/fitted_classes.h), of laws with a constant for each class
// .training .post .studied (predict/reach.h) .held_out[] .draws.{names,values} .derived[].{name,unit,value,low,high[,note]}
// .profiles.NAME.{low,high,points[].{value,rise}}, all digits. fit_from_json is its inverse;
// `where` names the file in an Error.
Json fit_to_json(const Fit& fit);
Fit fit_from_json(const Json& document, const std::string& where);

// A table of the constants with their intervals, then the notes.
std::string fit_text(const Fit& fit);

}  // namespace bitlaw
