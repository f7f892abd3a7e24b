#include "work/job.h"

#include <algorithm>
#include <fstream>

#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "quantize/planned_cells.h"
#include "quantize/quantize_run.h"
#include "record/beside_runs.h"
#include "record/cell.h"
#include "record/result.h"
#include "train/run_directory.h"
#include "work/pace.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

fs::path configuration_file(const Job& job, const fs::path& runs) {
  return runs / kConfigurationsFolder / (job.run + ".json");
}

// A list as flags take it: 3,4,6.
std::string joined(const Json& list) {
  std::string out;
  for (const Json& item : list) {
    out +=
        (out.empty() ? "" : ",") + (item.is_string() ? item.get<std::string>() : dump_json(item));
  }
  return out;
}

// Every key of the grid, so that the cells do not depend on the defaults of the program that runs it.
std::vector<std::string> grid_flags(const PtqConfig& grid) {
  std::vector<std::string> flags;
  for (const ConfigKey& key : config_keys(grid)) {
    std::string flag = "--" + key.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (key.value.is_boolean()) {
      if (key.value.get<bool>()) flags.push_back(flag);
      continue;
    }
    flags.push_back(flag);
    flags.push_back(key.value.is_array() ? joined(key.value) : joined(Json::array({key.value})));
  }
  return flags;
}

bool all_cells_there(const fs::path& run, const PtqConfig& grid) {
  const RunStatus status = run_status(run);
  if (status != RunStatus::kFinished) return status == RunStatus::kDiverged;
  try {
    const std::vector<PlannedCell> cells = planned_cells(run, grid);
    return std::all_of(cells.begin(), cells.end(),
                       [](const PlannedCell& cell) { return cell.there == true; });
  } catch (const Error&) {
    return false;  // the job itself says what is damaged
  }
}

// A cell's file appears when the cell is done.
double share_quantized(const fs::path& run, const PtqConfig& grid) {
  std::error_code error;
  const fs::directory_iterator files(cell_directory(run), error), end;
  if (error) return 0;
  return static_cast<double>(std::distance(files, end)) /
         static_cast<double>(ptq_cells(grid).size() *
                             models_of_run(run, grid.along).at_tokens.size());
}

}  // namespace

std::vector<std::string> job_command(const Job& job, const fs::path& runs,
                                     const std::string& program) {
  const std::string configuration = configuration_file(job, runs).string();
  switch (job.kind) {
    case JobKind::kTrain: {
      std::vector<std::string> command{program,       "train",       configuration,
                                       "--directory", runs.string(), "--threads",
                                       "1",           "--quiet",     "--json"};
      if (job.checkpoints > 0)
        command.insert(command.end(), {"--checkpoints", std::to_string(job.checkpoints)});
      if (job.share) command.push_back("--share");
      if (!job.share_steps.empty())
        command.insert(command.end(), {"--share-steps", joined(Json(job.share_steps))});
      return command;
    }
    case JobKind::kMeasure:
      return {program, "train", configuration, "--measure", "1", "--threads", "1", "--json"};
    case JobKind::kQuantize: {
      std::vector<std::string> command{program,     "quantize", (runs / job.run).string(),
                                       "--threads", "1",        "--json"};
      const std::vector<std::string> flags = grid_flags(job.grid);
      command.insert(command.end(), flags.begin(), flags.end());
      return command;
    }
  }
  return {};
}

std::string job_key(const Job& job) {
  switch (job.kind) {
    case JobKind::kTrain:
      return job.run;
    case JobKind::kQuantize:
      return job.run + "-quantize";
    case JobKind::kMeasure:
      return "measure-" + job.run;
  }
  return job.run;
}

fs::path job_log(const Job& job, const fs::path& runs) {
  return runs / kLogsFolder / (job_key(job) + ".log");
}

void write_job_files(const std::vector<Job>& jobs, const fs::path& runs) {
  for (const Job& job : jobs) {
    if (job.kind == JobKind::kQuantize) continue;
    const fs::path file = configuration_file(job, runs);
    const std::string text = dump_json(job.configuration, 1) + "\n";
    std::error_code none;
    if (!fs::exists(file, none) || read_file(file) != text) write_file_atomically(file, text);
  }
}

bool is_done(const Job& job, const fs::path& runs) {
  switch (job.kind) {
    case JobKind::kTrain:
      return run_status(runs / job.run) != RunStatus::kStarted;
    case JobKind::kQuantize:
      return all_cells_there(runs / job.run, job.grid);
    case JobKind::kMeasure:
      return false;
  }
  return false;
}

double share_done(const Job& job, const fs::path& runs) {
  switch (job.kind) {
    case JobKind::kTrain:
      return pace_of(job, runs).value_or(Pace{}).share;
    case JobKind::kQuantize:
      return std::clamp(share_quantized(runs / job.run, job.grid), 0.0, 1.0);
    case JobKind::kMeasure:
      return 0;
  }
  return 0;
}

std::string saved_state(const Job& job, const fs::path& runs) {
  if (job.kind == JobKind::kQuantize) return std::to_string(share_done(job, runs));
  // The state begins with its header, which has the steps done and a hash.
  std::ifstream file(RunDirectory(runs, job.run).state_file(), std::ios::binary);
  std::string header(4096, '\0');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  header.resize(static_cast<size_t>(file.gcount()));
  return header;
}

}  // namespace bitlaw
