#include "ptq/quantize_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "ptq/checkpoint_pass.h"
#include "ptq/paired.h"
#include "ptq/rows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kCellVersion = 1;  // of the hashed document: a new one computes every cell again

// A cell of the answer: its document, resolved at first and complete at the end.
struct Row {
  PtqCell cell;
  Json document;
  fs::path file;
  bool there = false;
};

void look_up(Row& row, const std::string& name) {
  if (!fs::exists(row.file)) return;
  try {
    row.document = parse_json(read_file(row.file), row.file.string());
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; remove it to have this cell computed again");
  }
  row.document["run"] = name;  // the record may have been renamed
  row.there = true;
}

// The finished row of round to nearest that `row` is held against; null where it is one itself.
Json rtn_of(const std::vector<Row>& rows, const Row& row) {
  if (!row.cell.calibrated()) return nullptr;
  PtqCell cell = row.cell;
  cell.method = round_to_nearest_beside(cell.method);
  const Json wanted = cell.description();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& other) {
    return other.there && other.cell.description() == wanted;
  });
  BITLAW_CHECK(found != rows.end());
  return found->document;
}

PassCell pass_cell(const PtqCell& cell, double damping, int calibration) {
  PassCell out;
  out.weights = {.method = cell.method.method,
                 .scheme = cell.scheme,
                 .act_order = cell.method.act_order,
                 .rotated = cell.method.rotated,
                 .first_damping = damping};
  if (cell.activations) out.states.activations = *cell.activations;
  if (cell.kv) out.states.keys = out.states.values = *cell.kv;
  out.calibration = calibration;
  return out;
}

std::vector<MatrixReport> reports_of(const PtqCell& cell, const std::vector<PassMatrix>& matrices) {
  std::vector<MatrixReport> reports;
  for (const PassMatrix& matrix : matrices) {
    const MatrixResult& result = matrix.result;
    reports.push_back({.layer = matrix.layer,
                       .matrix = matrix.role,
                       .weights = matrix.rows * matrix.columns,
                       .storage_bits = storage_bits(cell.scheme, matrix.columns),
                       .relative_error = matrix.relative_error,
                       .error = result.error,
                       .rtn_error = result.rtn_error,
                       .damping = result.damping,
                       .failed_dampings = result.failed_dampings,
                       .alpha = result.alpha,
                       .dead_columns = result.dead_columns,
                       .flagged = result.flagged});
  }
  return reports;
}

}  // namespace

Json quantize_checkpoint(const CheckpointStudy& study, const CheckpointText& text,
                         const PtqConfig& config, ThreadPool& pool, const PtqProgress& progress) {
  const std::vector<PtqCell> cells = ptq_cells(config);
  const hf::Architecture architecture = hf::read_architecture(study.checkpoint);
  const hf::Weights weights(study.checkpoint, architecture);
  const std::string checkpoint_hash = weights.check_and_hash(pool);
  const std::string config_hash = hash_hex(read_file(study.checkpoint / "config.json"));

  std::vector<TextWindows> calibrations;
  std::map<int64_t, int> calibration_of;  // by seed
  for (const int64_t seed : config.calibration_seeds) {
    calibration_of[seed] = static_cast<int>(calibrations.size());
    calibrations.push_back(
        text.calibration_windows(config.calibration_tokens, static_cast<uint64_t>(seed)));
  }
  const TextWindows& evaluation = text.evaluation;

  std::vector<Row> rows;
  std::vector<size_t> missing;
  std::vector<PassCell> todo;
  for (const PtqCell& cell : cells) {
    const int calibration = cell.calibrated() ? calibration_of.at(cell.calibration_seed) : -1;
    const TextWindows& windows = calibrations[static_cast<size_t>(std::max(calibration, 0))];
    Row row{cell, requested_cell(cell, config, windows.targets(), evaluation.targets()), {}};
    row.document["version"] = kCellVersion;
    row.document["checkpoint"] = checkpoint_hash;
    row.document["architecture"] = config_hash;
    row.document["recipe"] = "fp32";
    row.document["evaluation"]["hash"] = evaluation.hash();
    if (row.document["calibration"].is_object())
      row.document["calibration"]["hash"] = windows.hash();
    row.file = study.record / "ptq" / (hash_hex(dump_json(row.document)).substr(0, 16) + ".json");
    look_up(row, study.name);
    if (!row.there) {
      missing.push_back(rows.size());
      todo.push_back(pass_cell(cell, config.damping, calibration));
    }
    rows.push_back(std::move(row));
  }

  const auto finish = [&](size_t number, PassResult&& result) {
    Row& row = rows[missing[number]];
    row.document["run"] = study.name;
    add_matrices(row.document, reports_of(row.cell, result.matrices));
    add_comparison(row.document,
                   paired_comparison(result.tokens, evaluation.cluster, evaluation.bytes_per_token),
                   evaluation.clustered_by, false);
    compare_with_rtn(row.document, rtn_of(rows, row));
    row.document["seconds"] = result.seconds;
    write_file_atomically(row.file, dump_json(row.document, 1) + "\n");
    row.there = true;
  };
  if (!todo.empty()) {
    std::vector<PassText> texts;
    for (const TextWindows& windows : calibrations) texts.push_back({windows.tokens});
    run_checkpoint_pass({architecture,
                         weights,
                         evaluation.sequence,
                         texts,
                         {evaluation.tokens},
                         study.memory_budget},
                        todo, pool, finish, progress);
  }
  Json documents = Json::array();
  for (Row& row : rows) documents.push_back(std::move(row.document));
  add_spreads(documents);
  return documents;
}

}  // namespace bitlaw
