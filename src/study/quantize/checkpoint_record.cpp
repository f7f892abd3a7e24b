#include "quantize/checkpoint_record.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "hf/weights.h"
#include "record/cell.h"
#include "record/result.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

int64_t all_parameters(const hf::Layout& layout) {
  int64_t sum = 0;
  for (const hf::TensorSpec& tensor : layout.tensors()) {
    int64_t size = 1;
    for (const int64_t extent : tensor.shape) size *= extent;
    sum += size;
  }
  return sum;
}

}  // namespace

CheckpointRecord make_checkpoint_record(const fs::path& checkpoint, const fs::path& runs,
                                        const TextWindows& evaluation, int64_t trained_tokens,
                                        ThreadPool& pool) {
  const hf::Architecture architecture = hf::read_architecture(checkpoint);
  const hf::Weights weights(checkpoint, architecture);
  const std::string weights_hash = weights.check_and_hash(pool);
  const std::string text_hash = evaluation.hash();
  CheckpointRecord out;
  const auto name_with = [&](const std::string& architecture_hash) {
    out.architecture_hash = architecture_hash;
    out.name = hash_hex(weights_hash + architecture_hash + text_hash).substr(0, 16);
    out.directory = runs / out.name;
  };
  name_with(hash_hex(read_file(checkpoint / "config.json")));  // of an earlier version
  if (!is_run(out.directory)) name_with(hash_hex(hf::meaning_of(architecture)));
  RunSettings settings;
  settings.model = {architecture.width, architecture.layers, architecture.heads,
                    evaluation.sequence, architecture.vocabulary};
  if (trained_tokens > 0) settings.train.tokens = trained_tokens;
  out.run.config = struct_to_json(settings);
  out.run.model = {.parameters = weights.layout().layer_parameters(),
                   .parameters_with_embeddings = all_parameters(weights.layout())};
  out.run.data.hash = text_hash;
  out.run.checkpoint = CheckpointSource{fs::weakly_canonical(checkpoint).string(),
                                        name_of(architecture.family), weights_hash};
  return out;
}

std::vector<fs::path> begin_checkpoint_record(const CheckpointRecord& record) {
  const fs::path file = run_file(record.directory);
  RunRecord run = record.run;
  if (is_run(record.directory)) {
    const RunRecord before = read_run_record(record.directory);
    RunSettings settings = run.settings();
    if (!settings.train.tokens) settings.train.tokens = before.settings().train.tokens;
    run.config = struct_to_json(settings);
    if (struct_to_json(run) == struct_to_json(before)) return {};
  }
  std::vector<fs::path> made;
  for (fs::path place = file; !place.empty() && !fs::exists(place); place = place.parent_path())
    made.push_back(place);
  try {
    write_run_record(record.directory, run);
  } catch (const Error&) {
    take_back_record(record, made);
    throw;
  }
  return made;
}

void take_back_record(const CheckpointRecord& record, const std::vector<fs::path>& made) {
  if (made.empty()) return;
  std::error_code none;
  const fs::path cells = cell_directory(record.directory);
  fs::remove(cells, none);  // if it is empty
  if (fs::exists(cells, none)) return;
  fs::remove(cells_lock(record.directory), none);
  for (const fs::path& place : made) fs::remove(place, none);  // only empty directories go
}

void finish_checkpoint_record(const CheckpointRecord& record, const CellRecord& cell) {
  ResultRecord result;
  result.validation = Validation{.loss_nats = cell.baseline_loss_nats,
                                 .bits_per_byte = cell.baseline_bits_per_byte,
                                 .tokens = cell.tokens,
                                 .clusters = cell.clusters};
  write_result(record.directory, result);
}

}  // namespace bitlaw
