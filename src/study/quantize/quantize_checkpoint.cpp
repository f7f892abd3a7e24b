#include "quantize/quantize_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "hf/forward.h"
#include "quantize/checkpoint_pass.h"
#include "quantize/grid_rows.h"

namespace bitlaw {
namespace {

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
    reports.push_back(
        {.layer = matrix.layer,
         .matrix = matrix.role,
         .weights = matrix.rows * matrix.columns,
         .storage_bits = storage_bits(cell.scheme, matrix.rows, matrix.columns, result.alpha > 0),
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
  const std::string checkpoint_hash =
      study.weights_hash.empty() ? weights.check_and_hash(pool) : study.weights_hash;
  const std::string config_hash = hash_hex(read_file(study.checkpoint / "config.json"));

  std::vector<TextWindows> calibrations;
  std::map<int64_t, int> calibration_of;  // by seed
  for (const int64_t seed : config.calibration_seeds) {
    calibration_of[seed] = static_cast<int>(calibrations.size());
    calibrations.push_back(
        text.calibration_windows(config.calibration_tokens, static_cast<uint64_t>(seed)));
  }
  const TextWindows& evaluation = text.evaluation;

  GridRows rows(study.record, study.name);
  for (const PtqCell& cell : cells) {
    const TextWindows& windows =
        calibrations[cell.calibrated()
                         ? static_cast<size_t>(calibration_of.at(cell.calibration_seed))
                         : 0];
    Json resolved = requested_cell(cell, config, windows.targets(), evaluation.targets());
    resolved["checkpoint"] = checkpoint_hash;
    resolved["architecture"] = config_hash;
    resolved["recipe"] = "fp32";
    resolved["evaluation"]["hash"] = evaluation.hash();
    if (resolved["calibration"].is_object()) resolved["calibration"]["hash"] = windows.hash();
    rows.add(cell, std::move(resolved));
  }
  hf::require_sequence(architecture, evaluation.sequence);
  if (study.before_computing) study.before_computing();
  const std::vector<size_t> missing = rows.missing();
  std::vector<PassCell> todo;
  for (const size_t row : missing) {
    const PtqCell& cell = rows.cell(row);
    todo.push_back(pass_cell(cell, config.damping,
                             cell.calibrated() ? calibration_of.at(cell.calibration_seed) : -1));
  }
  const auto finish = [&](size_t number, PassResult&& result) {
    rows.finish(missing[number], reports_of(rows.cell(missing[number]), result.matrices),
                paired_comparison(result.tokens, evaluation.cluster, evaluation.bytes_per_token),
                evaluation.clustered_by, false, result.seconds);
  };
  if (!todo.empty()) {
    std::vector<PassText> texts;
    for (const TextWindows& windows : calibrations) texts.push_back({windows.tokens});
    run_checkpoint_pass({architecture,
                         weights,
                         evaluation.sequence,
                         texts,
                         {evaluation.tokens},
                         study.memory_budget,
                         study.checkpoint.string()},
                        todo, pool, finish, progress);
  }
  return rows.answer();
}

}  // namespace bitlaw
