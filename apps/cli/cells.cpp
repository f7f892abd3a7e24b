#include "cli/cells.h"

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "quantize/rows.h"
#include "train/run.h"

namespace bitlaw::cli {
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

Json line_of(const std::string& run, const PtqCell& cell, const Json& there) {
  const Json description = cell.description();
  return {{"run", run},
          {"cell", cell.title()},
          {"method", description["method"]},
          {"format", description["format"]},
          {"group", description["group"]},
          {"calibration_seed", cell.calibrated() ? Json(cell.calibration_seed) : Json(nullptr)},
          {"there", there}};
}

}  // namespace

Json planned_cells(const fs::path& directory, const PtqConfig& config) {
  const TrainedRun run = read_run(directory);
  const int64_t T = run.config.model.sequence;
  const RunData& data = run.record.data;
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
  Json out = Json::array();
  for (const PtqCell& cell : ptq_cells(config)) {
    const Json wanted = requested_cell(cell, config, calibration, evaluation);
    const bool found = std::any_of(there.begin(), there.end(),
                                   [&](const Json& row) { return contains(row, wanted); });
    out.push_back(line_of(run.record.name, cell, found));
  }
  return out;
}

Json checkpoint_cells(const fs::path& checkpoint, const PtqConfig& config) {
  Json out = Json::array();
  for (const PtqCell& cell : ptq_cells(config)) {
    out.push_back(line_of(fs::weakly_canonical(checkpoint).filename().string(), cell, nullptr));
  }
  return out;
}

}  // namespace bitlaw::cli
