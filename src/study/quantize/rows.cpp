#include "quantize/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"

namespace bitlaw {
namespace {

Json number(double value) {
  return std::isnan(value) ? Json(nullptr) : Json(value);
}

double measured_delta(const Json& row) {
  const Json& delta = row.at("measured_delta");
  return delta.is_number() ? delta.get<double>() : std::nan("");
}

std::string error_of(const Json& row) {
  const Json error = row.value("measured_standard_error", Json());
  return error.is_number() ? fmt::format("{:.5f}", error.get<double>()) : "unknown";
}

// "1 matrix", "3 matrices"
std::string matrices(int64_t count) {
  return count == 1 ? "1 matrix" : fmt::format("{} matrices", count);
}

}  // namespace

Json to_json(const MatrixReport& report) {
  return {{"layer", report.layer},
          {"matrix", report.matrix},
          {"weights", report.weights},
          {"relative_error", number(report.relative_error)},
          {"error", number(report.error)},
          {"rtn_error", number(report.rtn_error)},
          {"damping", number(report.damping)},
          {"failed_dampings", report.failed_dampings},
          {"alpha", number(report.alpha)},
          {"dead_columns", report.dead_columns},
          {"flagged", report.flagged}};
}

MatrixReport matrix_report(int64_t layer, const std::string& matrix, const MatrixResult& result,
                           double relative_error) {
  const QuantizedMatrix& quantized = result.quantized;
  return {.layer = layer,
          .matrix = matrix,
          .weights = quantized.rows * quantized.columns,
          .storage_bits = storage_bits(quantized.scheme, quantized.rows, quantized.columns,
                                       !quantized.column_scale.empty()),
          .relative_error = relative_error,
          .error = result.error,
          .rtn_error = result.rtn_error,
          .damping = result.damping,
          .failed_dampings = result.failed_dampings,
          .alpha = result.alpha,
          .dead_columns = result.dead_columns,
          .flagged = result.flagged};
}

Json requested_cell(const PtqCell& cell, const PtqConfig& config, int64_t calibration_tokens,
                    int64_t evaluation_tokens) {
  Json out = cell.description();
  out["calibration"] = nullptr;
  out["first_damping"] = nullptr;
  if (cell.calibrated()) {
    out["calibration"] = {{"tokens", calibration_tokens}, {"seed", cell.calibration_seed}};
    if (cell.weights.method->damps_hessian) out["first_damping"] = config.damping;
  }
  out["evaluation"] = {{"tokens", evaluation_tokens}};
  return out;
}

void add_comparison(Json& row, const PairedComparison& paired, const std::string& clustered_by,
                    bool no_difference_by_definition) {
  const PairedDifference& loss = paired.loss;
  row["loss_nats"] = loss.losses_mean;
  row["baseline_loss_nats"] = loss.baseline_mean;
  row["measured_delta"] = loss.mean;
  row["measured_standard_error"] = number(loss.standard_error);
  row["delta"] = no_difference_by_definition ? Json(0.0) : Json(loss.mean);
  row["standard_error"] = no_difference_by_definition ? Json(0.0) : number(loss.standard_error);
  row["kl_nats"] = paired.kl.mean;
  row["kl_standard_error"] = number(paired.kl.standard_error);
  row["same_top"] = paired.same_top.mean;
  row["same_top_standard_error"] = number(paired.same_top.standard_error);
  row["bits_per_byte"] = number(paired.bits_per_byte);
  row["baseline_bits_per_byte"] = number(paired.baseline_bits_per_byte);
  row["tokens"] = loss.tokens;
  row["clusters"] = loss.clusters;
  row["clustered_by"] = clustered_by;
}

double storage_bits(const WeightScheme& scheme, int64_t rows, int64_t columns, bool scaled_inputs) {
  const double scale = scheme.scales == ScaleRule::kFloat32 ? 32 : 8;
  const double zero = scheme.asymmetric ? scheme.format.bits : 0;
  const auto sharing = static_cast<double>(scheme.group == 0 ? columns : scheme.group);
  const double inputs = scaled_inputs ? 32 / static_cast<double>(rows) : 0;
  return scheme.format.bits + (scale + zero) / sharing + inputs;
}

void add_matrices(Json& row, const std::vector<MatrixReport>& reports) {
  row["layers"] = Json::array();
  row["damping"] = nullptr;
  row["notes"] = Json::array();
  int64_t raised = 0, with_dead = 0, dead = 0;
  double bits = 0, weights = 0;
  for (const MatrixReport& report : reports) {
    row["layers"].push_back(to_json(report));
    if (!std::isnan(report.damping) &&
        (row["damping"].is_null() || row["damping"] < report.damping)) {
      row["damping"] = report.damping;
    }
    bits += report.storage_bits * static_cast<double>(report.weights);
    weights += static_cast<double>(report.weights);
    raised += report.failed_dampings.empty() ? 0 : 1;
    with_dead += report.dead_columns == 0 ? 0 : 1;
    dead += report.dead_columns;
  }
  row["storage_bits"] = weights > 0 ? Json(bits / weights) : Json(nullptr);
  if (raised > 0) {
    row["notes"].push_back(fmt::format("damping raised to {} in {}, where less failed",
                                       row["damping"].get<double>(), matrices(raised)));
  }
  if (with_dead > 0) {
    row["notes"].push_back(fmt::format("{} inputs of {} were zero on all of the calibration text",
                                       dead, matrices(with_dead)));
  }
}

void compare_with_rtn(Json& row, const Json& rtn) {
  row["flags"] = Json::array();
  row["rtn_delta"] = nullptr;
  const int64_t worse = std::count_if(row["layers"].begin(), row["layers"].end(),
                                      [](const Json& layer) { return layer["flagged"] == true; });
  if (worse > 0) {
    row["flags"].push_back(
        fmt::format("{} worse than round to nearest on the calibration text", matrices(worse)));
  }
  if (rtn.is_object() && rtn.contains("measured_delta")) {
    row["rtn_delta"] = rtn["measured_delta"];
    const double over = measured_delta(row) - measured_delta(rtn);
    // NaN counts as worse.
    if (!(over <= 0)) {
      row["flags"].push_back(
          fmt::format("loss {:.5f} nats above that of round to nearest (standard errors {} and {})",
                      over, error_of(row), error_of(rtn)));
    }
  }
  row["flagged"] = !row["flags"].empty();
}

void add_spreads(Json& rows) {
  std::map<std::string, std::vector<size_t>> same;  // but for the calibration
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]["calibration"].is_object()) continue;
    Json key = Json::object();
    for (const char* part : {"run", "method", "scheme", "group", "activations", "kv"}) {
      key[part] = rows[i].value(part, Json());
    }
    same[dump_json(key)].push_back(i);
  }
  for (const auto& [key, members] : same) {
    if (members.size() < 2) continue;
    const auto n = static_cast<double>(members.size());
    double mean = 0, squares = 0;
    for (const size_t i : members) mean += measured_delta(rows[i]) / n;
    for (const size_t i : members) {
      squares += std::pow(measured_delta(rows[i]) - mean, 2);
    }
    if (std::isnan(mean)) continue;
    for (const size_t i : members) {
      rows[i]["spread"] = {{"seeds", members.size()},
                           {"mean", mean},
                           {"standard_deviation", std::sqrt(squares / (n - 1))}};
    }
  }
}

}  // namespace bitlaw
