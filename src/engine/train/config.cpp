#include "train/config.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/range.h"
#include "data/loader.h"
#include "formats/named_recipe.h"
#include "record/run.h"
#include "train/batch.h"

namespace bitlaw {
namespace {

// Of the hashed document: a new one names the same runs differently.
constexpr int kDocumentVersion = 1;
// The same, of a run that is validated on part of the held-out text: windows from all of it, where
// version 1 took the first ones.
constexpr int kSampledDocumentVersion = 2;
constexpr int64_t kMostBatchTokens = 1 << 30;

void require(bool ok, const char* key, double value, const std::string& rule) {
  if (!ok) throw Error(fmt::format("{} = {}: expected {}", key, value, rule));
}

// The granularity as a key says it, or `unused` where the format says it or has no scale.
bool needs_granularity(const Quantizer& quantizer) {
  return quantizer.format.scaled() && !quantizer.is_block_format();
}
std::string spelling(const Quantizer& quantizer, const std::string& unused) {
  return needs_granularity(quantizer) ? quantizer.granularity_name() : unused;
}

RecipeConfig canonical(const Recipe& recipe) {
  RecipeConfig out;
  const RecipeConfig defaults = spelled_out({});
  out.weights = recipe.weights.format_name();
  out.activations = recipe.activations.format_name();
  out.kv = recipe.keys.format_name();
  out.queries = recipe.queries.format_name();
  out.weights_granularity = spelling(recipe.weights, defaults.weights_granularity);
  out.activations_granularity = spelling(recipe.activations, defaults.activations_granularity);
  out.kv_granularity = spelling(needs_granularity(recipe.keys) ? recipe.keys : recipe.queries,
                                defaults.kv_granularity);
  return out;
}

void check(const TrainingConfig& train) {
  require_range("train.tokens", train.tokens, 1, kMostTokens);
  require_range("train.batch_tokens", train.batch_tokens, 0, kMostBatchTokens);  // 0: chosen
  require(train.lr > 0 && std::isfinite(train.lr), "train.lr", train.lr, "a positive number");
  require_range("train.lanes", train.lanes, 1, 1024);
  require_range("train.validation_tokens", train.validation_tokens, 0, kMostTokens);  // 0: all
  if (train.backward != "bf16" && train.backward != "fp32") {
    throw Error(fmt::format("train.backward = '{}': expected bf16 or fp32", train.backward));
  }
}

void require_one_window(const char* part, int64_t tokens, int64_t T) {
  if (window_count(tokens, static_cast<int>(T)) > 0) return;
  throw Error(fmt::format(
      "the {} text is too short for one sequence: it has {} tokens and model.sequence = {} "
      "needs {}; add text or shorten the sequence",
      part, tokens, T, T + 1));
}

}  // namespace

void RunOptions::check() const {
  require_range("run.threads", threads, 0, kMostThreads);  // 0: all
  require(checkpoint_seconds >= 0, "run.checkpoint_seconds", checkpoint_seconds,
          "0 or a positive number");
  require(checkpoint_steps >= 0, "run.checkpoint_steps", static_cast<double>(checkpoint_steps),
          "0 or a positive number");
  require(checkpoints >= 0 && checkpoints < 63, "run.checkpoints", static_cast<double>(checkpoints),
          "0 to 62");
  require(log_steps >= 1, "run.log_steps", static_cast<double>(log_steps), "at least 1");
  require(validation_steps >= 0, "run.validation_steps", static_cast<double>(validation_steps),
          "0 or a positive number");
}

ResolvedConfig resolve(const TrainConfig& config, const DatasetInfo& data) {
  ResolvedConfig out{
      .config = config, .recipe = make_recipe(config.recipe), .data_hash = data.hash};
  TrainingConfig& train = out.config.train;
  check(train);
  config.optimizer.check();
  out.config.model = config.model.resolved(data.vocabulary);
  out.config.recipe = canonical(out.recipe);
  out.config.schedule = config.schedule.resolved();

  const int64_t T = out.config.model.sequence;
  if (train.batch_tokens == 0) train.batch_tokens = T * default_batch_sequences(train.tokens, T);
  if (train.batch_tokens % T != 0) {
    throw Error(
        fmt::format("train.batch_tokens = {} is not a multiple of model.sequence = {}; {} would be",
                    train.batch_tokens, T, std::max<int64_t>(1, train.batch_tokens / T) * T));
  }
  out.batch_sequences = train.batch_tokens / T;
  out.recipe = make_recipe(config.recipe, out.batch_sequences);
  out.steps = std::max<int64_t>(
      1, std::llround(static_cast<double>(train.tokens) / static_cast<double>(train.batch_tokens)));
  train.tokens = out.steps * train.batch_tokens;
  check_length(out.config.schedule, out.steps);
  train.lanes = std::min(train.lanes, out.batch_sequences);

  require_one_window("training", data.train.tokens, T);
  require_one_window("validation", data.validation.tokens, T);
  const int64_t windows = window_count(data.validation.tokens, static_cast<int>(T));
  const int64_t wanted =
      train.validation_tokens == 0 ? windows : (train.validation_tokens + T - 1) / T;
  train.validation_tokens = std::min(wanted, windows) * T;
  out.samples_validation = wanted < windows;

  out.peak_rate =
      scaled_learning_rate(train.lr,
                           {.width = out.config.model.width,
                            .layers = out.config.model.layers,
                            .batch_ratio = batch_ratio(out.batch_sequences, train.tokens, T)},
                           out.config.optimizer);
  require(out.peak_rate > 0 && std::isfinite(out.peak_rate), "train.lr", train.lr,
          fmt::format("a peak rate above 0, but the exponents of [optimizer] make it {}; see "
                      "optimizer.width_power and depth_power",
                      out.peak_rate));
  return out;
}

DType gradient_dtype(const ResolvedConfig& resolved) {
  return resolved.config.train.backward == "fp32" ? DType::kF32 : DType::kBF16;
}

int64_t tail_steps(int64_t steps) {
  constexpr double kTailShare = 0.05;
  return std::max<int64_t>(1, std::llround(kTailShare * static_cast<double>(steps)));
}

Json ResolvedConfig::document() const {
  Json document = to_json(config);
  document["recipe"].erase("named");  // its keys say it
  document["data"] = {{"hash", data_hash}};
  document["version"] = samples_validation ? kSampledDocumentVersion : kDocumentVersion;
  return document;
}

std::string ResolvedConfig::name() const {
  return name_of_configuration(document());
}

}  // namespace bitlaw
