// The compute-optimal allocation N_opt ~ C^a, D_opt ~ C^b, in the three ways of Hoffmann et al. (2022,
// arXiv 2203.15556, section 3):
//
//   envelope     1: learning curves; the least loss at each C, and which size has it
//   isoflop      2: a parabola of the loss in log N for each budget; its minimum is N_opt
//   parametric   3: a law fitted to all runs; N_opt is its least loss along 6 N D = C
//
// Each says what its rows do not tell instead of giving a number.
#pragma once

#include <string>
#include <vector>

#include "approach/envelope.h"
#include "approach/isoflop.h"
#include "approach/optima.h"
#include "base/json.h"
#include "fit/fit.h"
#include "laws/observation.h"

namespace bitlaw {

inline constexpr const char* kApproaches[] = {"isoflop", "envelope", "parametric"};

struct Approaches {
  std::vector<std::string> asked;  // of kApproaches
  IsoflopFit isoflop;
  EnvelopeFit envelope;
  Optima parametric;
  std::string parametric_law;
  double compute_ratio = 6;           // C / (N D) of the rows
  std::vector<std::string> notes;     // on all of them
  std::vector<std::string> verdicts;  // whether they agree
};

// Runs as `isoflop` takes them, of one precision: without points along learning curves, with the table's C
// where it has one. `notes` says what was left out, and which C it is.
struct IsoflopRuns {
  std::vector<Observation> rows;
  std::vector<SizedRun> runs;  // of these rows
  double compute_ratio = 6;    // C / (N D)
};
IsoflopRuns isoflop_runs(const std::vector<Observation>& rows, const ApproachOptions& options,
                         std::vector<std::string>& notes);
// law: fitted to them, to see what parabolas miss; null = none.
IsoflopFit isoflop_of(const IsoflopRuns& runs, const ApproachOptions& options, const Law* law,
                      const std::vector<double>& values);

// approach: one of kApproaches, or "all". curves: for the envelope; empty = those among the rows. Error
// if rows differ in precision or too little is there for the approach that was asked for.
Approaches fit_approaches(const std::string& approach, const std::vector<Observation>& rows,
                          std::vector<LearningCurve> curves, const ApproachOptions& options,
                          const Law& law, const FitOptions& fit, const ParallelFor& parallel_for);

// No exponent and no minimum of any budget.
bool nothing_found(const Approaches& approaches);

// Why none of the approaches found an exponent, in a sentence.
std::string missing_text(const Approaches& approaches);

Json approaches_json(const Approaches& approaches);
std::string approaches_text(const Approaches& approaches);

}  // namespace bitlaw
