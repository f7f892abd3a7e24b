#include "hf/layer_pass.h"

#include <algorithm>

#include "base/error.h"
#include "formats/recipe.h"
#include "hf/pointwise.h"
#include "model/activations.h"
#include "ops/linear.h"

namespace bitlaw::hf {
namespace {

const float* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.f32() : nullptr;
}

bool rounds(const Quantizer& quantizer) {
  return quantizer.format.kind != FormatKind::kFp32;
}

// The rounded numbers of x [R, C], as numbers.
Tensor rounded(Context& context, const Rounding& rounding, const Tensor& x) {
  Operand operand = make_operand(rounding, x.extent(0), x.extent(1));
  quantize(context, rounding, x, operand);
  const Tensor& codes = operand.codes;
  if (codes.dtype() == DType::kF32 && !operand.scales.defined()) return codes;
  const Tensor out = Tensor::empty(DType::kF32, x.shape());
  const int64_t R = x.extent(0), C = x.extent(1);
  const int64_t groups = operand.group == 0 ? 1 : (C + operand.group - 1) / operand.group;
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t c = 0; c < C; ++c) {
      const int64_t i = r * C + c, group = operand.group == 0 ? 0 : c / operand.group;
      const float scale = operand.scales.defined() ? operand.scales.f32()[r * groups + group] : 1;
      const float code = codes.dtype() == DType::kF32 ? codes.f32()[i] : codes.bf16()[i].value();
      out.f32()[i] = code * scale;
    }
  }
  return out;
}

class Pass {
 public:
  Pass(const LayerRun& run, Scratch& scratch, const std::function<void(Input, const Tensor&)>& tap)
      : run_(run), a_(run.architecture), layer_(run.layer), s_(scratch), tap_(tap) {}

  void attention(const Tensor& x, Tensor& out) {
    const Tensor in = input(Input::kAttention, before(x, layer_.attention_norm));
    if (a_.fused_qkv) {
      product(in, Part::kQueryKeyValue, s_.query);
      copy_fused_heads();
    } else {
      product(in, Part::kQuery, s_.query);
      product(in, Part::kKey, s_.key);
      product(in, Part::kValue, s_.value);
      norm_heads(layer_.query_norm, s_.query);
      norm_heads(layer_.key_norm, s_.key);
      copy_heads_of(s_.query, a_.heads, a_.rotary.dim, s_.q);
      copy_heads_of(s_.key, a_.kv_heads, a_.rotary.dim, s_.k);
      copy_heads_of(s_.value, a_.kv_heads, 0, s_.v);
    }
    const Tensor keys = round_heads(run_.rounding.keys, Role::kKeys, s_.k);
    const Tensor values = round_heads(run_.rounding.values, Role::kValues, s_.v);
    causal_attention(
        {run_.T, a_.heads, a_.kv_heads, a_.head_dim, a_.window[static_cast<size_t>(run_.l)]},
        s_.q.f32(), keys.f32(), values.f32(), s_.attended.f32(), s_.scores.f32());
    product(input(Input::kOutput, s_.attended), Part::kOutput, out);
    after(layer_.attention_norm, out);
  }

  void feed_forward(const Tensor& x, Tensor& out) {
    const Tensor in = input(Input::kFeedForward, before(x, layer_.ffn_norm));
    if (a_.gated) product(in, Part::kGate, s_.gate);
    product(in, Part::kUp, s_.up);
    activate(a_.activation, s_.up.elements(), a_.gated ? s_.gate.f32() : nullptr, s_.up.f32());
    product(input(Input::kDown, s_.up), Part::kDown, out);
    after(layer_.ffn_norm, out);
  }

 private:
  void norm(Norm kind, const NormWeights& weights, const Tensor& x, const Tensor& y) {
    normalize(kind, a_.norm_epsilon, x.extent(0), x.extent(1), x.f32(),
              data_or_null(weights.weight), data_or_null(weights.bias), y.f32());
  }
  Tensor before(const Tensor& x, const NormWeights& weights) {
    if (a_.norm_after) return x;
    norm(a_.norm, weights, x, s_.normed);
    return s_.normed;
  }
  void after(const NormWeights& weights, const Tensor& y) {
    if (a_.norm_after) norm(a_.norm, weights, y, y);
  }
  void norm_heads(const NormWeights& weights, const Tensor& x) {
    if (a_.qk_norm) norm(Norm::kRms, weights, x, x);
  }

  // The input of matrices as they take it.
  Tensor input(Input which, const Tensor& x) {
    const Quantizer& quantizer = run_.rounding.activations;
    const Tensor in =
        rounds(quantizer) ? rounded(s_.context, rounding_of(quantizer, Role::kActivations), x) : x;
    if (tap_) tap_(which, in);
    return in;
  }

  void product(const Tensor& x, Part part, Tensor& y) {
    const auto matrix = std::find_if(layer_.matrices.begin(), layer_.matrices.end(),
                                     [&](const Matrix& m) { return m.spec.part == part; });
    BITLAW_CHECK(matrix != layer_.matrices.end());
    linear_forward(s_.context, {x}, {{matrix->weight}}, false, y);
    if (matrix->bias.defined()) add_bias(y.extent(0), y.extent(1), matrix->bias.f32(), y.f32());
  }

  void copy_heads_of(const Tensor& x, int64_t heads, int64_t turned, const Tensor& out) {
    const int64_t dim = a_.head_dim;
    copy_heads({run_.T, heads, dim, heads * dim, 0, dim, turned}, x.f32(), run_.rope.f32(),
               out.f32());
  }
  // Rows of query, key and value of one head after the other.
  void copy_fused_heads() {
    const int64_t dim = a_.head_dim, row = 3 * a_.heads * dim, turned = a_.rotary.dim;
    const float *const x = s_.query.f32(), *const rope = run_.rope.f32();
    copy_heads({run_.T, a_.heads, dim, row, 0, 3 * dim, turned}, x, rope, s_.q.f32());
    copy_heads({run_.T, a_.heads, dim, row, dim, 3 * dim, turned}, x, rope, s_.k.f32());
    copy_heads({run_.T, a_.heads, dim, row, 2 * dim, 3 * dim, 0}, x, rope, s_.v.f32());
  }
  Tensor round_heads(const Quantizer& quantizer, Role role, const Tensor& x) {
    return rounds(quantizer) ? rounded(s_.context, rounding_of(quantizer, role, a_.kv_heads), x)
                             : x;
  }

  const LayerRun& run_;
  const Architecture& a_;
  const Layer& layer_;
  Scratch& s_;
  const std::function<void(Input, const Tensor&)>& tap_;
};

void add(const Tensor& y, const Tensor& x) {
  for (int64_t i = 0; i < x.elements(); ++i) x.f32()[i] += y.f32()[i];
}

}  // namespace

Scratch make_scratch(const Architecture& a, int64_t T, const Backend* backend) {
  const auto f32 = [](int64_t rows, int64_t columns) {
    return Tensor::empty(DType::kF32, {rows, columns});
  };
  const int64_t queries = a.heads * a.head_dim, keys = a.kv_heads * a.head_dim;
  Scratch s;
  s.context.backend = backend;
  s.normed = f32(T, a.width);
  s.query = f32(T, a.fused_qkv ? queries + 2 * keys : queries);
  s.key = f32(T, keys);
  s.value = f32(T, keys);
  s.q = f32(a.heads * T, a.head_dim);
  s.k = f32(a.kv_heads * T, a.head_dim);
  s.v = f32(a.kv_heads * T, a.head_dim);
  s.scores = f32(1, attention_scratch({T, a.heads, a.kv_heads, a.head_dim, 0}));
  s.attended = f32(T, queries);
  s.attention = f32(T, a.width);
  s.ffn = f32(T, a.width);
  if (a.gated) s.gate = f32(T, a.hidden);
  s.up = f32(T, a.hidden);
  return s;
}

void run_window(const LayerRun& run, Scratch& s, const Tensor& states,
                const std::function<void(Input, const Tensor&)>& tap) {
  Pass pass(run, s, tap);
  pass.attention(states, s.attention);
  if (run.architecture.parallel) {
    pass.feed_forward(states, s.ffn);
    add(s.attention, states);
  } else {
    add(s.attention, states);
    pass.feed_forward(states, s.ffn);
  }
  add(s.ffn, states);
}

}  // namespace bitlaw::hf
