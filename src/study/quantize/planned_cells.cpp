#include "quantize/planned_cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "quantize/quantize_run.h"
#include "quantize/rows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// The tokens that a request comes to: whole windows of T, as many as the text has.
int64_t resolved_tokens(int64_t wanted, int64_t text_tokens, int64_t T) {
  const int64_t windows = (text_tokens - 1) / T;
  return T * (wanted == 0 ? windows : std::min(windows, (wanted + T - 1) / T));
}

// Whether a document has everything of another, in objects within it too.
bool contains(const Json& document, const Json& part) {
  if (!part.is_object()) return document == part;
  if (!document.is_object()) return false;
  return std::all_of(part.items().begin(), part.items().end(), [&](const auto& item) {
    const auto found = document.find(item.first);
    return found != document.end() && contains(*found, item.second);
  });
}

std::vector<PlannedCell> cells_of_checkpoint(const fs::path& directory, const PtqConfig& config) {
  std::vector<PlannedCell> out;
  for (const PtqCell& cell : ptq_cells(config))
    out.push_back({fs::weakly_canonical(directory).filename().string(), cell, std::nullopt});
  return out;
}

std::vector<PlannedCell> cells_of_run(const fs::path& directory, const PtqConfig& config) {
  const RunRecord run = read_own_run(directory);
  const int64_t T = run.settings().model.sequence;
  const RunData& data = run.data;
  const int64_t evaluation =
      resolved_tokens(config.evaluation_tokens, data.validation_tokens.value_or(0), T);
  const int64_t calibration =
      resolved_tokens(config.calibration_tokens, data.train_tokens.value_or(0), T);

  std::vector<Json> there;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory / "ptq", none)) {
    if (entry.path().extension() == ".json")
      there.push_back(parse_json(read_file(entry.path()), entry.path().string()));
  }
  std::vector<PlannedCell> out;
  for (const PtqCell& cell : ptq_cells(config)) {
    const Json wanted = requested_cell(cell, config, calibration, evaluation);
    const bool found = std::any_of(there.begin(), there.end(),
                                   [&](const Json& row) { return contains(row, wanted); });
    out.push_back({run.name, cell, found});
  }
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
  if (is_run(directory)) return false;
  if (fs::exists(directory / "config.json", none)) return true;
  throw Error(
      fmt::format("{}: is neither a run (there is no run.json) nor a checkpoint (there is no "
                  "config.json); give the directory that holds one of them",
                  name));
}

std::vector<PlannedCell> planned_cells(const fs::path& directory, const PtqConfig& config) {
  return is_checkpoint(directory) ? cells_of_checkpoint(directory, config)
                                  : cells_of_run(directory, config);
}

}  // namespace bitlaw
