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
    : model_(model), parameters_(parameters), first_damping_(first_damping), pool_(pool) {
  for (InputStatistics& input : calibration.inputs) solvers_.emplace_back(std::move(input), pool);
}

const Tensor& ModelQuantizer::weights(size_t matrix) const {
  return parameters_.tensors[model_.parameter_index(layer_of(matrix), projection_of(matrix))];
}

std::vector<LayerResult> ModelQuantizer::apply(Context& context, const PtqCell& cell) {
  const MatrixCell matrix_cell{.method = cell.method,
                               .scheme = {.format = cell.format, .group = cell.group},
                               .first_damping = first_damping_};
  std::vector<LayerResult> results;
  for (size_t matrix = 0; matrix < solvers_.size(); ++matrix) {
    const Tensor& w = weights(matrix);
    const MatrixResult rounded =
        quantize_matrix(matrix_cell, &solvers_[matrix], w.f32(), w.extent(0), w.extent(1), pool_);
    results.push_back({.layer = layer_of(matrix),
                       .projection = projection_of(matrix),
                       .rtn_error = rounded.rtn_error,
                       .gptq_error = cell.method == PtqMethod::kGptq ? rounded.error : kNone,
                       .damping = rounded.damping,
                       .failed_dampings = rounded.failed_dampings,
                       .dead_columns = rounded.dead_columns,
                       .flagged = rounded.flagged});
    model_.replace_weight(context, results.back().layer, results.back().projection,
                          rounded.quantized.operand(pool_));
  }
  return results;
}

}  // namespace bitlaw
