#include "runs/tidy_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "base/error.h"
#include "formats/precision.h"
#include "record/cell.h"
#include "record/kept_model.h"
#include "record/result.h"
#include "record/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// With so few bits of activations, or of keys and values, runs diverge or end far above the law
// (Kumar et al., arXiv 2411.04330, leave them out of their fits).
constexpr double kUnstableBits = 3;

// A format, and its bits as the laws count them: those of a code, and 16 for BF16 and for no
// rounding at all.
void set_format(const Quantizer& role, std::string& name, double& bits) {
  name = role.format_name();
  bits = law_bits(role.format);
}

// What shares a scale, as the key says unless the format does; "" without a scale, as of BF16.
std::string shared_by(const Quantizer& role, const std::optional<std::string>& key) {
  if (role.granularity_name().empty()) return "";
  return role.is_block_format() ? role.granularity_name() : key.value_or("");
}

std::string text_of(const std::optional<bool>& truth) {
  return !truth ? "" : *truth ? "true" : "false";
}

void set_recipe(const Recipe& roles, const RunSettings::Recipe& recipe, TidyRow& row) {
  set_format(roles.weights, row.format_w, row.P_w);
  set_format(roles.activations, row.format_a, row.P_a);
  set_format(roles.keys, row.format_kv, row.P_kv);
  set_format(roles.queries, row.format_q, row.P_q);
  row.P_k = row.P_v = row.P_kv;
  row.unstable = std::min(row.P_a, row.P_kv) <= kUnstableBits ? 1 : 0;
  row.granularity_w = shared_by(roles.weights, recipe.weights_granularity);
  row.granularity_a = shared_by(roles.activations, recipe.activations_granularity);
  row.granularity_kv = shared_by(roles.keys, recipe.kv_granularity);
  row.granularity_q = shared_by(roles.queries, recipe.kv_granularity);
}

void set_shape(const RunSettings::Model& model, TidyRow& row) {
  row.width = model.width;
  row.layers = model.layers;
  row.heads = model.heads;
  row.sequence = model.sequence;
  row.vocabulary = model.vocabulary;
  if (model.heads > 0) row.head_width = model.width / model.heads;
  row.kv_heads = model.kv_heads;
  row.hidden = model.hidden;
  row.extra_norm = text_of(model.extra_norm);
  row.tied_head = text_of(model.tied_head);
  row.rope_theta = model.rope_theta;
  row.norm_epsilon = model.norm_epsilon;
}

void set_training(const RunSettings& settings, TidyRow& row) {
  row.D = settings.train.tokens;
  row.seed = settings.train.seed;
  row.lr = settings.train.lr;
  row.batch_tokens = settings.train.batch_tokens;
  row.gradient_format = settings.train.backward;
  row.validation_tokens = settings.train.validation_tokens;
  if (settings.schedule) {
    row.schedule = settings.schedule->kind;
    if (row.schedule == "wsd" && settings.schedule->decay_shape == "1-sqrt")
      row.schedule = "wsd-1-sqrt";
    row.warmup = settings.schedule->warmup;
    row.decay = settings.schedule->decay;
    row.final_rate = settings.schedule->final;
  }
  if (settings.optimizer) {
    row.optimizer = "adamw";
    row.beta1 = settings.optimizer->beta1;
    row.beta2 = settings.optimizer->beta2;
    row.epsilon = settings.optimizer->epsilon;
    row.clip = settings.optimizer->clip;
    row.weight_decay = settings.optimizer->weight_decay;
  }
}

// Of a text of so many tokens, those in whole windows of T tokens and one that follows them
// (data/loader.h); 0 if there are none, or if it is not known.
int64_t in_windows(const std::optional<int64_t>& tokens, const TidyRow& row) {
  const int64_t T = row.sequence.value_or(0);
  return tokens && T > 0 && *tokens > T ? (*tokens - 1) / T * T : 0;
}

// Up to version 1 of the hashed configuration, a part of the validation text was its beginning.
void set_validation_part(const RunData& data, const RunSettings& settings, TidyRow& row) {
  const int64_t text = in_windows(data.validation_tokens, row);
  if (text == 0 || !settings.train.validation_tokens || !settings.version) return;
  row.validation_part = *settings.train.validation_tokens >= text ? "all"
                        : *settings.version > 1                   ? "sample"
                                                                  : "first";
}

// What follows from D.
void set_steps(const RunData& data, TidyRow& row) {
  if (row.D && row.batch_tokens.value_or(0) > 0) row.steps = *row.D / *row.batch_tokens;
  const int64_t text = in_windows(data.train_tokens, row);
  if (text == 0 || !row.D) return;
  row.unique_tokens = std::min(*row.D, text);
  row.epochs = static_cast<double>(*row.D) / static_cast<double>(text);
}

void set_result(const ResultRecord& result, TidyRow& row) {
  if (result.validation) {
    row.loss = result.validation->loss_nats;
    row.loss_standard_error = result.validation->standard_error;
    row.bits_per_byte = result.validation->bits_per_byte;
    row.validation_tokens = result.validation->tokens;
  }
  if (result.training) {
    row.run_fraction = 1;
    row.train_loss = result.training->train_loss_nats;
    row.D = result.training->tokens;
    row.seconds = result.training->seconds;
    row.spent_flop = result.training->flops;
    row.weights_hash = result.training->weights_hash;
    row.tokens_per_second = result.training->tokens_per_second;
    // All of them, if the run went on with another: avx512/avx2.
    if (!result.training->engines.empty())
      row.engine = fmt::format("{}", fmt::join(result.training->engines, "/"));
  }
}

// A warm-up of a number of steps is shown as the share that it is of this run.
void set_warmup(const RunSettings& settings, TidyRow& row) {
  if (!settings.schedule || settings.schedule->warmup_steps.value_or(0) == 0) return;
  const auto steps = static_cast<double>(row.steps.value_or(0));
  if (steps > 0) row.warmup = static_cast<double>(*settings.schedule->warmup_steps) / steps;
}

// The row of a model kept along the run of `whole`, which is `tokens` long.
TidyRow kept_row(const TidyRow& whole, const KeptModel& kept, const RunRecord& record,
                 int64_t tokens) {
  TidyRow row = whole;
  row.D = kept.tokens;
  row.run_fraction = static_cast<double>(kept.tokens) / static_cast<double>(tokens);
  row.train_loss = kept.train_loss_nats;
  const Validation validation = kept.validation.value_or(Validation{});
  row.loss = validation.loss_nats;
  row.loss_standard_error = validation.standard_error;
  row.bits_per_byte = validation.bits_per_byte;
  if (kept.validation) row.validation_tokens = validation.tokens;
  row.seconds = row.tokens_per_second = row.spent_flop = kNoNumber;
  row.weights_hash.clear();
  set_steps(record.data, row);
  return row;
}

// By the tokens of the model.
std::map<int64_t, TidyRow> kept_rows(const fs::path& run, const TidyRow& whole,
                                     const RunRecord& record, const std::vector<CellRecord>& cells,
                                     std::vector<std::string>& problems) {
  std::map<int64_t, TidyRow> rows;
  const int64_t tokens = record.settings().train.tokens.value_or(0);
  std::vector<KeptModel> models = kept_models(run, &problems);
  // One that was removed, and whose line of metrics.jsonl is damaged, is known from its cells.
  for (const CellRecord& cell : cells) {
    if (cell.at_tokens) models.push_back({.tokens = *cell.at_tokens, .validation = {}});
  }
  for (const KeptModel& kept : models) {
    if (kept.tokens < tokens) rows.try_emplace(kept.tokens, kept_row(whole, kept, record, tokens));
  }
  return rows;
}

std::vector<CellRecord> readable_cells(const fs::path& run, std::vector<std::string>& problems) {
  std::vector<CellRecord> cells;
  std::error_code error;
  const fs::directory_iterator directory(cell_directory(run), error);
  if (error && error != std::errc::no_such_file_or_directory)
    problems.push_back(
        fmt::format("{}: cannot be read: {}", cell_directory(run).string(), error.message()));
  for (const fs::path& file : cell_files(run)) {
    try {
      cells.push_back(read_cell(file));
    } catch (const Error& error) {
      problems.push_back(error.what());
    }
  }
  return cells;
}

// What is not known comes first.
double known_first(double number) {
  return std::isnan(number) ? -std::numeric_limits<double>::infinity() : number;
}

auto order_of(const TidyRow& row) {
  const std::string &run = row.run, &method = row.method, &format = row.format_post;
  return std::tuple<std::optional<int64_t>, std::optional<int64_t>, double, double, double,
                    const std::string&, bool, const std::string&, std::optional<int64_t>, double,
                    const std::string&, std::optional<int64_t>, std::optional<int64_t>,
                    std::optional<int64_t>, double>(
      row.N, row.D, known_first(row.P_w), known_first(row.P_a), known_first(row.P_kv), run,
      !row.is_run(), method, row.group, known_first(row.P_post), format, row.calibration_seed,
      row.evaluation_tokens, row.calibration_tokens, known_first(row.first_damping));
}

}  // namespace

TidyRow tidy_row_of(const std::string& name, const RunRecord& record,
                    const std::optional<ResultRecord>& result) {
  const RunSettings settings = record.settings();
  TidyRow row;
  row.run = name;
  row.status = name_of(result ? result->status : RunStatus::kStarted);
  row.N = record.model.parameters;
  row.N_total = record.model.parameters_with_embeddings;
  row.P_post = 16;
  row.method = "none";
  row.peak_lr = record.peak_learning_rate;
  row.data_hash = record.data.hash;
  row.validation_hash = record.data.validation_hash;
  if (record.build) {
    row.engine = record.build->engine.empty() ? record.build->isa : record.build->engine;
    row.bitlaw_version = record.build->version;
  }
  set_recipe(record.trained_recipe(), settings.recipe, row);
  set_shape(settings.model, row);
  set_training(settings, row);
  if (result) set_result(*result, row);
  if (result && result->training && std::isnan(row.spent_flop))  // a record of an earlier version
    row.spent_flop = record.model.flops_per_token * static_cast<double>(result->training->tokens);
  set_steps(record.data, row);
  set_warmup(settings, row);
  set_validation_part(record.data, settings, row);
  return row;
}

TidyRow tidy_row_of(const TidyRow& run, const CellRecord& cell) {
  TidyRow row = run;
  row.method = cell.key.method;
  row.format_post = cell.key.scheme.empty() ? cell.key.format.value_or("") : cell.key.scheme;
  row.P_post = cell.key.bits;
  row.group = cell.key.group;
  row.format_a_post = cell.key.activations.value_or("");
  row.format_kv_post = cell.key.kv.value_or("");
  row.storage_bits = cell.storage_bits;
  row.loss = cell.loss_nats;
  row.loss_standard_error = kNoNumber;
  row.bits_per_byte = cell.bits_per_byte;
  row.delta = cell.delta;
  row.standard_error = cell.standard_error;
  row.measured_delta = cell.measured_delta;
  row.measured_standard_error = cell.measured_standard_error;
  row.kl = cell.kl_nats;
  row.same_top = cell.same_top;
  row.flagged = cell.flagged ? 1 : 0;
  row.evaluation_tokens = cell.key.evaluation.tokens;
  row.evaluation_hash = cell.key.evaluation.hash;
  if (cell.key.calibration) {
    row.calibration_seed = cell.key.calibration->seed;
    row.calibration_tokens = cell.key.calibration->tokens;
    row.calibration_hash = cell.key.calibration->hash;
  }
  row.first_damping = cell.key.first_damping.value_or(kNoNumber);
  row.seconds = cell.seconds;
  row.spent_flop = kNoNumber;
  row.tokens_per_second = row.train_loss = kNoNumber;
  return row;
}

RunRows read_run_rows(const fs::path& run) {
  const RunRecord record = read_run_record(run);
  const std::optional<ResultRecord> result = read_result(run);
  if (result) require_result_of(record, *result, run);
  RunRows out;
  out.rows = {tidy_row_of(run.filename().string(), record, result)};
  const std::vector<CellRecord> cells = readable_cells(run, out.problems);
  const std::map<int64_t, TidyRow> kept =
      kept_rows(run, out.rows.front(), record, cells, out.problems_along);
  for (const auto& [tokens, row] : kept) out.rows.push_back(row);
  for (const CellRecord& cell : cells) {
    // A cell that rounds nothing is the model again, on the tokens of its grid.
    if (cell.key.method == "none") continue;
    if (!cell.at_tokens) {
      out.rows.push_back(tidy_row_of(out.rows.front(), cell));
    } else if (const auto model = kept.find(*cell.at_tokens); model != kept.end()) {
      out.rows.push_back(tidy_row_of(model->second, cell));
    }
  }
  return out;
}

void sort_rows(std::vector<const TidyRow*>& rows) {
  // What decides most comparisons lies side by side: a row has more than a thousand bytes.
  struct Key {
    std::optional<int64_t> N, D;
    const TidyRow* row;
  };
  std::vector<Key> keys;
  keys.reserve(rows.size());
  for (const TidyRow* row : rows) keys.push_back({row->N, row->D, row});
  std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    if (a.N != b.N) return a.N < b.N;
    if (a.D != b.D) return a.D < b.D;
    return order_of(*a.row) < order_of(*b.row);
  });
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = keys[i].row;
}

}  // namespace bitlaw
