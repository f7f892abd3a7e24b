#include "quantize/quantize_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/say.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "model/checkpoint.h"
#include "model/evaluate.h"
#include "quantize/grid_rows.h"
#include "quantize/paired.h"
#include "quantize/quantize_model.h"
#include "quantize/windows.h"
#include "record/kept_model.h"
#include "record/result.h"
#include "record/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// The parts of its record that are used here.
struct Run {
  fs::path directory;
  std::string name;
  Recipe recipe;
  int64_t batch_sequences;  // of a step
  std::string data_path, data_hash;
  fs::path checkpoint;               // that is quantized
  std::optional<int64_t> at_tokens;  // of a model kept along the run
  std::string weights_hash;          // of the checkpoint; empty if the result does not have it
};

Run read_run_of(const fs::path& directory) {
  const RunRecord record = read_own_run(directory);
  return {.directory = directory,
          .name = fs::weakly_canonical(directory).filename().string(),
          .recipe = record.trained_recipe(),
          .batch_sequences = record.batch_sequences(),
          .data_path = record.data.path,
          .data_hash = record.data.hash,
          .checkpoint = {},
          .at_tokens = {},
          .weights_hash = {}};
}

Run read_kept_model(const fs::path& directory, int64_t tokens) {
  Run run = read_run_of(directory);
  run.checkpoint = kept_checkpoint(directory, tokens);
  run.at_tokens = tokens;
  return run;
}

Run read_finished_run(const fs::path& directory) {
  Run run = read_run_of(directory);
  const std::optional<ResultRecord> result = read_result(directory);
  if (!result) {
    throw Error(fmt::format("{}: has no result yet; train the run to its end before quantizing it",
                            directory.string()));
  }
  if (result->status == RunStatus::kDiverged) {
    throw Error(fmt::format("{}: this run diverged; there is no trained model to quantize",
                            directory.string()));
  }
  run.checkpoint = final_checkpoint(directory);
  if (result->training) run.weights_hash = result->training->weights_hash;
  return run;
}

Dataset open_data(const Run& run, const PtqConfig& config, int64_t vocabulary) {
  const std::string path = config.data.empty() ? run.data_path : config.data;
  if (config.data.empty() && !fs::exists(path)) {
    throw Error(
        fmt::format("{}: the data set that {} was trained on no longer exists; give its "
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

// The recipe with which the model of a cell is used; weights, rotations, and the size of a batch,
// as in training.
Recipe recipe_in_use(const Run& run, const PtqCell& cell) {
  Recipe recipe = run.recipe;
  if (cell.activations) recipe.activations = *cell.activations;
  if (cell.kv) recipe.keys = recipe.values = *cell.kv;
  recipe.activations.options.hadamard = run.recipe.activations.options.hadamard;
  recipe.keys.options.hadamard = run.recipe.keys.options.hadamard;
  recipe.batch_sequences = recipe.has_batch_scales() ? run.batch_sequences : 0;
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

// A run and everything that its cells are measured with.
struct OpenedRun {
  Run run;
  LoadedModel loaded;
  Dataset dataset;
  std::map<int64_t, TokenWindows> calibrations;  // by seed
  TokenWindows evaluation;
};

LoadedModel load_whole_model(const Run& run) {
  LoadedModel loaded = load_model(run.checkpoint);
  require_weights(run.checkpoint, run.weights_hash);
  require_finite_weights(Model(loaded.config, run.recipe), loaded.parameters);
  return loaded;
}

// The same for a model along a run; a sentence in `damaged` if it is.
std::optional<LoadedModel> load_if_whole(const Run& run, std::vector<std::string>& damaged) {
  try {
    return load_whole_model(run);
  } catch (const Error& error) {
    damaged.push_back(fmt::format(
        "{}; the model kept along the run at {} tokens is left out, and {} may be removed",
        error.what(), run.at_tokens.value_or(0), run.checkpoint.string()));
    return std::nullopt;
  }
}

OpenedRun open_run(const Run& run, LoadedModel loaded, const PtqConfig& config) {
  OpenedRun out{run, std::move(loaded), open_data(run, config, loaded.config.vocabulary), {}, {}};
  const int64_t T = out.loaded.config.sequence;
  for (const int64_t seed : config.calibration_seeds) {
    out.calibrations[seed] = calibration_windows(out.dataset.train(), T, config.calibration_tokens,
                                                 static_cast<uint64_t>(seed));
  }
  out.evaluation = evaluation_windows(out.dataset.validation(), T, config.evaluation_tokens,
                                      out.dataset.info().end_of_document);
  return out;
}

// Whether every calibration takes all of the training text, so that two of them differ in its order
// alone. Then their spread says nothing.
bool all_the_text(const OpenedRun& opened) {
  const TokenWindows& one = opened.calibrations.begin()->second;
  return one.size() == window_count(opened.dataset.train_tokens(), static_cast<int>(one.sequence));
}

void say_if_all_the_text(const OpenedRun& opened, const std::vector<PtqCell>& cells) {
  const bool calibrated = std::any_of(cells.begin(), cells.end(),
                                      [](const PtqCell& cell) { return cell.calibrated(); });
  if (!calibrated || opened.calibrations.size() < 2 || !all_the_text(opened)) return;
  say("note: {}: every calibration takes all of the training text, so their spread says nothing "
      "and is not given; give fewer --calibration-tokens",
      opened.run.name);
}

GridRows rows_of(const OpenedRun& opened, const PtqConfig& config,
                 const std::vector<PtqCell>& cells) {
  const std::string checkpoint_hash = hash_of(opened.loaded.parameters.flat);
  GridRows rows(opened.run.directory, opened.run.name, opened.run.at_tokens);
  for (const PtqCell& cell : cells) {
    const TokenWindows& text = opened.calibrations.at(
        cell.calibrated() ? cell.calibration_seed : config.calibration_seeds[0]);
    CellKey key = requested_cell(cell, text.targets(), opened.evaluation.targets());
    key.checkpoint = checkpoint_hash;
    key.recipe = opened.run.recipe.name();
    key.evaluation.hash = opened.evaluation.hash();
    if (key.calibration) key.calibration->hash = text.hash();
    rows.add(cell, key);
  }
  return rows;
}

// Computes the rows that are missing.
class MissingCells {
 public:
  MissingCells(const OpenedRun& opened, GridRows& rows, ThreadPool& pool,
               const PtqProgress& progress)
      : opened_(opened),
        rows_(rows),
        pool_(pool),
        progress_(progress),
        missing_(rows.missing()),
        models_(opened.loaded.config, parameters(), pool),
        trained_(models_.unquantized(opened.run.recipe)),
        quantizer_(trained_, parameters(), pool) {
    for (const size_t row : missing_) {
      if (rows_.cell(row).calibrated()) seeds_.insert(rows_.cell(row).calibration_seed);
    }
  }

  // Uncalibrated cells first, then seed by seed, so that one calibration is in memory at a time.
  void compute() {
    baseline_ = evaluate_baseline(trained_, parameters(), opened_.evaluation.spans(), pool_);
    finished("unquantized model evaluated");
    compute_cells(std::nullopt);
    for (const int64_t seed : seeds_) {
      quantizer_.use_calibration(calibrate(models_.unquantized(opened_.run.recipe), parameters(),
                                           opened_.calibrations.at(seed).spans(), pool_));
      finished(fmt::format("calibrated on seed {}", seed));
      compute_cells(seed);
    }
  }

 private:
  const Parameters& parameters() const { return opened_.loaded.parameters; }

  void finished(const std::string& note) {
    const size_t total = 1 + missing_.size() + seeds_.size();
    if (progress_) progress_(++done_, static_cast<double>(total), note);
  }

  // Those of one calibration. Cells that differ only in what is rounded in use are adjacent and
  // share their weights.
  void compute_cells(std::optional<int64_t> seed) {
    std::optional<MatrixCell> weights_of;  // whose weights `quantized` holds
    QuantizedModel quantized;
    for (const size_t row : missing_) {
      const PtqCell& cell = rows_.cell(row);
      if (cell.calibrated() != seed.has_value() || (seed && cell.calibration_seed != *seed))
        continue;
      const auto start = std::chrono::steady_clock::now();
      if (weights_of != cell.weights) quantized = quantizer_.quantize(cell.weights);
      weights_of = cell.weights;
      measure(row, quantized, start);
    }
  }

  void measure(size_t row, const QuantizedModel& quantized,
               std::chrono::steady_clock::time_point start) {
    const PtqCell& cell = rows_.cell(row);
    const Recipe& recipe = opened_.run.recipe;
    const TokenWindows& evaluation = opened_.evaluation;
    const Model& model = models_.with(recipe_in_use(opened_.run, cell), quantized);
    const std::vector<TokenComparison> measured =
        compare_to_baseline(baseline_, model, parameters(), evaluation.spans(), pool_);
    rows_.finish(row, quantized.reports,
                 paired_comparison(measured, evaluation.cluster, opened_.dataset.bytes_per_token()),
                 evaluation.clustered_by, changes_nothing(recipe, cell), seconds_since(start));
    finished(cell.title());
  }

  const OpenedRun& opened_;
  GridRows& rows_;
  ThreadPool& pool_;
  const PtqProgress& progress_;
  const std::vector<size_t> missing_;
  std::set<int64_t> seeds_;  // whose calibration is needed
  ModelsInUse models_;
  const Model& trained_;
  ModelQuantizer quantizer_;
  Baseline baseline_;
  double done_ = 0;
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

ModelsOfRun models_of_run(const fs::path& directory, bool along) {
  if (const auto kept = kept_place(directory)) return {kept->run, {kept->tokens}};
  ModelsOfRun out{directory, {std::nullopt}};
  if (!along) return out;
  for (const KeptModel& kept : kept_models(directory)) {
    if (kept.is_there) out.at_tokens.emplace_back(kept.tokens);
  }
  return out;
}

std::vector<CellRow> quantize_run(const fs::path& directory, const PtqConfig& config,
                                  ThreadPool& pool, const PtqProgress& progress,
                                  std::vector<std::string>* damaged) {
  const std::vector<PtqCell> cells = ptq_cells(config);
  const ModelsOfRun models = models_of_run(directory, config.along);
  std::vector<CellRow> out;
  std::vector<std::string> left_out;
  for (size_t i = 0; i < models.at_tokens.size(); ++i) {
    const std::optional<int64_t>& at = models.at_tokens[i];
    const Run run = at ? read_kept_model(models.run, *at) : read_finished_run(models.run);
    std::optional<LoadedModel> loaded =
        i == 0 ? load_whole_model(run) : load_if_whole(run, left_out);
    if (!loaded) continue;
    const OpenedRun opened = open_run(run, std::move(*loaded), config);
    GridRows rows = rows_of(opened, config, cells);
    if (i == 0) say_if_all_the_text(opened, cells);
    const PtqProgress of_all = [&](double done, double total, const std::string& note) {
      const auto count = static_cast<double>(models.at_tokens.size());
      if (progress) progress(static_cast<double>(i) * total + done, count * total, note);
    };
    if (!rows.missing().empty()) rows.claim();
    if (!rows.missing().empty()) MissingCells(opened, rows, pool, of_all).compute();
    std::vector<CellRow> answer = rows.answer(all_the_text(opened));
    std::move(answer.begin(), answer.end(), std::back_inserter(out));
  }
  if (damaged == nullptr && !left_out.empty())
    throw Error(fmt::format("{}", fmt::join(left_out, "; ")));
  if (damaged != nullptr) damaged->insert(damaged->end(), left_out.begin(), left_out.end());
  return out;
}

}  // namespace bitlaw
