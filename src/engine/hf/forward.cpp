#include "hf/forward.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/float_mode.h"
#include "hf/layer_pass.h"
#include "hf/pointwise.h"
#include "hf/rotary.h"
#include "ops/linear.h"

namespace bitlaw::hf {
namespace {

NormWeights load_norm(const Weights& weights, const NormSpec& spec) {
  NormWeights norm;
  if (!spec.weight.name.empty()) norm.weight = weights.tensor(spec.weight);
  if (!spec.bias.name.empty()) norm.bias = weights.tensor(spec.bias);
  return norm;
}

}  // namespace

Layer load_layer(const Weights& weights, int64_t l) {
  const LayerSpec& spec = weights.layout().layers[static_cast<size_t>(l)];
  Layer layer;
  for (const MatrixSpec& matrix : spec.matrices) {
    layer.matrices.push_back({matrix, weights.tensor(matrix.weight), {}});
    if (!matrix.bias.name.empty()) layer.matrices.back().bias = weights.tensor(matrix.bias);
  }
  layer.attention_norm = load_norm(weights, spec.attention_norm);
  layer.ffn_norm = load_norm(weights, spec.ffn_norm);
  layer.query_norm = load_norm(weights, spec.query_norm);
  layer.key_norm = load_norm(weights, spec.key_norm);
  return layer;
}

Head load_head(const Weights& weights) {
  const Layout& layout = weights.layout();
  const bool tied = layout.head.name.empty();
  return {load_norm(weights, layout.final_norm),
          weights.tensor(tied ? layout.embedding : layout.head)};
}

void require_tokens(const Architecture& architecture, std::span<const int32_t> tokens) {
  const auto outside = [&](int32_t token) { return token < 0 || token >= architecture.vocabulary; };
  const auto found = std::find_if(tokens.begin(), tokens.end(), outside);
  if (found == tokens.end()) return;
  throw Error(
      fmt::format("token {} is outside the checkpoint's vocabulary of {}; the text was tokenized "
                  "by another tokenizer",
                  *found, architecture.vocabulary));
}

void require_sequence(const Architecture& architecture, int64_t T) {
  BITLAW_CHECK(T > 0);
  if (T <= architecture.context || architecture.rotary.scaling == RotaryScaling::kDynamic) return;
  throw Error(
      fmt::format("windows of {} tokens are longer than the checkpoint's {} "
                  "(max_position_embeddings); give a shorter --sequence",
                  T, architecture.context));
}

Forward::Forward(const Architecture& architecture, int64_t T, ThreadPool& pool,
                 const Backend* backend)
    : architecture_(architecture), T_(T), pool_(pool), backend_(backend) {
  require_sequence(architecture, T);
  rope_ = rotary_table(architecture.rotary, T);
  scratch_.resize(static_cast<size_t>(pool.threads()));
}

Forward::~Forward() = default;

Scratch& Forward::scratch(int worker) {
  auto& own = scratch_[static_cast<size_t>(worker)];
  if (own == nullptr) own = std::make_unique<Scratch>(make_scratch(architecture_, T_, backend_));
  return *own;
}

Tensor Forward::embed(const Weights& weights, std::span<const int32_t> tokens) const {
  const int64_t count = static_cast<int64_t>(tokens.size()), d = architecture_.width;
  BITLAW_CHECK(count % T_ == 0);
  const Tensor states = Tensor::empty(DType::kF32, {count, d});
  require_tokens(architecture_, tokens);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t token = tokens[static_cast<size_t>(i)];
    states.rows(i, i + 1).copy_from(weights.rows(weights.layout().embedding, token, token + 1));
  }
  return states;
}

void Forward::run(int64_t l, const Layer& layer, const StateRounding& rounding, Tensor& states,
                  const InputTap& tap) {
  BITLAW_CHECK(states.extent(0) % T_ == 0 && states.extent(1) == architecture_.width);
  const LayerRun run{architecture_, T_, l, layer, rounding, rope_};
  pool_.parallel_for(states.extent(0) / T_, [&](int64_t window, int worker) {
    const FlushSubnormals flush;
    const auto tap_window = [&](Input input, const Tensor& x) { tap(window, input, x); };
    const auto no_tap = std::function<void(Input, const Tensor&)>();
    run_window(run, scratch(worker), states.rows(window * T_, (window + 1) * T_),
               tap ? std::function<void(Input, const Tensor&)>(tap_window) : no_tap);
  });
}

Tensor Forward::logits(const Head& head, const Tensor& states, int worker) {
  const FlushSubnormals flush;
  const int64_t rows = states.extent(0), d = architecture_.width;
  const Tensor normed = Tensor::empty(DType::kF32, {rows, d});
  normalize(architecture_.norm, architecture_.norm_epsilon, rows, d, states.f32(),
            head.norm.weight.f32(), head.norm.bias.defined() ? head.norm.bias.f32() : nullptr,
            normed.f32());
  Tensor out = Tensor::empty(DType::kF32, {rows, architecture_.vocabulary});
  linear_forward(scratch(worker).context, {normed}, {{head.weight}}, false, out);
  return out;
}

}  // namespace bitlaw::hf
