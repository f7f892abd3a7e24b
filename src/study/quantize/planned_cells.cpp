#include "quantize/planned_cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "quantize/quantize_run.h"
#include "quantize/rows.h"
#include "record/beside_runs.h"
#include "record/kept_model.h"
#include "record/result.h"
#include "record/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// The tokens that a request comes to: whole windows of T, as many as the text has.
int64_t resolved_tokens(int64_t wanted, const std::optional<int64_t>& text_tokens, int64_t T) {
  const int64_t asked = (wanted + T - 1) / T;
  if (!text_tokens) return T * asked;
  const int64_t windows = (*text_tokens - 1) / T;
  return T * (wanted == 0 ? windows : std::min(windows, asked));
}

// The cells a run has; those of another version are computed again.
std::vector<CellRecord> known_cells(const fs::path& run) {
  std::vector<CellRecord> out;
  for (const fs::path& file : cell_files(run)) {
    try {
      out.push_back(read_cell(file));
    } catch (const CellOfAnotherVersion&) {
    }
  }
  return out;
}

std::vector<PlannedCell> cells_of_checkpoint(const fs::path& directory, const PtqConfig& config) {
  std::vector<PlannedCell> out;
  for (const PtqCell& cell : ptq_cells(config))
    out.push_back({fs::weakly_canonical(directory).filename().string(), cell, std::nullopt});
  return out;
}

std::vector<PlannedCell> cells_of_run(const fs::path& directory, const PtqConfig& config) {
  const ModelsOfRun models = models_of_run(directory, config.along);
  const RunRecord run = read_own_run(models.run);
  const std::string name = fs::weakly_canonical(models.run).filename().string();
  const std::vector<CellRecord> known = known_cells(models.run);
  std::vector<PlannedCell> out;
  for (const std::optional<int64_t>& at_tokens : models.at_tokens) {
    for (const PtqCell& cell : ptq_cells(config)) {
      const CellKey wanted = requested_cell(cell, config, run);
      const bool there = std::any_of(known.begin(), known.end(), [&](const CellRecord& record) {
        return record.at_tokens == at_tokens && record.key.asks_as(wanted);
      });
      out.push_back({name, cell, there, at_tokens});
    }
  }
  return out;
}

// The runs in a directory that is none itself.
std::vector<std::string> runs_inside(const fs::path& place) {
  std::error_code none;
  std::vector<std::string> out;
  if (!fs::is_directory(place, none) || is_run(place) || fs::exists(place / "config.json", none))
    return out;
  for (const fs::directory_entry& entry : fs::directory_iterator(place, none)) {
    if (is_run(entry.path())) out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

bool is_checkpoint(const fs::path& directory) {
  std::error_code none;
  const std::string name = directory.empty() ? "''" : directory.string();
  if (!fs::exists(directory, none)) {
    throw Error(
        fmt::format("{}: does not exist; give the directory of a run or of a checkpoint", name));
  }
  if (!fs::is_directory(directory, none)) {
    throw Error(fmt::format("{}: is not a directory; give that of a run or of a checkpoint", name));
  }
  if (is_run(directory) || kept_place(directory)) return false;
  if (fs::exists(directory / "config.json", none)) return true;
  throw Error(
      fmt::format("{}: is neither a run (no run.json) nor a checkpoint (no config.json); give the "
                  "directory of one",
                  name));
}

std::vector<std::string> runs_among(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const std::string& place : given) {
    const std::vector<std::string> inside = runs_inside(place);
    if (!inside.empty()) {
      out.insert(out.end(), inside.begin(), inside.end());
    } else if (given.size() == 1 || !is_beside_runs(place)) {
      is_checkpoint(place);  // Error if it is neither
      out.push_back(place);
    }
  }
  if (out.empty())
    throw Error(fmt::format("{}: no run and no checkpoint is there", fmt::join(given, ", ")));
  return out;
}

FinishedRuns finished_among(const std::vector<std::string>& places) {
  FinishedRuns out;
  for (const std::string& place : places) {
    RunStatus status = RunStatus::kFinished;
    try {
      if (!is_checkpoint(place) && !kept_place(place)) status = run_status(place);
    } catch (const Error&) {  // whoever opens it says what is damaged
    }
    if (status == RunStatus::kFinished || places.size() == 1)
      out.places.push_back(place);
    else
      ++(status == RunStatus::kDiverged ? out.diverged : out.unfinished);
  }
  if (out.places.empty()) {
    throw Error(
        fmt::format("none of {} runs has a model to quantize: {} diverged, {} are not finished",
                    places.size(), out.diverged, out.unfinished));
  }
  return out;
}

CellKey requested_cell(const PtqCell& cell, const PtqConfig& config, const RunRecord& run) {
  const int64_t T = run.settings().model.sequence;
  return requested_cell(cell, resolved_tokens(config.calibration_tokens, run.data.train_tokens, T),
                        resolved_tokens(config.evaluation_tokens, run.data.validation_tokens, T));
}

std::vector<PlannedCell> planned_cells(const fs::path& directory, const PtqConfig& config) {
  return is_checkpoint(directory) ? cells_of_checkpoint(directory, config)
                                  : cells_of_run(directory, config);
}

}  // namespace bitlaw
