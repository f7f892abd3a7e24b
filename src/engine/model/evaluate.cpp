#include "model/evaluate.h"

#include <algorithm>
#include <functional>

#include "base/float_mode.h"
#include "model/activations.h"
#include "ops/loss.h"

namespace bitlaw {
namespace {

using Windows = std::span<const std::span<const uint16_t>>;

// Called after window `index` has passed through the model.
using AfterWindow = std::function<void(int64_t index, Context& context,
                                       const Activations& activations, const Tensor& losses)>;

std::vector<Context> contexts_like(const Context& like, int threads) {
  std::vector<Context> contexts(static_cast<size_t>(threads));
  for (Context& context : contexts) {
    context.backend = like.backend;
    context.isa = like.isa;
    context.gradient_dtype = like.gradient_dtype;
  }
  return contexts;
}

// The activations and losses of one sequence, made when first used, so that idle workers cost
// nothing.
struct Place {
  ActivationsPtr activations;
  Tensor losses;  // [T]

  void make(const Model& model) {
    if (activations) return;
    activations = make_activations(model, false);
    losses = Tensor::empty(DType::kF32, {model.config().sequence});
  }
};

// Every window by itself.
void each_alone(const Model& model, const Parameters& parameters, Windows windows, ThreadPool& pool,
                const Context& like, const AfterWindow& after) {
  const auto T = static_cast<size_t>(model.config().sequence);
  std::vector<Context> contexts = contexts_like(like, pool.threads());
  std::vector<Place> places(contexts.size());
  pool.parallel_for(static_cast<int64_t>(windows.size()), [&](int64_t index, int number) {
    const FlushSubnormals flush;
    const std::span<const uint16_t> window = windows[static_cast<size_t>(index)];
    BITLAW_CHECK(window.size() == T + 1);
    Context& context = contexts[static_cast<size_t>(number)];
    Place& place = places[static_cast<size_t>(number)];
    place.make(model);
    model.forward(context, parameters, window.first(T), window.subspan(1), *place.activations,
                  place.losses);
    after(index, context, *place.activations, place.losses);
  });
}

// With scales per batch: as many windows as training had sequences in a batch, in their order. The
// last batch may be smaller.
void each_in_batches(const Model& model, const Parameters& parameters, Windows windows,
                     ThreadPool& pool, const Context& like, const AfterWindow& after) {
  const auto T = static_cast<size_t>(model.config().sequence);
  const int64_t B = model.recipe().batch_sequences, count = static_cast<int64_t>(windows.size());
  BITLAW_CHECK(B > 0);
  std::vector<Context> contexts = contexts_like(like, pool.threads());
  std::vector<Place> places(static_cast<size_t>(std::min(B, count)));
  for (int64_t begin = 0; begin < count; begin += B) {
    std::vector<BatchMember> members;
    for (int64_t index = begin; index < std::min(begin + B, count); ++index) {
      const std::span<const uint16_t> window = windows[static_cast<size_t>(index)];
      BITLAW_CHECK(window.size() == T + 1);
      Place& place = places[members.size()];
      place.make(model);
      members.push_back({window.first(T), place.activations.get()});
    }
    model.forward_batch(parameters, members, pool, contexts);
    pool.parallel_for(static_cast<int64_t>(members.size()), [&](int64_t member, int number) {
      const FlushSubnormals flush;
      Context& context = contexts[static_cast<size_t>(number)];
      Place& place = places[static_cast<size_t>(member)];
      head_loss(context, place.activations->head_input, model.head_weight(),
                windows[static_cast<size_t>(begin + member)].subspan(1), place.losses);
      after(begin + member, context, *place.activations, place.losses);
    });
  }
}

void each_window(const Model& model, const Parameters& parameters, Windows windows,
                 ThreadPool& pool, const Context& like, const AfterWindow& after) {
  (model.recipe().has_batch_scales() ? each_in_batches : each_alone)(model, parameters, windows,
                                                                     pool, like, after);
}

}  // namespace

std::vector<float> per_token_losses(const Model& model, const Parameters& parameters,
                                    Windows windows, ThreadPool& pool, const Context& like) {
  const int64_t T = model.config().sequence;
  std::vector<float> losses(windows.size() * static_cast<size_t>(T));
  each_window(model, parameters, windows, pool, like,
              [&](int64_t w, Context&, const Activations&, const Tensor& window_losses) {
                std::copy_n(window_losses.f32(), T, losses.begin() + w * T);
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
  each_window(model, parameters, windows, pool, like,
              [&](int64_t w, Context&, const Activations& activations, const Tensor& losses) {
                std::copy_n(losses.f32(), T, out.losses.begin() + w * T);
                out.head_inputs.rows(w * T, (w + 1) * T).copy_from(activations.head_input.codes);
              });
  return out;
}

std::vector<TokenComparison> compare_to_baseline(const Baseline& baseline, const Model& model,
                                                 const Parameters& parameters, Windows windows,
                                                 ThreadPool& pool, const Context& like) {
  const int64_t T = model.config().sequence;
  std::vector<TokenComparison> out(windows.size() * static_cast<size_t>(T));
  BITLAW_CHECK(baseline.losses.size() == out.size());
  each_window(
      model, parameters, windows, pool, like,
      [&](int64_t w, Context& context, const Activations& activations, const Tensor& losses) {
        const Operand baseline_input{baseline.head_inputs.rows(w * T, (w + 1) * T), {}};
        const std::span<TokenComparison> tokens =
            std::span(out).subspan(static_cast<size_t>(w * T), static_cast<size_t>(T));
        compare_heads(context, baseline_input, baseline.head, activations.head_input,
                      model.head_weight(), windows[static_cast<size_t>(w)].subspan(1), tokens);
        for (int64_t t = 0; t < T; ++t) {
          tokens[static_cast<size_t>(t)].loss = losses.f32()[t];
          tokens[static_cast<size_t>(t)].baseline_loss =
              baseline.losses[static_cast<size_t>(w * T + t)];
        }
      });
  return out;
}

}  // namespace bitlaw
