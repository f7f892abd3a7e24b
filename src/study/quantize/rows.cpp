#include "quantize/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace bitlaw {
namespace {

std::string number_or_unknown(double value) {
  return std::isnan(value) ? "unknown" : fmt::format("{:.5f}", value);
}

// "1 matrix", "3 matrices"
std::string matrices(int64_t count) {
  return count == 1 ? "1 matrix" : fmt::format("{} matrices", count);
}

}  // namespace

MatrixReport matrix_report(int64_t layer, const std::string& matrix, const MatrixResult& result,
                           double relative_error) {
  const QuantizedMatrix& quantized = result.quantized;
  return {{.layer = layer,
           .matrix = matrix,
           .weights = quantized.rows * quantized.columns,
           .relative_error = relative_error,
           .error = result.error,
           .rtn_error = result.rtn_error,
           .damping = result.damping,
           .failed_dampings = result.failed_dampings,
           .alpha = result.alpha,
           .dead_columns = result.dead_columns,
           .flagged = result.flagged},
          storage_bits(quantized.scheme, quantized.rows, quantized.columns,
                       !quantized.column_scale.empty())};
}

CellKey requested_cell(const PtqCell& cell, int64_t calibration_tokens, int64_t evaluation_tokens) {
  CellKey key = cell.key();
  if (cell.calibrated())
    key.calibration = {.tokens = calibration_tokens, .seed = cell.calibration_seed, .hash = {}};
  key.evaluation.tokens = evaluation_tokens;
  return key;
}

void add_comparison(CellRecord& row, const PairedComparison& paired,
                    const std::string& clustered_by, bool no_difference_by_definition) {
  const PairedDifference& loss = paired.loss;
  row.loss_nats = loss.losses_mean;
  row.baseline_loss_nats = loss.baseline_mean;
  row.measured_delta = loss.mean;
  row.measured_standard_error = loss.standard_error;
  row.delta = no_difference_by_definition ? 0 : loss.mean;
  row.standard_error = no_difference_by_definition ? 0 : loss.standard_error;
  row.kl_nats = paired.kl.mean;
  row.kl_standard_error = paired.kl.standard_error;
  row.same_top = paired.same_top.mean;
  row.same_top_standard_error = paired.same_top.standard_error;
  row.bits_per_byte = paired.bits_per_byte;
  row.baseline_bits_per_byte = paired.baseline_bits_per_byte;
  row.tokens = loss.tokens;
  row.clusters = loss.clusters;
  row.clustered_by = clustered_by;
}

double storage_bits(const WeightScheme& scheme, int64_t rows, int64_t columns, bool scaled_inputs) {
  const double inputs = scaled_inputs ? 32 / static_cast<double>(rows) : 0;
  return storage_bits(scheme, columns) + inputs;
}

double storage_bits(const MatrixCell& cell, const ModelConfig& model) {
  // As in model/model.h; all layers are alike.
  const int64_t d = model.width, F = model.hidden;
  const int64_t heads = model.heads + 2 * model.kv_heads;
  const std::pair<int64_t, int64_t> shapes[] = {
      {heads * model.head_dim(), d}, {d, d}, {2 * F, d}, {d, F}};
  const bool scaled_inputs = cell.method == &ptq_method("awq");
  double bits = 0, weights = 0;
  for (const auto& [rows, columns] : shapes) {
    const auto count = static_cast<double>(rows * columns);
    bits += storage_bits(cell.scheme, rows, columns, scaled_inputs) * count;
    weights += count;
  }
  return bits / weights;
}

void add_matrices(CellRecord& row, const std::vector<MatrixReport>& reports) {
  int64_t raised = 0, with_dead = 0, dead = 0;
  double bits = 0, weights = 0;
  for (const MatrixReport& report : reports) {
    row.layers.push_back(report);
    row.damping = std::fmax(row.damping, report.damping);  // of NaN and a number the number
    bits += report.storage_bits * static_cast<double>(report.weights);
    weights += static_cast<double>(report.weights);
    raised += report.failed_dampings.empty() ? 0 : 1;
    with_dead += report.dead_columns == 0 ? 0 : 1;
    dead += report.dead_columns;
  }
  if (weights > 0) row.storage_bits = bits / weights;
  if (raised > 0) {
    row.notes.push_back(fmt::format("damping raised to {} in {}, because smaller values failed",
                                    row.damping, matrices(raised)));
  }
  if (with_dead > 0) {
    row.notes.push_back(fmt::format("{} inputs of {} were zero on the whole calibration text", dead,
                                    matrices(with_dead)));
  }
}

void compare_with_rtn(CellRecord& row, const CellRecord* rtn) {
  const int64_t worse = std::count_if(row.layers.begin(), row.layers.end(),
                                      [](const MatrixRecord& layer) { return layer.flagged; });
  if (worse > 0) {
    row.flags.push_back(
        fmt::format("{} worse than round-to-nearest on the calibration text", matrices(worse)));
  }
  if (rtn != nullptr) {
    row.rtn_delta = rtn->measured_delta;
    const double over = row.measured_delta - rtn->measured_delta;
    // NaN counts as worse.
    if (!(over <= 0)) {
      row.flags.push_back(
          fmt::format("loss {:.5f} nats above that of round-to-nearest (standard errors {} and {})",
                      over, number_or_unknown(row.measured_standard_error),
                      number_or_unknown(rtn->measured_standard_error)));
    }
  }
  row.flagged = !row.flags.empty();
}

}  // namespace bitlaw
