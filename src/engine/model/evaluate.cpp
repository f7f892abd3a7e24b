#include "model/evaluate.h"

#include <algorithm>
#include <functional>

#include "base/float_mode.h"
#include "model/activations.h"

namespace bitlaw {
namespace {

using Windows = std::span<const std::span<const uint16_t>>;

struct Worker {
  Context context;
  ActivationsPtr activations;  // made at the first window, so that idle workers cost nothing
  Tensor losses;               // [T]
};

// Runs every window, and f(w, worker) after window w.
void each_window(const Model& model, const Parameters& parameters, Windows windows,
                 ThreadPool& pool, const Context& like,
                 const std::function<void(int64_t, Worker&)>& f) {
  const int64_t T = model.config().sequence;
  std::vector<Worker> workers(static_cast<size_t>(pool.threads()));
  for (Worker& worker : workers) {
    worker.context.backend = like.backend;
    worker.context.isa = like.isa;
    worker.context.gradient_dtype = like.gradient_dtype;
  }
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
    f(index, worker);
  });
}

}  // namespace

std::vector<float> per_token_losses(const Model& model, const Parameters& parameters,
                                    Windows windows, ThreadPool& pool, const Context& like) {
  const int64_t T = model.config().sequence;
  std::vector<float> losses(windows.size() * static_cast<size_t>(T));
  each_window(model, parameters, windows, pool, like, [&](int64_t w, Worker& worker) {
    std::copy_n(worker.losses.f32(), T, losses.begin() + w * T);
  });
  return losses;
}

Baseline evaluate_baseline(const Model& model, const Parameters& parameters, Windows windows,
                           ThreadPool& pool, const Context& like) {
  const int64_t T = model.config().sequence;
  const auto targets = static_cast<int64_t>(windows.size()) * T;
  const DType dtype = head_rounding(model.recipe()).bf16_codes() ? DType::kBF16 : DType::kF32;
  Baseline out{.losses = std::vector<float>(static_cast<size_t>(targets)),
               .head_inputs = Tensor::empty(dtype, {targets, model.config().width}),
               .head = model.head_weight()};
  each_window(model, parameters, windows, pool, like, [&](int64_t w, Worker& worker) {
    std::copy_n(worker.losses.f32(), T, out.losses.begin() + w * T);
    out.head_inputs.rows(w * T, (w + 1) * T).copy_from(worker.activations->head_input.codes);
  });
  return out;
}

std::vector<TokenComparison> compare_to_baseline(const Baseline& baseline, const Model& model,
                                                 const Parameters& parameters, Windows windows,
                                                 ThreadPool& pool, const Context& like) {
  const int64_t T = model.config().sequence;
  std::vector<TokenComparison> out(windows.size() * static_cast<size_t>(T));
  BITLAW_CHECK(baseline.losses.size() == out.size());
  each_window(model, parameters, windows, pool, like, [&](int64_t w, Worker& worker) {
    const Operand baseline_input{baseline.head_inputs.rows(w * T, (w + 1) * T), {}};
    const std::span<TokenComparison> tokens =
        std::span(out).subspan(static_cast<size_t>(w * T), static_cast<size_t>(T));
    compare_heads(worker.context, baseline_input, baseline.head, worker.activations->head_input,
                  model.head_weight(), windows[static_cast<size_t>(w)].subspan(1), tokens);
    for (int64_t t = 0; t < T; ++t) {
      tokens[static_cast<size_t>(t)].loss = worker.losses.f32()[t];
      tokens[static_cast<size_t>(t)].baseline_loss =
          baseline.losses[static_cast<size_t>(w * T + t)];
    }
  });
  return out;
}

}  // namespace bitlaw
