#include "runs/run_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "formats/format.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Cells of an earlier "version" were measured otherwise (quantize/grid_rows.cpp).
constexpr int kCellVersion = 3;

// Null where any step of the path is missing.
Json at_path(const Json& document, std::initializer_list<const char*> path) {
  const Json* place = &document;
  for (const char* key : path) {
    if (!place->is_object()) return nullptr;
    const auto found = place->find(key);
    if (found == place->end()) return nullptr;
    place = &*found;
  }
  return *place;
}

// Bits of a format as the laws count them: 16 for BF16 and for no rounding at all.
Json bits_of(const Json& format) {
  if (!format.is_string()) return nullptr;
  const Format parsed = parse_format(format.get<std::string>());
  return parsed.scaled() ? parsed.bits : 16;
}

Json name_of_format(const Json& format) {
  return format.is_string() ? Json(parse_format(format.get<std::string>()).name()) : Json(nullptr);
}

Json run_row(const fs::path& run, const Json& document, const Json& result) {
  const Json config = at_path(document, {"config"});
  Json row = Json::object();
  for (const TidyColumn& column : tidy_columns()) row[column.name] = nullptr;
  row["run"] = run.filename().string();
  row["status"] = result.is_null() ? Json("started") : at_path(result, {"status"});
  row["N"] = at_path(document, {"model", "parameters"});
  row["N_total"] = at_path(document, {"model", "parameters_with_embeddings"});
  row["D"] = at_path(config, {"train", "tokens"});
  if (const Json trained = at_path(result, {"tokens"}); trained.is_number()) row["D"] = trained;
  for (const auto& [role, letter] :
       {std::pair("weights", "w"), {"activations", "a"}, {"kv", "kv"}, {"queries", "q"}}) {
    const Json format = at_path(config, {"recipe", role});
    row[fmt::format("P_{}", letter)] = bits_of(format);
    row[fmt::format("format_{}", letter)] = name_of_format(format);
  }
  row["granularity_w"] = at_path(config, {"recipe", "weights_granularity"});
  row["granularity_a"] = at_path(config, {"recipe", "activations_granularity"});
  row["granularity_kv"] = at_path(config, {"recipe", "kv_granularity"});
  row["P_post"] = 16;
  row["method"] = "none";
  row["loss"] = at_path(result, {"validation", "loss_nats"});
  row["loss_standard_error"] = at_path(result, {"validation", "standard_error"});
  row["bits_per_byte"] = at_path(result, {"validation", "bits_per_byte"});
  row["schedule"] = at_path(config, {"schedule", "kind"});
  row["seed"] = at_path(config, {"train", "seed"});
  row["lr"] = at_path(config, {"train", "lr"});
  row["batch_tokens"] = at_path(config, {"train", "batch_tokens"});
  row["width"] = at_path(config, {"model", "width"});
  row["layers"] = at_path(config, {"model", "layers"});
  row["heads"] = at_path(config, {"model", "heads"});
  row["sequence"] = at_path(config, {"model", "sequence"});
  row["vocabulary"] = at_path(config, {"model", "vocabulary"});
  row["seconds"] = at_path(result, {"seconds"});
  row["tokens_per_second"] = at_path(result, {"tokens_per_second"});
  row["data_hash"] = at_path(document, {"data", "hash"});
  return row;
}

// A cell that rounds nothing is the run again, on the tokens of its grid.
bool is_run_itself(const Json& cell) {
  return at_path(cell, {"method"}) == "none";
}

Json ptq_row(const Json& run, const Json& cell) {
  Json row = run;
  row["method"] = at_path(cell, {"method"});
  row["format_post"] = at_path(cell, {"scheme"});
  if (row["format_post"].is_null()) row["format_post"] = at_path(cell, {"format"});
  row["P_post"] = at_path(cell, {"bits"});
  row["group"] = at_path(cell, {"group"});
  row["format_a_post"] = at_path(cell, {"activations"});
  row["format_kv_post"] = at_path(cell, {"kv"});
  row["storage_bits"] = at_path(cell, {"storage_bits"});
  row["loss"] = at_path(cell, {"loss_nats"});
  row["loss_standard_error"] = nullptr;
  row["bits_per_byte"] = at_path(cell, {"bits_per_byte"});
  row["delta"] = at_path(cell, {"delta"});
  row["standard_error"] = at_path(cell, {"standard_error"});
  row["measured_delta"] = at_path(cell, {"measured_delta"});
  row["measured_standard_error"] = at_path(cell, {"measured_standard_error"});
  row["kl"] = at_path(cell, {"kl_nats"});
  row["same_top"] = at_path(cell, {"same_top"});
  row["flagged"] = at_path(cell, {"flagged"}).is_boolean()
                       ? Json(cell["flagged"].get<bool>() ? 1 : 0)
                       : Json(nullptr);
  row["calibration_seed"] = at_path(cell, {"calibration", "seed"});
  row["seconds"] = at_path(cell, {"seconds"});
  row["tokens_per_second"] = nullptr;
  return row;
}

}  // namespace

const std::vector<TidyColumn>& tidy_columns() {
  static const std::vector<TidyColumn> columns{
      {"run", "TEXT", "name of the run: the hash of its configuration"},
      {"status", "TEXT", "finished, diverged or started"},
      {"N", "INTEGER", "parameters without embeddings and output head"},
      {"N_total", "INTEGER", "all parameters"},
      {"D", "INTEGER", "training tokens"},
      {"P_w", "REAL", "bits of the weights in training (16: BF16)"},
      {"P_a", "REAL", "bits of the activations in training"},
      {"P_kv", "REAL", "bits of keys and values in training"},
      {"P_q", "REAL", "bits of the queries in training"},
      {"P_post", "REAL", "bits of the weights after training (16: as trained)"},
      {"loss", "REAL", "validation loss, nats per token, of this row's model"},
      {"loss_standard_error", "REAL", "of loss, over the validation text"},
      {"delta", "REAL",
       "loss minus the loss before quantization, nats per token, paired token by token"},
      {"standard_error", "REAL", "of delta"},
      {"measured_delta", "REAL",
       "delta as measured, also where it is 0 by definition (as many bits as in training)"},
      {"measured_standard_error", "REAL", "of measured_delta"},
      {"kl", "REAL", "KL divergence from the model before quantization, nats per token"},
      {"same_top", "REAL", "share of tokens whose most likely token stays the same"},
      {"bits_per_byte", "REAL", "validation loss in bits per byte of text"},
      {"method", "TEXT", "none (the run itself), or how it was quantized: gptq, rtn+clip, ..."},
      {"group", "INTEGER", "weights that share a scale after training; 0: an output channel"},
      {"flagged", "INTEGER",
       "1 where the model, or some matrix on the calibration text, is worse than round-to-nearest"},
      {"calibration_seed", "INTEGER", "which calibration text"},
      {"format_w", "TEXT", "format of the weights in training"},
      {"format_a", "TEXT", "format of the activations"},
      {"format_kv", "TEXT", "format of keys and values"},
      {"format_q", "TEXT", "format of the queries"},
      {"format_post", "TEXT", "format of the weights after training"},
      {"format_a_post", "TEXT", "of the activations in use, where it is not that of training"},
      {"format_kv_post", "TEXT", "of keys and values in use, where it is not that of training"},
      {"storage_bits", "REAL", "bits per weight with scales and zero points"},
      {"granularity_w", "TEXT", "what shares a scale"},
      {"granularity_a", "TEXT", "what shares a scale"},
      {"granularity_kv", "TEXT", "what shares a scale"},
      {"schedule", "TEXT", "of the learning rate"},
      {"seed", "INTEGER", "of initialisation and data order"},
      {"lr", "REAL", "base learning rate"},
      {"batch_tokens", "INTEGER", "tokens of one step"},
      {"width", "INTEGER", "d"},
      {"layers", "INTEGER", "L"},
      {"heads", "INTEGER", "H"},
      {"sequence", "INTEGER", "T"},
      {"vocabulary", "INTEGER", "V"},
      {"seconds", "REAL", "time this row took"},
      {"tokens_per_second", "REAL", "training speed"},
      {"data_hash", "TEXT", "content of the data set"},
  };
  return columns;
}

std::vector<fs::path> find_run_directories(const fs::path& runs) {
  std::error_code error;
  std::vector<fs::path> found;
  fs::directory_iterator entries(runs, error);
  if (error)
    throw Error(fmt::format("{}: is not a directory of runs: {}", runs.string(), error.message()));
  for (const fs::directory_entry& entry : entries) {
    if (fs::exists(entry.path() / "run.json", error)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string run_status(const fs::path& run) {
  std::error_code error;
  if (!fs::exists(run / "result.json", error)) return "started";
  const Json status = at_path(
      parse_json(read_file(run / "result.json"), (run / "result.json").string()), {"status"});
  if (!status.is_string()) {
    throw Error(fmt::format("{}: has no \"status\"; remove the file to train the run again",
                            (run / "result.json").string()));
  }
  return status.get<std::string>();
}

Json tidy_rows(const fs::path& run, std::vector<std::string>& problems) {
  std::error_code error;
  const Json document = parse_json(read_file(run / "run.json"), (run / "run.json").string());
  if (!document.is_object() || !document.contains("config")) {
    throw Error(fmt::format("{}: has no \"config\"; it is not a run's description",
                            (run / "run.json").string()));
  }
  Json result;
  if (fs::exists(run / "result.json", error)) {
    result = parse_json(read_file(run / "result.json"), (run / "result.json").string());
  }
  const Json first = run_row(run, document, result);
  Json rows = Json::array({first});
  std::vector<fs::path> cells;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "ptq", error)) {
    if (entry.path().extension() == ".json") cells.push_back(entry.path());
  }
  std::sort(cells.begin(), cells.end());
  for (const fs::path& cell : cells) {
    try {
      const Json document = parse_json(read_file(cell), cell.string());
      if (const Json version = at_path(document, {"version"});
          version.is_number() && version < kCellVersion) {
        throw Error(fmt::format("{}: measured by an older version of bitlaw", cell.string()));
      }
      if (!is_run_itself(document)) rows.push_back(ptq_row(first, document));
    } catch (const Error& error) {
      problems.push_back(std::string(error.what()) + "; remove it to have it computed again");
    }
  }
  return rows;
}

}  // namespace bitlaw
