#include "quantize/quantize_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "model/checkpoint.h"
#include "model/evaluate.h"
#include "quantize/grid_rows.h"
#include "quantize/paired.h"
#include "quantize/quantize_model.h"
#include "quantize/windows.h"
#include "record/result.h"
#include "record/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Its record, as far as it matters here.
struct Run {
  fs::path directory;
  std::string name;
  Recipe recipe;
  std::string data_path, data_hash;
  std::string weights_hash;  // of the final checkpoint; empty where the result does not say
};

Run read_finished_run(const fs::path& directory) {
  const RunRecord record = read_own_run(directory);
  const std::optional<ResultRecord> result = read_result(directory);
  if (!result) {
    throw Error(fmt::format("{}: has no result yet; train the run to its end before quantizing it",
                            directory.string()));
  }
  if (result->status == RunStatus::kDiverged) {
    throw Error(fmt::format("{}: this run diverged; there is no trained model to quantize",
                            directory.string()));
  }
  return {.directory = directory,
          .name = fs::weakly_canonical(directory).filename().string(),
          .recipe = make_recipe(record.recipe_config()),
          .data_path = record.data.path,
          .data_hash = record.data.hash,
          .weights_hash = result->training ? result->training->weights_hash : ""};
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

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string hash_of(const Tensor& tensor) {
  return hash_hex({static_cast<const char*>(tensor.raw()), tensor.bytes()});
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

}  // namespace

RunRecord read_own_run(const fs::path& directory) {
  RunRecord record = read_run_record(directory);
  if (record.checkpoint) {
    throw Error(
        fmt::format("{}: is the record of the checkpoint {}; quantize that, with its --text",
                    directory.string(), record.checkpoint->path));
  }
  return record;
}

std::vector<CellRow> quantize_run(const fs::path& directory, const PtqConfig& config,
                                  ThreadPool& pool, const PtqProgress& progress) {
  const std::vector<PtqCell> cells = ptq_cells(config);
  const Run run = read_finished_run(directory);
  LoadedModel loaded = load_model(final_checkpoint(directory));
  require_weights(final_checkpoint(directory), run.weights_hash);
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
  GridRows rows(directory, run.name);
  for (const PtqCell& cell : cells) {
    const TokenWindows& text =
        calibrations.at(cell.calibrated() ? cell.calibration_seed : config.calibration_seeds[0]);
    CellKey key = requested_cell(cell, text.targets(), evaluation.targets());
    key.checkpoint = checkpoint_hash;
    key.recipe = run.recipe.name();
    key.evaluation.hash = evaluation.hash();
    if (key.calibration) key.calibration->hash = text.hash();
    rows.add(cell, key);
  }
  const std::vector<size_t> missing = rows.missing();
  if (missing.empty()) return rows.answer();
  std::set<int64_t> seeds;  // whose calibration is needed
  for (const size_t row : missing) {
    if (rows.cell(row).calibrated()) seeds.insert(rows.cell(row).calibration_seed);
  }
  const auto total = static_cast<double>(1 + missing.size() + seeds.size());

  double done = 0;
  const auto finished = [&](const std::string& note) {
    if (progress) progress(++done, total, note);
  };
  ModelsInUse models(loaded.config, parameters, pool);
  Model& trained = models.unquantized(run.recipe);
  const Baseline baseline = evaluate_baseline(trained, parameters, evaluation.spans(), pool);
  finished("unquantized model evaluated");
  ModelQuantizer quantizer(trained, parameters, pool);
  const Format& trained_format = run.recipe.weights.format;

  const auto compute = [&](size_t row, const QuantizedModel& quantized, double seconds) {
    const auto start = std::chrono::steady_clock::now();
    const PtqCell& cell = rows.cell(row);
    const Model& model = models.with(recipe_in_use(run.recipe, cell), quantized);
    const std::vector<TokenComparison> measured =
        compare_to_baseline(baseline, model, parameters, evaluation.spans(), pool);
    const bool as_many_bits =
        !cell.rounds_weights() || cell.weights.scheme.format.bits >= trained_format.bits;
    rows.finish(row, quantized.reports,
                paired_comparison(measured, evaluation.cluster, dataset.bytes_per_token()),
                evaluation.clustered_by,
                trained_format.scaled() && as_many_bits && !cell.activations && !cell.kv,
                seconds + seconds_since(start));
    finished(cell.title());
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
    std::optional<MatrixCell> weights_of;  // whose weights `quantized` holds
    QuantizedModel quantized;
    for (const size_t row : missing) {
      const PtqCell& cell = rows.cell(row);
      if ((cell.calibrated() ? cell.calibration_seed : -1) != seed) continue;
      double seconds = 0;
      if (weights_of != cell.weights) {
        const auto start = std::chrono::steady_clock::now();
        quantized = quantizer.quantize(cell.weights);
        weights_of = cell.weights;
        seconds = seconds_since(start);
      }
      compute(row, quantized, seconds);
    }
  }
  return rows.answer();
}

}  // namespace bitlaw
