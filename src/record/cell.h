// One cell of post-training quantization on disk, RUN/ptq/<hash of its key>.json: the request, and
// the measurement against the unquantized model on the same tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json_struct.h"

namespace bitlaw {

// Part of every key: raising it causes every cell to be computed again.
inline constexpr int kCellVersion = 4;

// The text that a method was calibrated on.
struct CalibrationText {
  int64_t tokens = 0;
  int64_t seed = 0;
  // Hash of its tokens.
  std::string hash;

  bool operator==(const CalibrationText&) const = default;
  template <class V>
  void visit(V& v) {
    v("tokens", tokens);
    v("seed", seed);
    v.known("hash", hash);
  }
};

// The text that every cell of a grid is measured on.
struct EvaluationText {
  int64_t tokens = 0;
  std::string hash;

  bool operator==(const EvaluationText&) const = default;
  template <class V>
  void visit(V& v) {
    v("tokens", tokens);
    v.known("hash", hash);
  }
};

// Everything that determines the numbers of a cell.
struct CellKey {
  // "gptq+act-order", "rtn+a8"; "none" keeps the weights as they are.
  std::string method;
  // Format of the weights; empty with the method none.
  std::optional<std::string> format;
  std::string scheme;
  std::optional<std::string> granularity;
  int bits = 16;
  int64_t group = 0;
  // Formats in use; empty: as in training.
  std::optional<std::string> activations, kv;
  // Empty if the method needs none.
  std::optional<CalibrationText> calibration;
  // GPTQ's damping to begin with, as a share of the mean diagonal.
  std::optional<double> first_damping;
  EvaluationText evaluation;
  // Hashes of the weights, and of a third-party checkpoint's config.json.
  std::string checkpoint, architecture;
  // How the model is evaluated: the name of the run's recipe, or "fp32".
  std::string recipe;
  int version = kCellVersion;

  template <class V>
  void visit(V& v) {
    v("method", method);
    v("format", format);
    v.known("scheme", scheme);
    v("granularity", granularity);
    v("bits", bits);
    v("group", group);
    v("activations", activations);
    v("kv", kv);
    v("calibration", calibration);
    v("first_damping", first_damping);
    v("evaluation", evaluation);
    v("checkpoint", checkpoint);
    v.known("architecture", architecture);
    v("recipe", recipe);
    v("version", version);
  }

  // "0123456789abcdef.json"
  std::string file_name() const;
  // Whether both make the same request, for any weights and text.
  bool asks_as(const CellKey& other) const;
};

// The result for one matrix. Errors are tr((Q - W) H (Q - W)^T) on the calibration text: twice the
// mean squared error of the matrix's output, summed over its outputs. NaN: does not apply.
struct MatrixRecord {
  int64_t layer = 0;
  // "qkv"; "q_proj" in third-party checkpoints.
  std::string matrix;
  // Number of weights.
  int64_t weights = 0;
  // |Q - W|^2 / |W|^2, both summed over the matrix.
  double relative_error = kNoNumber;
  double error = kNoNumber, rtn_error = kNoNumber;
  // Damping with which the Cholesky factorisation succeeded, as a share of the mean diagonal.
  double damping = kNoNumber;
  std::vector<double> failed_dampings;
  // Exponent that AWQ chose.
  double alpha = kNoNumber;
  // Inputs that were zero on the whole calibration text.
  int64_t dead_columns = 0;
  // Worse than round-to-nearest on the text it was calibrated on.
  bool flagged = false;

  template <class V>
  void visit(V& v) {
    v("layer", layer);
    v("matrix", matrix);
    v("weights", weights);
    v("relative_error", relative_error);
    v("error", error);
    v("rtn_error", rtn_error);
    v("damping", damping);
    v("failed_dampings", failed_dampings);
    v("alpha", alpha);
    v("dead_columns", dead_columns);
    v("flagged", flagged);
  }
};

// NaN: not known.
struct CellRecord {
  CellKey key;
  // Name of the run.
  std::string run;
  // Tokens that the model had seen, if it was kept along the run (record/kept_model.h); empty: it
  // is the final one.
  std::optional<int64_t> at_tokens;

  // Losses in nats per token on the evaluation text, and their difference, paired token by token.
  // `delta` is 0 by definition if the weights were trained at as few bits or fewer;
  // `measured_delta` is always the measurement. Standard errors need at least two clusters.
  double loss_nats = kNoNumber, baseline_loss_nats = kNoNumber;
  double delta = kNoNumber, standard_error = kNoNumber;
  double measured_delta = kNoNumber, measured_standard_error = kNoNumber;
  // Mean KL(baseline || cell) over the vocabulary, nats per token.
  double kl_nats = kNoNumber, kl_standard_error = kNoNumber;
  // Share of tokens whose most likely token is the same.
  double same_top = kNoNumber, same_top_standard_error = kNoNumber;
  double bits_per_byte = kNoNumber, baseline_bits_per_byte = kNoNumber;
  int64_t tokens = 0, clusters = 0;
  // "document" or "window".
  std::string clustered_by;

  // Bits per weight including its share of scales and zero points.
  double storage_bits = kNoNumber;
  // Largest damping of any matrix.
  double damping = kNoNumber;
  std::vector<MatrixRecord> layers;
  // Raised dampings and inputs that were always zero, in words.
  std::vector<std::string> notes;

  // measured_delta of round-to-nearest with the same scheme.
  double rtn_delta = kNoNumber;
  // In which way the model, or a matrix, is worse than round-to-nearest, in words.
  std::vector<std::string> flags;
  bool flagged = false;
  // Time for this cell, without baseline and calibration.
  double seconds = kNoNumber;
  // What computed it (ops/engine.h); empty in cells of earlier versions.
  std::string engine;

  template <class V>
  void visit(V& v) {
    key.visit(v);
    v("run", run);
    v.known("at_tokens", at_tokens);
    v("loss_nats", loss_nats);
    v("baseline_loss_nats", baseline_loss_nats);
    v("delta", delta);
    v("standard_error", standard_error);
    v("measured_delta", measured_delta);
    v("measured_standard_error", measured_standard_error);
    v("kl_nats", kl_nats);
    v("kl_standard_error", kl_standard_error);
    v("same_top", same_top);
    v("same_top_standard_error", same_top_standard_error);
    v("bits_per_byte", bits_per_byte);
    v("baseline_bits_per_byte", baseline_bits_per_byte);
    v("tokens", tokens);
    v("clusters", clusters);
    v("clustered_by", clustered_by);
    v("storage_bits", storage_bits);
    v("damping", damping);
    v("layers", layers);
    v("notes", notes);
    v("rtn_delta", rtn_delta);
    v("flags", flags);
    v("flagged", flagged);
    v("seconds", seconds);
    v.known("engine", engine);
  }
};

std::filesystem::path cell_directory(const std::filesystem::path& run);
std::filesystem::path cell_file(const std::filesystem::path& run, const CellKey& key);
// Locked while a process computes cells of the run; the file may exist without a lock.
std::filesystem::path cells_lock(const std::filesystem::path& run);

// All cells of a run, sorted by name; empty if it has none.
std::vector<std::filesystem::path> cell_files(const std::filesystem::path& run);

// Thrown for a cell that is not damaged, but was measured by another version of this program.
class CellOfAnotherVersion : public Error {
  using Error::Error;
};

// Error, naming the file and what to do, if it is damaged or of another version. The name of the
// file must be that of the request, and the checksum that of the content.
CellRecord read_cell(const std::filesystem::path& file);
// The same for the bytes of a file; `where` is its name in errors.
CellRecord parse_cell(const std::string& text, const std::string& where);

// Atomic; with a checksum.
void write_cell(const std::filesystem::path& file, const CellRecord& cell);

}  // namespace bitlaw
