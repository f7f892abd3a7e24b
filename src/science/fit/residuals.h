// The rows of one stage of a fit as a least-squares problem over coordinates.
//
//   training   r = log L(run) - log loss
//   post       r = (log delta(run) - log measured) / floor   if the standard error is below
//                                                            floor times the measured delta
//              r = (delta(run) - measured) / error           otherwise, at and below zero included
//
// The floor is the assumed relative error of a law; no row counts as more precise than that.
// Precise rows are compared by ratio, which suits a law that is a product. The others are compared
// by difference, in which their error is symmetric: a logarithm would skew it, and is undefined for
// a delta at or below zero. At the boundary the two agree to first order. An unknown error is taken
// as the floor, or for a delta at or below zero as the typical error of the table.
#pragma once

#include <vector>

#include "fit/coordinates.h"
#include "fit/row_settings.h"
#include "laws/observation.h"
#include "solve/solver.h"

namespace bitlaw {

struct ResidualSettings {
  Stage stage = Stage::kTraining;
  double huber = 1e-3;    // Huber's threshold; infinite = squares
  double floor = 0.1;     // smallest relative error of a delta
  bool linear = false;    // training: residuals of the loss itself rather than of its logarithm
  bool weighted = false;  // training: weights are inverse squares of the standard errors
};

// The residuals of a stage's rows at any constants of the law. The law must outlive them. Rows are
// padded to a multiple of eight with copies of the last.
class StageResiduals {
 public:
  StageResiduals(const Law& law, const std::vector<Observation>& runs,
                 const ResidualSettings& settings);

  long padded() const { return padded_; }
  // False if one is not finite. r, and the rows of the Jacobian: padded() entries.
  bool at(const std::vector<double>& values, Vector& r) const;
  bool at(const Coordinates& coordinates, const Vector& x, Vector& r, Matrix& jacobian) const;
  // Of these rows, by their standard errors if the settings say so; 0 for the padding.
  Vector weights(const std::vector<Observation>& runs, const ResidualSettings& settings) const;

 private:
  void predict(const std::vector<double>& values, Vector& r, double* of_values) const;
  bool link(Vector& r, double* slope) const;

  const Law& law_;
  bool post_, differences_;
  long width_;  // constants that the stage's prediction depends on
  long padded_ = 0;
  RowSettings settings_of_rows_;
  // r = scale * (link(prediction) - target); link = log if logarithmic is 1, identity if it is 0.
  Vector logarithmic_, target_, scale_;
};

// The law (bound to these rows' classes) and the coordinates must outlive the problem. weights: one
// per row, empty = 1. The problem's rows are padded to a multiple of eight, with weight zero.
ResidualProblem make_problem(const Law& law, const std::vector<Observation>& rows,
                             const Coordinates& coordinates, const ResidualSettings& settings,
                             const std::vector<double>& weights = {});

// Whether the stage of a law is of differences of losses: deltas of post-training quantization, or gaps
// between runs, which are compared as the post stage above.
inline bool is_of_differences(const Law& law, Stage stage) {
  return stage == Stage::kPost || law.predicts == Predicts::kGap;
}

// How a delta enters the fit.
struct DeltaScale {
  bool logarithmic;
  double error;  // s, in nats
};
std::vector<DeltaScale> delta_scales(const Law& law, const std::vector<Observation>& rows,
                                     double floor);

// Whether the law predicts a delta of exactly zero whatever its constants: kumar's, where any part
// was trained at P_post or fewer bits. Such a row is compared by difference.
bool predicts_no_delta(const Law& law, const Observation& row);

// Weights of training rows: (typical relative error / the row's)^2, so that the median row has
// weight 1 and a threshold keeps its meaning. Error if a row has no standard error.
std::vector<double> error_weights(const std::vector<Observation>& rows);

// Whether a row's delta is above five standard errors, so that its logarithm is known to a fifth.
bool is_clear_delta(const Observation& row);

// log prediction - log measurement of every row; NaN for a delta that is not clear, whose logarithm
// would be noise, or predicted as zero.
std::vector<double> log_residuals(const Law& law, Stage stage, const std::vector<double>& values,
                                  const std::vector<Observation>& rows);

}  // namespace bitlaw
