#include "ptq/quantize_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "model/checkpoint.h"
#include "model/evaluate.h"
#include "ptq/paired.h"
#include "ptq/quantize_model.h"
#include "ptq/windows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kCellVersion = 1;  // of the hashed document: a new one computes every cell again

// What run.json and result.json say, as far as it matters here.
struct Run {
  fs::path directory;
  std::string name;
  Recipe recipe;
  std::string data_path, data_hash;
  std::string weights_hash;  // of the final checkpoint; empty where the result does not say
};

Json read_document(const fs::path& file) {
  return parse_json(read_file(file), file.string());
}

std::string text_at(const Json& document, const char* section, const char* key,
                    const fs::path& file) {
  const Json* place =
      document.is_object() && document.contains(section) ? &document[section] : nullptr;
  if (place == nullptr || !place->is_object() || !place->contains(key) ||
      !(*place)[key].is_string()) {
    throw Error(fmt::format("{}: has no {}.{}; it is not the record of a run", file.string(),
                            section, key));
  }
  return (*place)[key].get<std::string>();
}

// Its result.json, once it says that the run finished.
Json finished_result(const fs::path& directory) {
  const fs::path file = directory / "result.json";
  if (!fs::exists(file)) {
    throw Error(fmt::format("{}: has no result yet; train the run to its end before quantizing it",
                            directory.string()));
  }
  const Json result = read_document(file);
  const std::string status =
      result.is_object() && result.contains("status") && result["status"].is_string()
          ? result["status"]
          : "";
  if (status == "diverged") {
    throw Error(fmt::format("{}: this run diverged; there is no trained model to quantize",
                            directory.string()));
  }
  if (status != "finished") {
    throw Error(
        fmt::format("{}: does not say that the run finished; train it again", file.string()));
  }
  return result;
}

Run read_run_files(const fs::path& directory) {
  const fs::path file = directory / "run.json";
  if (!fs::exists(file)) {
    throw Error(fmt::format(
        "{}: is not a run: there is no run.json; give the directory that `bitlaw train` made",
        directory.string()));
  }
  const Json document = read_document(file);
  Run run;
  run.directory = directory;
  run.name = fs::weakly_canonical(directory).filename().string();
  run.data_path = text_at(document, "data", "path", file);
  run.data_hash = text_at(document, "data", "hash", file);
  RecipeConfig recipe;
  if (!document.contains("config") || !document["config"].is_object() ||
      !document["config"].contains("recipe")) {
    throw Error(
        fmt::format("{}: has no config.recipe; it is not the record of a run", file.string()));
  }
  fill(recipe, document["config"]["recipe"], file.string());
  run.recipe = make_recipe(recipe);
  const Json result = finished_result(directory);
  if (result.contains("weights_hash") && result["weights_hash"].is_string())
    run.weights_hash = result["weights_hash"];
  return run;
}

Dataset open_data(const Run& run, const PtqConfig& config, int64_t vocabulary) {
  const std::string path = config.data.empty() ? run.data_path : config.data;
  if (config.data.empty() && !fs::exists(path)) {
    throw Error(
        fmt::format("{}: the data set that {} was trained on is not there any more; name its "
                    "directory with --data",
                    path, run.name));
  }
  Dataset dataset = Dataset::open(path, static_cast<int>(vocabulary));
  if (dataset.hash() != run.data_hash) {
    throw Error(
        fmt::format("{}: is not the data set that {} was trained on (its hash is {}, the run's {})",
                    path, run.name, dataset.hash(), run.data_hash));
  }
  return dataset;
}

std::string hash_of(const Tensor& tensor) {
  return hash_hex({static_cast<const char*>(tensor.raw()), tensor.bytes()});
}

std::string granularity_of(const PtqCell& cell) {
  return cell.group == 0 ? "channel" : fmt::format("group{}", cell.group);
}

// Everything that the numbers of a cell follow from.
Json resolved_cell(const PtqCell& cell, const PtqConfig& config, const std::string& checkpoint_hash,
                   const Recipe& recipe, const TokenWindows& calibration,
                   const TokenWindows& evaluation) {
  Json document{{"version", kCellVersion},
                {"checkpoint", checkpoint_hash},
                {"recipe", recipe.name()},
                {"method", name_of(cell.method)},
                {"format", cell.format.name()},
                {"bits", cell.format.bits},
                {"group", cell.group},
                {"granularity", granularity_of(cell)},
                {"calibration",
                 {{"tokens", calibration.targets()},
                  {"seed", config.calibration_seed},
                  {"hash", calibration.hash()}}},
                {"evaluation", {{"tokens", evaluation.targets()}, {"hash", evaluation.hash()}}}};
  if (cell.method == PtqMethod::kGptq) document["first_damping"] = config.damping;
  return document;
}

// The loss difference and its standard error; by definition none where training had as few bits.
void add_losses(Json& row, const PairedDifference& paired, const TokenWindows& evaluation,
                bool no_fewer_bits) {
  const Json error =
      std::isnan(paired.standard_error) ? Json(nullptr) : Json(paired.standard_error);
  row["loss_nats"] = paired.losses_mean;
  row["baseline_loss_nats"] = paired.baseline_mean;
  row["measured_delta"] = paired.mean;
  row["measured_standard_error"] = error;
  row["delta"] = no_fewer_bits ? Json(0.0) : Json(paired.mean);
  row["standard_error"] = no_fewer_bits ? Json(0.0) : error;
  row["tokens"] = paired.tokens;
  row["clusters"] = paired.clusters;
  row["clustered_by"] = evaluation.clustered_by;
}

void add_layers(Json& row, const std::vector<LayerResult>& layers) {
  row["layers"] = Json::array();
  row["flagged"] = false;
  row["damping"] = nullptr;
  for (const LayerResult& layer : layers) {
    row["layers"].push_back(to_json(layer));
    if (layer.flagged) row["flagged"] = true;
    if (!std::isnan(layer.damping) &&
        (row["damping"].is_null() || row["damping"] < layer.damping)) {
      row["damping"] = layer.damping;
    }
  }
}

}  // namespace

Json quantize_run(const fs::path& directory, const PtqConfig& config, ThreadPool& pool,
                  const PtqProgress& progress) {
  const std::vector<PtqCell> cells = ptq_cells(config);
  const Run run = read_run_files(directory);
  LoadedModel loaded = load_model(directory / "checkpoints/final");
  require_weights(directory / "checkpoints/final", run.weights_hash);
  Model model(loaded.config, run.recipe);
  const Parameters& parameters = loaded.parameters;
  require_finite_weights(model, parameters);
  const Dataset dataset = open_data(run, config, loaded.config.vocabulary);
  const int64_t T = loaded.config.sequence;
  const TokenWindows calibration =
      calibration_windows(dataset.train(), T, config.calibration_tokens,
                          static_cast<uint64_t>(config.calibration_seed));
  const TokenWindows evaluation = evaluation_windows(
      dataset.validation(), T, config.evaluation_tokens, dataset.info().end_of_document);

  const std::string checkpoint_hash = hash_of(parameters.flat);
  std::vector<Json> rows;  // resolved cells, then finished ones
  std::vector<fs::path> files;
  std::vector<size_t> missing;
  for (const PtqCell& cell : cells) {
    rows.push_back(
        resolved_cell(cell, config, checkpoint_hash, run.recipe, calibration, evaluation));
    files.push_back(directory / "ptq" / (hash_hex(dump_json(rows.back())).substr(0, 16) + ".json"));
    if (fs::exists(files.back())) {
      try {
        rows.back() = read_document(files.back());
      } catch (const Error& error) {
        throw Error(std::string(error.what()) + "; remove it to have this cell computed again");
      }
      rows.back()["run"] = run.name;  // the directory may have been renamed
    } else {
      missing.push_back(rows.size() - 1);
    }
  }
  if (missing.empty()) return rows;

  const double total = static_cast<double>(missing.size()) + 2;
  double done = 0;
  const auto finished = [&](const std::string& note) {
    if (progress) progress(++done, total, note);
  };
  Context context;
  std::vector<Context> contexts(static_cast<size_t>(pool.threads()));
  model.prepare(context, parameters, false, &pool, &contexts);
  const std::vector<std::span<const Token>> texts = evaluation.spans();
  const std::vector<float> baseline = per_token_losses(model, parameters, texts, pool);
  finished("unquantized model evaluated");
  ModelQuantizer quantizer(model, parameters,
                           calibrate(model, parameters, calibration.spans(), pool), config.damping,
                           pool);
  finished("calibrated");

  const Format& trained = run.recipe.weights.format;
  for (const size_t index : missing) {
    const auto start = std::chrono::steady_clock::now();
    const PtqCell& cell = cells[index];
    Json& row = rows[index];
    row["run"] = run.name;
    add_layers(row, quantizer.apply(context, cell));
    const std::vector<float> losses = per_token_losses(model, parameters, texts, pool);
    add_losses(row, paired_difference(losses, baseline, evaluation.cluster), evaluation,
               trained.scaled() && cell.format.bits >= trained.bits);
    row["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_file_atomically(files[index], dump_json(row, 1) + "\n");
    finished(
        fmt::format("{} {} {}", name_of(cell.method), cell.format.name(), granularity_of(cell)));
  }
  return rows;
}

}  // namespace bitlaw
