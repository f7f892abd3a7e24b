#include "ptq/quantize_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

int64_t layer_of(size_t matrix) {
  return static_cast<int64_t>(matrix) / kProjections;
}
Projection projection_of(size_t matrix) {
  return static_cast<Projection>(matrix % kProjections);
}

}  // namespace

const char* name_of(Projection projection) {
  switch (projection) {
    case Projection::kQkv:
      return "qkv";
    case Projection::kOutput:
      return "output";
    case Projection::kGateUp:
      return "gate_up";
    case Projection::kDown:
      return "down";
  }
  return "";
}

Json to_json(const LayerResult& result) {
  const auto number = [](double value) { return std::isnan(value) ? Json(nullptr) : Json(value); };
  return {{"layer", result.layer},
          {"projection", name_of(result.projection)},
          {"rtn_error", result.rtn_error},
          {"gptq_error", number(result.gptq_error)},
          {"damping", number(result.damping)},
          {"failed_dampings", result.failed_dampings},
          {"dead_columns", result.dead_columns},
          {"flagged", result.flagged}};
}

void require_finite_weights(const Model& model, const Parameters& parameters) {
  for (size_t i = 0; i < model.infos().size(); ++i) {
    const Tensor& tensor = parameters.tensors[i];
    const float* values = tensor.f32();
    if (!std::all_of(values, values + tensor.elements(),
                     [](float w) { return std::isfinite(w); })) {
      throw Error(
          fmt::format("{} has weights that are not finite; such a checkpoint cannot be quantized",
                      model.infos()[i].name));
    }
  }
}

ModelQuantizer::ModelQuantizer(Model& model, const Parameters& parameters, Calibration calibration,
                               double first_damping, ThreadPool& pool)
    : model_(model),
      parameters_(parameters),
      calibration_(std::move(calibration)),
      first_damping_(first_damping),
      pool_(pool) {}

const Tensor& ModelQuantizer::weights(size_t matrix) const {
  return parameters_.tensors[model_.parameter_index(layer_of(matrix), projection_of(matrix))];
}

void ModelQuantizer::factor_all() {
  factors_.resize(calibration_.hessians.size());
  pool_.parallel_for(static_cast<int64_t>(factors_.size()), [&](int64_t index, int) {
    const auto matrix = static_cast<size_t>(index);
    factors_[matrix] = factor_hessian(calibration_.hessians[matrix], first_damping_);
  });
}

const std::vector<double>& ModelQuantizer::rtn_errors(const PtqCell& cell) {
  std::vector<double>& errors = rtn_errors_[{cell.format.name(), cell.group}];
  for (size_t matrix = errors.size(); matrix < calibration_.hessians.size(); ++matrix) {
    const Tensor& w = weights(matrix);
    const QuantizedMatrix rtn =
        quantize_rtn(cell.format, cell.group, w.f32(), w.extent(0), w.extent(1), pool_);
    errors.push_back(hessian_error(rtn, w.f32(), calibration_.hessians[matrix], pool_));
  }
  return errors;
}

std::vector<LayerResult> ModelQuantizer::apply(Context& context, const PtqCell& cell) {
  const bool gptq = cell.method == PtqMethod::kGptq;
  if (gptq && factors_.empty()) factor_all();
  const std::vector<double>& rtn = rtn_errors(cell);
  std::vector<LayerResult> results;
  for (size_t matrix = 0; matrix < calibration_.hessians.size(); ++matrix) {
    const Eigen::MatrixXd& hessian = calibration_.hessians[matrix];
    const Tensor& w = weights(matrix);
    LayerResult result{.layer = layer_of(matrix),
                       .projection = projection_of(matrix),
                       .rtn_error = rtn[matrix],
                       .gptq_error = kNone,
                       .damping = kNone,
                       .failed_dampings = {},
                       .dead_columns = (hessian.diagonal().array() == 0).count(),
                       .flagged = false};
    QuantizedMatrix quantized;
    if (gptq) {
      const HessianFactor& factor = factors_[matrix];
      quantized =
          quantize_gptq(cell.format, cell.group, w.f32(), w.extent(0), w.extent(1), factor, pool_);
      result.gptq_error = hessian_error(quantized, w.f32(), hessian, pool_);
      result.damping = factor.damping;
      result.failed_dampings = factor.failed_dampings;
      result.flagged = !(result.gptq_error <= result.rtn_error);  // NaN is flagged too
    } else {
      quantized = quantize_rtn(cell.format, cell.group, w.f32(), w.extent(0), w.extent(1), pool_);
    }
    model_.replace_weight(context, result.layer, result.projection, quantized.operand());
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace bitlaw
