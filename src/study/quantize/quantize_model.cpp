#include "quantize/quantize_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "quantize/matrix_operand.h"

namespace bitlaw {
namespace {

// |Q - W|^2 / |W|^2; 0 for weights that are all zero and stay so.
double relative_error(const std::vector<float>& quantized, const float* weights) {
  double squares = 0, errors = 0;
  for (size_t i = 0; i < quantized.size(); ++i) {
    const double w = weights[i], e = static_cast<double>(quantized[i]) - w;
    squares += w * w;
    errors += e * e;
  }
  return errors == 0 ? 0 : errors / squares;
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

ModelQuantizer::ModelQuantizer(const Model& model, const Parameters& parameters, ThreadPool& pool)
    : model_(model), parameters_(parameters), pool_(pool) {}

void ModelQuantizer::use_calibration(Calibration calibration) {
  solvers_.clear();
  rtn_errors_.clear();
  for (InputStatistics& input : calibration.inputs) solvers_.emplace_back(std::move(input), pool_);
}

QuantizedModel ModelQuantizer::quantize(const MatrixCell& cell) {
  QuantizedModel out;
  if (cell.method->round == nullptr) return out;
  const bool calibrated = cell.method->calibrated;
  BITLAW_CHECK(!calibrated || !solvers_.empty());
  std::vector<double>& known =
      rtn_errors_[fmt::format("{} {} {}", cell.scheme.name(), cell.scheme.group, cell.rotated)];
  known.resize(solvers_.size(), MatrixResult::kNone);
  for (int64_t layer = 0; layer < model_.config().layers; ++layer) {
    for (int p = 0; p < kProjections; ++p) {
      const auto projection = static_cast<Projection>(p);
      const Tensor& w = parameters_.tensors[model_.parameter_index(layer, projection)];
      const auto index = static_cast<size_t>(layer * kProjections + p);
      const MatrixResult result =
          quantize_matrix(cell, calibrated ? &solvers_[index] : nullptr, w.f32(), w.extent(0),
                          w.extent(1), pool_, calibrated ? known[index] : MatrixResult::kNone);
      if (calibrated) known[index] = result.rtn_error;
      out.reports.push_back(
          matrix_report(layer, name_of(projection), result,
                        relative_error(result.quantized.effective(pool_), w.f32())));
      out.weights.push_back(
          operand_of(result.quantized, pool_, model_.recipe().projection_rotation(w.extent(1))));
    }
  }
  return out;
}

void replace_weights(Context& context, Model& model, const QuantizedModel& quantized) {
  for (size_t i = 0; i < quantized.weights.size(); ++i) {
    const auto layer = static_cast<int64_t>(i) / kProjections;
    model.replace_weight(context, layer, static_cast<Projection>(i % kProjections),
                         quantized.weights[i]);
  }
}

}  // namespace bitlaw
