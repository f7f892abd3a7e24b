// The plan of a sweep: the cells of a study file, each resolved on its data set and named, and the
// jobs that make them.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "quantize/config.h"
#include "sweep/study.h"
#include "train/config.h"
#include "work/job.h"

namespace bitlaw {

// A cell with what follows from its configuration.
struct PlannedRun {
  Cell cell;
  TrainConfig given;  // the cell's configuration, before it is resolved
  ResolvedConfig resolved;
  std::string name;   // of its directory
  double flops = 0;   // of its training
  std::string trunk;  // its name; "" if no other run can have the same beginning
  std::string table;  // a published table where it stands (sweep/have.h): not made; "" for none
};

struct SweepPlan {
  Study study;
  std::filesystem::path directory;          // of the runs
  PtqConfig grid;                           // of the runs to quantize
  int grid_cells = 0;                       // of each of them; 0 without a [ptq] section
  std::vector<PlannedRun> runs;             // each once, in the order of the study
  size_t repeated_cells = 0;                // whose run another cell has named, too
  std::map<std::string, DatasetInfo> data;  // by the path that the cells give
  // On old names (formats/recipe.h), repeated cells, and those that `require` leaves out.
  std::vector<std::string> notes;

  const DatasetInfo& data_of(const PlannedRun& run) const;
};

// Where there is no data set at data.path: an Error; or what only the data can say stays unknown, with
// an empty DatasetInfo::hash, and model.vocabulary must be set.
enum class MissingData { kRefused, kUnknown };

// `study`: the file, then overrides of it. `directory`: empty for runs/NAME of the study. An Error
// names the file and the key that is wrong.
SweepPlan plan_sweep(const std::vector<std::string>& study, const std::string& directory,
                     MissingData missing = MissingData::kRefused);

// Leaves out the other runs and their cells.
void keep_cells(SweepPlan& plan, const std::vector<bool>& keep);

// The same with this share of all training tokens, ten steps a run at the least. A warm-up that is a
// number of steps shrinks with them, unless it is kept: then runs of several scales share a trunk.
enum class WarmUp { kScaled, kKept };
void scale_tokens(SweepPlan& plan, double scale, WarmUp warm_up = WarmUp::kScaled);

// How many models of a run its cells are of: the final one, and with [ptq] along = true those kept
// along it.
int64_t quantized_models(const SweepPlan& plan, const PlannedRun& run);

// A job that trains each run, and after it the one that quantizes it, if it is to be; none for runs
// that stand in a table. The longest run of a trunk trains it, and the others branch off. Costs are
// in FLOP, of a branch from there on. With `cells`, of the first ones only.
std::vector<Job> make_jobs(const SweepPlan& plan,
                           size_t cells = std::numeric_limits<size_t>::max());

// Fills in memory_bytes of jobs that train and are not done. It takes a moment for each kind of run
// (sweep/memory.h).
void predict_memory(std::vector<Job>& jobs, const SweepPlan& plan);

}  // namespace bitlaw
