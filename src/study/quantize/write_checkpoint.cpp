#include "quantize/write_checkpoint.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "base/error.h"
#include "hf/writer.h"

namespace bitlaw {

void write_quantized_checkpoint(const WriteRequest& request, ThreadPool& pool,
                                const PassProgress& progress) {
  const hf::Architecture a = hf::read_architecture(request.source);
  const hf::Weights weights(request.source, a);
  std::set<std::string> rounded;
  for (const hf::LayerSpec& layer : weights.layout().layers) {
    for (const hf::MatrixSpec& matrix : layer.matrices) rounded.insert(matrix.weight.name);
  }
  weights.check_and_hash(pool);

  std::optional<hf::Forward> forward;
  Tensor states;
  if (!request.calibration.tokens.empty()) {
    forward.emplace(a, request.sequence, pool);
    states = forward->embed(weights, inputs_of(request.calibration, request.sequence));
  }
  hf::CheckpointWriter writer(request.source, weights, request.target, rounded, request.dtype);
  for (int64_t l = 0; l < a.layers; ++l) {
    const hf::Layer layer = load_layer(weights, l);
    std::vector<InputSolver> solvers;
    if (forward) solvers = solve_layer(*forward, a, l, layer, states, pool);
    const hf::Layer quantized =
        quantize_layer(request.cell, l, layer, solvers.empty() ? nullptr : &solvers, pool, nullptr);
    for (const hf::Matrix& matrix : quantized.matrices) {
      writer.write(matrix.spec.weight.name, matrix.weight.f32(), matrix.weight.elements());
    }
    if (progress) {
      progress(static_cast<double>(l + 1), static_cast<double>(a.layers),
               fmt::format("layer {} of {}", l + 1, a.layers));
    }
  }
  writer.commit();
}

}  // namespace bitlaw
