#include "quantize/checkpoint_record.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "hf/weights.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

Json count_or_null(int64_t count) {
  return count > 0 ? Json(count) : Json(nullptr);
}

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
  const std::string config = read_file(checkpoint / "config.json");
  CheckpointRecord out;
  out.name = hash_hex(weights_hash + hash_hex(config) + text_hash).substr(0, 16);
  out.directory = runs / out.name;
  out.document = {
      {"checkpoint",
       {{"path", fs::weakly_canonical(checkpoint).string()},
        {"family", name_of(architecture.family)},
        {"weights_hash", weights_hash}}},
      {"config",
       {{"model",
         {{"width", architecture.width},
          {"layers", architecture.layers},
          {"heads", architecture.heads},
          {"sequence", evaluation.sequence},
          {"vocabulary", architecture.vocabulary}}},
        {"recipe", {{"weights", "16"}, {"activations", "16"}, {"kv", "16"}, {"queries", "16"}}},
        {"train", {{"tokens", count_or_null(trained_tokens)}}}}},
      {"model",
       {{"parameters", weights.layout().layer_parameters()},
        {"parameters_with_embeddings", all_parameters(weights.layout())}}},
      {"data", {{"hash", text_hash}}}};
  return out;
}

std::vector<fs::path> begin_checkpoint_record(const CheckpointRecord& record) {
  const fs::path file = record.directory / "run.json";
  Json document = record.document;
  if (fs::exists(file)) {
    const Json before = parse_json(read_file(file), file.string());
    Json& tokens = document["config"]["train"]["tokens"];
    const Json* known = find_json_pointer(before, "/config/train/tokens");
    if (tokens.is_null() && known) tokens = *known;
    if (document == before) return {};
  }
  std::vector<fs::path> made;
  for (fs::path place = file; !place.empty() && !fs::exists(place); place = place.parent_path())
    made.push_back(place);
  try {
    write_file_atomically(file, dump_json(document, 1) + "\n");
  } catch (const Error&) {
    take_back_record(record, made);
    throw;
  }
  return made;
}

void take_back_record(const CheckpointRecord& record, const std::vector<fs::path>& made) {
  if (made.empty()) return;
  std::error_code none;
  const fs::path cells = record.directory / "ptq";
  fs::remove(cells, none);  // where it is empty
  if (fs::exists(cells, none)) return;
  for (const fs::path& place : made) fs::remove(place, none);  // only empty directories go
}

void finish_checkpoint_record(const CheckpointRecord& record, const Json& rows) {
  BITLAW_CHECK(!rows.empty());
  const Json& row = rows[0];
  const Json result{{"status", "finished"},
                    {"validation",
                     {{"loss_nats", row.at("baseline_loss_nats")},
                      {"standard_error", nullptr},
                      {"bits_per_byte", row.at("baseline_bits_per_byte")},
                      {"tokens", row.at("tokens")},
                      {"clusters", row.at("clusters")}}}};
  const fs::path file = record.directory / "result.json";
  const std::string text = dump_json(result, 1) + "\n";
  if (fs::exists(file) && read_file(file) == text) return;
  write_file_atomically(file, text);
}

}  // namespace bitlaw
