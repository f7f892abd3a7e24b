// From options and rows to the stages of a fit: which rows belong to which, which constants are
// free.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fit/fit.h"
#include "fit/stage.h"
#include "laws/bind.h"

namespace bitlaw {

// The rows of a study, sorted into the two stages.
struct StageRows {
  std::vector<Observation> training, post;
  // Which rows of the table these are, and why the others are in neither.
  std::vector<size_t> training_at, post_at;
  std::vector<std::pair<size_t, std::string>> left_out;
  // Of deltas: `post`, and the rows for which the law predicts zero whatever its constants, which it
  // is judged by but cannot be fitted to. In the order of the table.
  std::vector<Observation> judged;
  std::string method;               // of the post rows
  std::vector<std::string> others;  // methods whose rows are left out
  int no_delta = 0;                 // quantized rows whose delta is unknown
  int no_difference = 0;            // P_post at or above P_w: nothing was rounded
};

// Which constants are free, tied or frozen, and why.
// Why a constant is not fitted.
enum class Kept { kFitted, kAsked, kByFormula, kByTie, kByRows };

struct ParameterChoice {
  std::vector<double> base;  // published, or from the options
  std::vector<int> tied_to;  // -1 = none
  std::vector<Kept> kept;
  std::vector<std::string> reasons;  // the same in words; "" = free
  std::vector<std::string> notes;    // what was tied because its parts always have equal bits
  // Frozen because the rows cannot tell them from others that are fitted. Ascending.
  std::vector<int> confounded;
};

// Constants of a stage that its rows cannot tell from those that are fitted.
std::vector<int> confounded_of(const Law& law, Stage stage, const ParameterChoice& choice);

// A law prepared for a table: bound to its classes, the rows sorted, the constants chosen.
struct Prepared {
  BoundLaw bound;
  StageRows rows;
  ParameterChoice choice;

  const Law& law() const { return bound.law(); }
};

// Errors are those of check_options and of sort_rows.
Prepared prepare(const Law& unbound, const std::vector<Observation>& runs,
                 const FitOptions& options);

// Least absolute deviations are Huber's objective with a threshold that no table's noise is near.
inline constexpr double kLadThreshold = 1e-7;

// Throws an Error on the first invalid option.
void check_options(const FitOptions& options);

// N is counted as the options say; rows that the law does not predict are left out, as are the
// deltas of other methods. An Error names the first run whose N, D or loss is not positive.
StageRows sort_rows(const Law& law, const std::vector<Observation>& runs,
                    const FitOptions& options);

// Published constants, then those frozen or tied by the options, then those `rows` do not identify.
ParameterChoice choose(const Law& law, const StageRows& rows, const FitOptions& options);

// base: the initial constants, which those not free keep.
StageSetup setup_of(const Law& law, Stage stage, const ParameterChoice& choice,
                    std::vector<double> base, const FitOptions& options);

// Throws an Error that says how many rows are missing.
void require_points(const Law& law, size_t points, size_t free, const char* row);

// What the other count of parameters ("total", "non-embedding") changes in alpha and the objective.
struct ByCount {
  double as_counted, otherwise;
};
std::string note_on_other_count(const std::string& other, const ByCount& alpha,
                                const ByCount& objective);

// 1 - (left over) / (spread around the mean); NaN if there is no spread.
double r_squared(const std::vector<double>& measured, const std::vector<double>& predicted);

}  // namespace bitlaw
