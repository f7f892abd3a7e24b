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
std::vector<CellRow> quantize_checkpoint(const CheckpointStudy& study, const CheckpointText& text,
                                         const PtqConfig& config, ThreadPool& pool,
                                         const PtqProgress& progress) {
  const std::vector<PtqCell> cells = ptq_cells(config);
  const hf::Architecture architecture = hf::read_architecture(study.checkpoint);
  const hf::Weights weights(study.checkpoint, architecture);
  const std::string checkpoint_hash =
      study.weights_hash.empty() ? weights.check_and_hash(pool) : study.weights_hash;
  const std::string architecture_hash = study.architecture_hash.empty()
                                            ? hash_hex(hf::meaning_of(architecture))
                                            : study.architecture_hash;

  std::map<int64_t, TextWindows> calibrations;  // by seed
  for (const int64_t seed : config.calibration_seeds) {
    calibrations[seed] =
        text.calibration_windows(config.calibration_tokens, static_cast<uint64_t>(seed));
  }
  const TextWindows& evaluation = text.evaluation;

  GridRows rows(study.record, study.name);
  for (const PtqCell& cell : cells) {
    const TextWindows& windows =
        calibrations.at(cell.calibrated() ? cell.calibration_seed : config.calibration_seeds[0]);
    CellKey key = requested_cell(cell, windows.targets(), evaluation.targets());
    key.checkpoint = checkpoint_hash;
    key.architecture = architecture_hash;
    key.recipe = "fp32";
    key.evaluation.hash = evaluation.hash();
    if (key.calibration) key.calibration->hash = windows.hash();
    rows.add(cell, key);
  }
  hf::require_sequence(architecture, evaluation.sequence);
  if (study.before_computing) study.before_computing();
  if (!rows.missing().empty()) rows.claim();
  const std::vector<size_t> missing = rows.missing();
  std::vector<PtqCell> todo;
  for (const size_t row : missing) todo.push_back(rows.cell(row));

  PassInput input{architecture,
                  weights,
                  evaluation.sequence,
                  {},
                  {evaluation.tokens},
                  study.memory_budget,
                  study.checkpoint.string()};
  for (const auto& [seed, windows] : calibrations) input.calibrations[seed] = {windows.tokens};
  PassListener listener;
  listener.finished = [&](size_t number, PassResult&& result) {
    rows.finish(missing[number], result.matrices,
                paired_comparison(result.tokens, evaluation.cluster, evaluation.bytes_per_token),
                evaluation.clustered_by, false, result.seconds);
  };
  listener.progress = progress;
  if (study.solve) {
    listener.solved = [&](size_t number, const hf::Layer& rounded) {
      if (todo[number] == *study.solve) study.solved(rounded);
    };
  }
  if (!todo.empty()) run_checkpoint_pass(input, todo, pool, listener);

  if (study.solve && std::find(todo.begin(), todo.end(), *study.solve) == todo.end()) {
    input.evaluation = {};  // it was measured in an earlier call
    todo = {*study.solve};
    listener.finished = {};
    run_checkpoint_pass(input, todo, pool, listener);
  }
  return rows.answer();
}

}  // namespace bitlaw
