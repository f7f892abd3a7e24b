// The result of a comparison: for each law, and for all laws on one kind of rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/compare_statistics.h"
#include "fit/fit.h"
#include "laws/bind.h"

namespace bitlaw {

// A law on the rows of one stage: training losses, or loss differences. NaN = unknown.
struct ComparedLaw {
  BoundLaw bound;
  std::string name, note;
  bool fitted = false, judged = false;
  bool tied = false;  // with the best; the best is tied with itself
  // The law that stands for it, because they coincide on these rows: as many constants, the same sum
  // of squares and nearly the same held-out error (its fits start elsewhere). "" = none.
  std::string same_as;
  std::vector<double> values;       // the law's constants
  std::vector<std::string> frozen;  // one per constant: why it was not fitted; "" = fitted
  // Whether the rows tell the constant: where they do not, `values` has one of many (fit/allowed.h).
  std::vector<bool> identified;
  std::vector<std::string> at_edge;  // constants that ended at the edge of their range
  int k = 0;                         // constants that were fitted
  int starts = 0, reached = 0, minima = 0;
  bool converged = false;
  double sse = kUnknown;      // of log residuals, or of deltas in standard errors
  double rms_log = kUnknown;  // of log residuals
  double r2 = kUnknown, aicc = kUnknown;
  double best_bits = kUnknown;  // P* of the parts that the rows quantize (laws/effective.h)
  Range best_bits_allowed{kUnknown, kUnknown};  // over all constants that the rows allow
  double penalty_r2 = kUnknown;                 // of L(P) - L(16), fit/penalty.h
  double threshold = kUnknown;                  // Huber's
  std::vector<double> residuals;                // of the fitted rows, as they were fitted
  std::vector<std::vector<double>>
      allowed;  // constants that the rows allow as well; empty = near `values`

  std::vector<double> held_out;  // residuals by a fit to the other rows; NaN if not predicted
  std::vector<double> squares;   // of these; NaN also where another judged law predicts nothing
  int predicted = 0;             // number of predicted rows
  std::string missing;           // why not all are predicted
  // On the rows that every judged law predicts:
  double held_out_rms = kUnknown, held_out_error = kUnknown;
  Difference from_best;
};

// All laws on one stage.
struct ComparePart {
  Stage stage = Stage::kTraining;
  bool gaps = false;  // of runs, instead of their losses
  std::string hold_out;
  int points = 0, clusters = 0;   // rows fitted
  std::vector<Observation> rows;  // these, N as it is counted
  // What rows of a cluster have in common of the variance around the law of least squares, and how
  // many independent rows the rows count for (fit/shared_share.h); AICc goes by these.
  double shared = 0, independent = kUnknown;
  std::string best_bits_of;  // "weights, activations"; "" = no part is quantized in training
  double best_bits_compute = kUnknown;  // FLOP, where P* depends on it
  std::string params;                   // what N counts
  int held_out = 0;                     // held-out rows
  int judged = 0;                       // of these, predicted by every judged law
  int judged_clusters = 0;
  int most_starts = 0;
  std::string problem;            // why no rows are held out; "" = some are
  std::vector<ComparedLaw> laws;  // best first; then those that were not judged, then not fitted

  // Whether errors are in standard errors of differences, rather than of log losses.
  bool in_standard_errors() const { return stage == Stage::kPost || gaps; }

  // By held-out error; null if no law could be judged.
  const ComparedLaw* best() const { return !laws.empty() && laws[0].judged ? &laws[0] : nullptr; }
  // By AICc on the fitted rows; null if no law has one.
  const ComparedLaw* best_by_aicc() const;
  std::vector<std::string> tied() const;  // names of laws tied with the best, without itself
  // The least and the largest P* of the laws that are tied with the best, itself included; NaN if none
  // of them has one.
  Range best_bits_of_tied() const;
  std::vector<std::string> behind() const;  // names of the other judged laws
  std::string verdict() const;              // the same in a sentence or two
};

struct Comparison {
  std::optional<ComparePart> training;  // by losses, if the table has them
  std::optional<ComparePart> post;      // by loss differences, if the table has them
  std::vector<std::string> notes;
};

}  // namespace bitlaw
