// A run, or a cell of it, as a row of the tidy table, from which indexes, CSV files, fits and
// reports are made. This is the only list of its columns.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/json_struct.h"

namespace bitlaw {

// A value that does not apply is "", NaN or an empty optional.
struct TidyRow {
  std::string run, status;
  std::optional<int64_t> N, N_total, D;
  double P_w = kNoNumber, P_a = kNoNumber, P_kv = kNoNumber, P_q = kNoNumber, P_post = kNoNumber;
  double loss = kNoNumber, loss_standard_error = kNoNumber;
  double delta = kNoNumber, standard_error = kNoNumber;
  double measured_delta = kNoNumber, measured_standard_error = kNoNumber;
  double kl = kNoNumber, same_top = kNoNumber, bits_per_byte = kNoNumber;
  std::string method;
  std::optional<int64_t> group, flagged, calibration_seed;
  std::string format_w, format_a, format_kv, format_q;
  std::string format_post, format_a_post, format_kv_post;
  double storage_bits = kNoNumber;
  std::string granularity_w, granularity_a, granularity_kv;
  std::string schedule;
  std::optional<int64_t> seed;
  double lr = kNoNumber;
  std::optional<int64_t> batch_tokens, width, layers, heads, sequence, vocabulary;
  double seconds = kNoNumber, tokens_per_second = kNoNumber;
  std::string data_hash;
  double P_k = kNoNumber, P_v = kNoNumber;
  std::optional<int64_t> unique_tokens;
  double epochs = kNoNumber;
  std::optional<int64_t> steps;
  double peak_lr = kNoNumber, weight_decay = kNoNumber;
  double warmup = kNoNumber, decay = kNoNumber, final_rate = kNoNumber;
  std::string optimizer;
  double beta1 = kNoNumber, beta2 = kNoNumber, epsilon = kNoNumber, clip = kNoNumber;
  std::string extra_norm, tied_head;
  std::optional<int64_t> head_width, kv_heads, hidden;
  std::string gradient_format;
  std::string validation_hash;
  std::optional<int64_t> validation_tokens;
  std::string engine;
  std::optional<int64_t> unstable;
  double rope_theta = kNoNumber, norm_epsilon = kNoNumber;
  std::string validation_part;
  double run_fraction = kNoNumber, train_loss = kNoNumber;
  std::string granularity_q;
  std::optional<int64_t> evaluation_tokens;
  std::string evaluation_hash;
  std::optional<int64_t> calibration_tokens;
  std::string calibration_hash;
  double first_damping = kNoNumber;
  std::optional<int64_t> tuning;
  double spent_flop = kNoNumber;
  std::string weights_hash, bitlaw_version;

  // v(name, field, help) for every column, in order.
  template <class V>
  void visit(V& v) {
    v("run", run, "name of the run: the hash of its configuration");
    v("status", status, "finished, diverged or started");
    v("N", N, "parameters without embeddings and output head");
    v("N_total", N_total, "all parameters");
    v("D", D, "training tokens that the model had seen");
    v("P_w", P_w, "bits of the weights in training (16: BF16)");
    v("P_a", P_a, "bits of the activations in training");
    v("P_kv", P_kv, "bits of keys and values in training");
    v("P_q", P_q, "bits of the queries in training");
    v("P_post", P_post, "bits of the weights after training (16: as trained)");
    v("loss", loss, "validation loss, nats per token, of this row's model");
    v("loss_standard_error", loss_standard_error,
      "standard error of loss, over the validation text");
    v("delta", delta,
      "loss minus the loss before quantization, nats per token, paired token by token");
    v("standard_error", standard_error, "standard error of delta");
    v("measured_delta", measured_delta,
      "measured delta, even if delta is 0 by definition (as many bits as in training)");
    v("measured_standard_error", measured_standard_error, "standard error of measured_delta");
    v("kl", kl, "KL divergence from the model before quantization, nats per token");
    v("same_top", same_top, "share of tokens whose most likely token stays the same");
    v("bits_per_byte", bits_per_byte, "validation loss in bits per byte of text");
    v("method", method, "none (the run itself), or how it was quantized: gptq, rtn+clip, ...");
    v("group", group, "weights that share a scale after training; 0: per output channel");
    v("flagged", flagged,
      "1 if the model, or any matrix on the calibration text, is worse than round-to-nearest");
    v("calibration_seed", calibration_seed, "seed of the calibration text");
    v("format_w", format_w, "format of the weights in training");
    v("format_a", format_a, "format of the activations in training");
    v("format_kv", format_kv, "format of keys and values in training");
    v("format_q", format_q, "format of the queries in training");
    v("format_post", format_post, "format of the weights after training");
    v("format_a_post", format_a_post,
      "format of the activations in use, if other than in training");
    v("format_kv_post", format_kv_post,
      "format of keys and values in use, if other than in training");
    v("storage_bits", storage_bits, "bits per weight, including scales and zero points");
    v("granularity_w", granularity_w, "which weights share a scale in training");
    v("granularity_a", granularity_a, "which activations share a scale in training");
    v("granularity_kv", granularity_kv, "which keys and values share a scale in training");
    v("schedule", schedule, "learning-rate schedule");
    v("seed", seed, "seed of initialisation and data order");
    v("lr", lr, "base learning rate");
    v("batch_tokens", batch_tokens, "tokens of one step");
    v("width", width, "model width, d");
    v("layers", layers, "layers, L");
    v("heads", heads, "attention heads, H");
    v("sequence", sequence, "tokens per sequence, T");
    v("vocabulary", vocabulary, "vocabulary size, V");
    v("seconds", seconds, "seconds of training, or of this cell");
    v("tokens_per_second", tokens_per_second, "training speed");
    v("data_hash", data_hash, "hash of the data set");
    v("P_k", P_k, "bits of the keys in training");
    v("P_v", P_v, "bits of the values in training");
    v("unique_tokens", unique_tokens, "distinct training tokens: D, or fewer if text repeats");
    v("epochs", epochs, "passes over the training text; above 1, text repeats");
    v("steps", steps, "optimizer steps");
    v("peak_lr", peak_lr, "learning rate at its peak, for this shape and batch");
    v("weight_decay", weight_decay, "decoupled weight decay");
    v("warmup", warmup, "share of the steps in the warm-up");
    v("decay", decay, "share of the steps in the final decay (wsd only)");
    v("final_rate", final_rate, "final learning rate as a share of the peak");
    v("optimizer", optimizer, "rule of the optimizer");
    v("beta1", beta1, "decay of the first moment");
    v("beta2", beta2, "decay of the second moment");
    v("epsilon", epsilon, "added to the root of the second moment");
    v("clip", clip, "largest gradient norm of a step; 0: no clipping");
    v("extra_norm", extra_norm,
      "true: one more norm before the attention output and down projections");
    v("tied_head", tied_head, "true: the output head is the embedding table");
    v("head_width", head_width, "width of an attention head");
    v("kv_heads", kv_heads, "heads of keys and values");
    v("hidden", hidden, "width of the SwiGLU hidden layer");
    v("gradient_format", gradient_format, "format of gradient operands in products");
    v("validation_hash", validation_hash, "hash of the validation text");
    v("validation_tokens", validation_tokens, "validation tokens that the run's loss is a mean of");
    v("engine", engine,
      "instruction set and engine of matrix products; avx512/avx2 if a run went on with another");
    v("unstable", unstable,
      "1 if activations, or keys and values, were trained at 3 bits or fewer: fits leave it out");
    v("rope_theta", rope_theta, "base of the rotary frequencies");
    v("norm_epsilon", norm_epsilon, "added to the mean square in norms");
    v("validation_part", validation_part,
      "which validation text: all; first (the first tokens); sample (of all)");
    v("run_fraction", run_fraction,
      "share of the run's tokens that the model had seen; below 1: kept along the run, before its "
      "learning rate had decayed");
    v("train_loss", train_loss, "training loss, nats per token, over the last 5 % of the steps");
    v("granularity_q", granularity_q, "which queries share a scale in training: as granularity_kv");
    v("evaluation_tokens", evaluation_tokens, "tokens that a cell was measured on");
    v("evaluation_hash", evaluation_hash, "hash of these tokens");
    v("calibration_tokens", calibration_tokens, "tokens that a cell was calibrated on");
    v("calibration_hash", calibration_hash, "hash of these tokens");
    v("first_damping", first_damping,
      "gptq: initial damping, as a share of the Hessian's mean diagonal");
    v("tuning", tuning,
      "1: a run of `bitlaw tune`, whose hyperparameters are spread on purpose: fits leave it out");
    v("spent_flop", spent_flop, "FLOP of training, all of the model counted");
    v("weights_hash", weights_hash, "hash of the trained weights");
    v("bitlaw_version", bitlaw_version, "of bitlaw, that made the run");
  }

  // True for a model as it was trained, false for one of its cells.
  bool is_run() const { return method == "none"; }
  // Whether the model was kept along its run, before the end.
  bool is_along() const { return run_fraction < 1; }
};

// Calls each(name, field, help) for the columns of a row.
template <class Each>
void for_each_column(const TidyRow& row, Each&& each) {
  const_cast<TidyRow&>(row).visit(each);
}

struct TidyColumn {
  enum Type { kText, kWhole, kReal };
  const char* name;
  Type type;
  const char* help;
};
const std::vector<TidyColumn>& tidy_columns();

// One object per row, with every column; a value that does not apply is null.
Json tidy_to_json(const std::vector<TidyRow>& rows);

// CSV with a header line. A value that does not apply is an empty field; numbers keep every digit.
std::string tidy_to_csv(const std::vector<TidyRow>& rows);

// Its inverse. Columns that are not known are left out, and those that are missing do not apply. Error
// with line and column for a value that is not what the column holds; `where` is the file's name.
std::vector<TidyRow> tidy_from_csv(const std::string& text, const std::string& where);

}  // namespace bitlaw
