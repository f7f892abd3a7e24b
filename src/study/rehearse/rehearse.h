// A study rehearsed before any of it is trained: the tidy table that it would leave, with losses and
// deltas that are drawn from a law with known constants (simulate/simulate.h).
//
// The table has a row for each run of the study and for each cell of its post-training quantization,
// as `bitlaw runs` would list them. Fits, comparisons and reports can be tried on it, and what they say
// be compared with the truth.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ask/simulated.h"
#include "base/json.h"
#include "laws/formula_law.h"
#include "record/tidy_row.h"
#include "sweep/plan.h"

namespace bitlaw {

struct Rehearsal {
  std::vector<TidyRow> rows;  // in the order of `bitlaw runs`
  std::string law;
  Json constants;         // by name
  size_t runs = 0;        // also those that diverged
  size_t diverged = 0;    // runs with a loss above StudyOptions::diverged; they have no cells
  size_t cells = 0;       // of post-training quantization
  size_t zero_cells = 0;  // of these, with a delta of 0 by definition (TidyRow::measured_delta)
  std::vector<std::string> notes;  // sentences on what the law does not see, and what is left out
};

// Names of the runs begin so: nothing takes them for runs that were trained.
inline constexpr const char* kRehearsed = "rehearsed-";

// `plan`: of plan_sweep(..., MissingData::kUnknown), of which `only` (sweep/conditions.h) and the
// budget of the study in FLOP select the runs. Runs that share a trunk in the study do so in the
// noise (StudyOptions::shared). The rest as in simulate_table(). Error for a law that predicts no losses
// or has an input that no run of the study says, and if every run diverges.
Rehearsal rehearse(SweepPlan plan, const std::vector<std::string>& only, SimulateWords words,
                   KnownLaws& known, const IsGiven& is_given, const std::string& dashes);

// .law .constants .runs .diverged .cells .zero_cells .notes .options, and .rows as tidy_to_json().
Json rehearsal_json(const Rehearsal& rehearsal, const StudyOptions& options);

}  // namespace bitlaw
