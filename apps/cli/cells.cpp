#include "cli/cells.h"

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "train/run.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

// The tokens that a request comes to: whole windows of T, as many as the text has.
int64_t resolved_tokens(int64_t wanted, int64_t text_tokens, int64_t T) {
  const int64_t windows = (text_tokens - 1) / T;
  return T * (wanted == 0 ? windows : std::min(windows, (wanted + T - 1) / T));
}

}  // namespace

Json planned_cells(const fs::path& directory, const PtqConfig& config) {
  const RunRecord run = read_run(directory);
  const int64_t T = run.config.model.sequence;
  const Json& data = run.record.at("data");
  const int64_t evaluation =
      resolved_tokens(config.evaluation_tokens, data.at("validation_tokens"), T);
  const int64_t calibration =
      resolved_tokens(config.calibration_tokens, data.at("train_tokens"), T);

  std::vector<Json> there;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory / "ptq", none)) {
    if (entry.path().extension() == ".json")
      there.push_back(parse_json(read_file(entry.path()), entry.path().string()));
  }
  Json out = Json::array();
  for (const PtqCell& cell : ptq_cells(config)) {
    const bool found = std::any_of(there.begin(), there.end(), [&](const Json& row) {
      return row.value("method", "") == name_of(cell.method) &&
             row.value("format", "") == cell.format.name() &&
             row.value("group", -1) == cell.group &&
             row.value("/evaluation/tokens"_json_pointer, int64_t{-1}) == evaluation &&
             row.value("/calibration/tokens"_json_pointer, int64_t{-1}) == calibration &&
             row.value("/calibration/seed"_json_pointer, int64_t{-1}) == config.calibration_seed &&
             (cell.method == PtqMethod::kRtn || row.value("first_damping", -1.0) == config.damping);
    });
    out.push_back({{"run", run.name},
                   {"method", name_of(cell.method)},
                   {"format", cell.format.name()},
                   {"group", cell.group},
                   {"there", found}});
  }
  return out;
}

}  // namespace bitlaw::cli
