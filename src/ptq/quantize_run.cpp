#include "ptq/quantize_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "model/checkpoint.h"
#include "model/evaluate.h"
#include "ptq/paired.h"
#include "ptq/quantize_model.h"
#include "ptq/rows.h"
#include "ptq/windows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kCellVersion = 2;  // of the hashed document: a new one computes every cell again

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

// Everything that the numbers of a cell follow from.
Json resolved_cell(const Json& requested, const std::string& checkpoint_hash, const Recipe& recipe,
                   const std::string& evaluation_hash, const std::string& calibration_hash) {
  Json document = requested;
  document["version"] = kCellVersion;
  document["checkpoint"] = checkpoint_hash;
  document["recipe"] = recipe.name();
  document["evaluation"]["hash"] = evaluation_hash;
  if (document["calibration"].is_object()) document["calibration"]["hash"] = calibration_hash;
  return document;
}

// The recipe with which the model of a cell is used; weights as in training.
Recipe recipe_in_use(Recipe recipe, const PtqCell& cell) {
  if (cell.activations) recipe.activations = *cell.activations;
  if (cell.kv) recipe.keys = recipe.values = *cell.kv;
  return recipe;
}

// A prepared model for every recipe in use: the same weights, other roundings.
class ModelsInUse {
 public:
  ModelsInUse(const ModelConfig& config, const Parameters& parameters, ThreadPool& pool)
      : config_(config),
        parameters_(parameters),
        pool_(pool),
        contexts_(static_cast<size_t>(pool.threads())) {}

  // With the weights of the recipe itself: what training validated.
  Model& unquantized(const Recipe& recipe) {
    Model& model = models_.try_emplace(recipe.name(), config_, recipe).first->second;
    model.prepare(context_, parameters_, false, &pool_, &contexts_);
    return model;
  }
  Model& with(const Recipe& recipe, const QuantizedModel& quantized) {
    const auto found = models_.find(recipe.name());
    if (found == models_.end() || quantized.weights.empty()) unquantized(recipe);
    Model& model = models_.at(recipe.name());
    replace_weights(context_, model, quantized);
    return model;
  }

 private:
  const ModelConfig& config_;
  const Parameters& parameters_;
  ThreadPool& pool_;
  Context context_;
  std::vector<Context> contexts_;
  std::map<std::string, Model> models_;
};

// A cell of the answer: its document, resolved at first and complete at the end.
struct Row {
  PtqCell cell;
  Json document;
  fs::path file;
  bool there = false;
};

// Reads what an earlier call has left.
void look_up(Row& row, const std::string& run) {
  if (!fs::exists(row.file)) return;
  try {
    row.document = read_document(row.file);
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; remove it to have this cell computed again");
  }
  row.document["run"] = run;  // the directory may have been renamed
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

}  // namespace

Json quantize_run(const fs::path& directory, const PtqConfig& config, ThreadPool& pool,
                  const PtqProgress& progress) {
  const std::vector<PtqCell> cells = ptq_cells(config);
  const Run run = read_run_files(directory);
  LoadedModel loaded = load_model(directory / "checkpoints/final");
  require_weights(directory / "checkpoints/final", run.weights_hash);
  const Parameters& parameters = loaded.parameters;
  require_finite_weights(Model(loaded.config, run.recipe), parameters);
  const Dataset dataset = open_data(run, config, loaded.config.vocabulary);
  const int64_t T = loaded.config.sequence;
  std::map<int64_t, TokenWindows> calibrations;  // by seed
  for (const int64_t seed : config.calibration_seeds) {
    calibrations[seed] = calibration_windows(dataset.train(), T, config.calibration_tokens,
                                             static_cast<uint64_t>(seed));
  }
  const TokenWindows evaluation = evaluation_windows(
      dataset.validation(), T, config.evaluation_tokens, dataset.info().end_of_document);

  const std::string checkpoint_hash = hash_of(parameters.flat);
  std::vector<Row> rows;
  std::set<int64_t> seeds;  // whose calibration is needed
  double total = 1;         // the baseline
  for (const PtqCell& cell : cells) {
    const TokenWindows& text =
        calibrations.at(cell.calibrated() ? cell.calibration_seed : config.calibration_seeds[0]);
    Row row{cell,
            resolved_cell(requested_cell(cell, config, text.targets(), evaluation.targets()),
                          checkpoint_hash, run.recipe, evaluation.hash(), text.hash()),
            {}};
    row.file = directory / "ptq" / (hash_hex(dump_json(row.document)).substr(0, 16) + ".json");
    look_up(row, run.name);
    if (!row.there) {
      ++total;
      if (cell.calibrated()) seeds.insert(cell.calibration_seed);
    }
    rows.push_back(std::move(row));
  }
  total += static_cast<double>(seeds.size());

  const auto answer = [&rows] {
    Json documents = Json::array();
    for (Row& row : rows) documents.push_back(std::move(row.document));
    add_spreads(documents);
    return documents;
  };
  if (total == 1) return answer();

  double done = 0;
  const auto finished = [&](const std::string& note) {
    if (progress) progress(++done, total, note);
  };
  ModelsInUse models(loaded.config, parameters, pool);
  Model& trained = models.unquantized(run.recipe);
  const Baseline baseline = evaluate_baseline(trained, parameters, evaluation.spans(), pool);
  finished("unquantized model evaluated");
  ModelQuantizer quantizer(trained, parameters, config.damping, pool);
  const Format& trained_format = run.recipe.weights.format;

  const auto compute = [&](Row& row, const QuantizedModel& quantized, double seconds) {
    const auto start = std::chrono::steady_clock::now();
    const Model& model = models.with(recipe_in_use(run.recipe, row.cell), quantized);
    const std::vector<TokenComparison> measured =
        compare_to_baseline(baseline, model, parameters, evaluation.spans(), pool);
    row.document["run"] = run.name;
    add_matrices(row.document, quantized.reports);
    const bool as_many_bits = row.cell.method.method == PtqMethod::kNone ||
                              row.cell.scheme.format.bits >= trained_format.bits;
    add_comparison(
        row.document, paired_comparison(measured, evaluation.cluster, dataset.bytes_per_token()),
        evaluation.clustered_by,
        trained_format.scaled() && as_many_bits && !row.cell.activations && !row.cell.kv);
    compare_with_rtn(row.document, rtn_of(rows, row));
    row.document["seconds"] =
        seconds + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_file_atomically(row.file, dump_json(row.document, 1) + "\n");
    row.there = true;
    finished(row.cell.title());
  };

  // Uncalibrated cells first, then seed by seed, so that one calibration is in memory at a time.
  // Cells that differ only in what is rounded in use stand together and share their weights.
  std::vector<int64_t> passes{-1};
  passes.insert(passes.end(), seeds.begin(), seeds.end());
  for (const int64_t seed : passes) {
    if (seed >= 0) {
      quantizer.use_calibration(calibrate(models.unquantized(run.recipe), parameters,
                                          calibrations.at(seed).spans(), pool));
      finished(fmt::format("calibrated on seed {}", seed));
    }
    std::string weights_of;  // whose weights `quantized` holds
    QuantizedModel quantized;
    for (Row& row : rows) {
      if (row.there || (row.cell.calibrated() ? row.cell.calibration_seed : -1) != seed) continue;
      PtqCell weights = row.cell;
      weights.activations = weights.kv = std::nullopt;
      double seconds = 0;
      if (const std::string key = dump_json(weights.description()); key != weights_of) {
        const auto start = std::chrono::steady_clock::now();
        quantized = quantizer.quantize(row.cell);
        weights_of = key;
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      }
      compute(row, quantized, seconds);
    }
  }
  return answer();
}

}  // namespace bitlaw
