#include "model/evaluate.h"

#include <algorithm>

#include "base/float_mode.h"

namespace bitlaw {
namespace {

struct Worker {
  Context context;
  ActivationsPtr activations;  // made at the first window, so that idle workers cost nothing
  Tensor losses;               // [T]
};

}  // namespace

std::vector<float> per_token_losses(const Model& model, const Parameters& parameters,
                                    std::span<const std::span<const uint16_t>> windows,
                                    ThreadPool& pool, const Context& like) {
  const int64_t T = model.config().sequence;
  std::vector<Worker> workers(static_cast<size_t>(pool.threads()));
  for (Worker& worker : workers) {
    worker.context.backend = like.backend;
    worker.context.isa = like.isa;
    worker.context.gradient_dtype = like.gradient_dtype;
  }
  std::vector<float> losses(windows.size() * static_cast<size_t>(T));
  pool.parallel_for(static_cast<int64_t>(windows.size()), [&](int64_t index, int number) {
    const FlushSubnormals flush;
    const std::span<const uint16_t> window = windows[static_cast<size_t>(index)];
    BITLAW_CHECK(static_cast<int64_t>(window.size()) == T + 1);
    Worker& worker = workers[static_cast<size_t>(number)];
    if (!worker.activations) {
      worker.activations = make_activations(model, false);
      worker.losses = Tensor::empty(DType::kF32, {T});
    }
    model.forward(worker.context, parameters, window.first(static_cast<size_t>(T)),
                  window.subspan(1), *worker.activations, worker.losses);
    std::copy_n(worker.losses.f32(), T, losses.begin() + index * T);
  });
  return losses;
}

}  // namespace bitlaw
