// Rotary positions and causal attention, one head at a time, 64 queries at a time. A block of
// queries meets the keys up to its last one; everything to the right is never computed.
// Scratch is a few [64, T] blocks, whatever the number of heads. BF16 codes on a machine with tiles
// are attention_amx.h's instead.
#include <algorithm>
#include <cmath>

#include "ops/cpu/amx/attention_amx.h"
#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"
#include "ops/cpu/words.h"

namespace bitlaw::cpu {
namespace {

constexpr int64_t kBlock = 64;  // queries

RowTarget target(const Tensor& x) {
  if (!x.defined()) return {};
  const bool bf16 = x.dtype() == DType::kBF16;
  return {bf16 ? words(x) : nullptr, bf16 ? nullptr : x.f32(), x.extent(1), false};
}

// One of q, k, v as products take it: numbers [heads*T, dim] and the scales of its rows, or none.
struct Heads {
  Tensor numbers;
  const float* scales;
  int64_t T, dim;

  Tensor head(int64_t h) const { return numbers.rows(h * T, (h + 1) * T); }
  const float* head_scales(int64_t h) const { return scales == nullptr ? nullptr : scales + h * T; }
};

// Codes and scales, or values if the product is F32.
Heads for_forward(Context& context, const HeadShape& shape, const Operand& x, bool bf16) {
  if (bf16) return {x.codes, x.scales.defined() ? x.scales.f32() : nullptr, shape.T, shape.dim};
  if (x.codes.dtype() == DType::kF32) return {x.codes, nullptr, shape.T, shape.dim};
  const int64_t rows = x.codes.extent(0);
  const Tensor values = context.workspace.take(DType::kF32, {rows, shape.dim});
  kernels(context).widen(words(x.codes), shape.dim, rows, shape.dim,
                         x.scales.defined() ? x.scales.f32() : nullptr, values.f32(), shape.dim);
  return {values, nullptr, shape.T, shape.dim};
}

// Codes in the type of gradients, and scales.
Heads for_backward(Context& context, const HeadShape& shape, const Operand& x) {
  Heads heads{x.codes, x.scales.defined() ? x.scales.f32() : nullptr, shape.T, shape.dim};
  if (x.codes.dtype() == context.gradient_dtype) return heads;
  const int64_t rows = x.codes.extent(0);
  heads.numbers = context.workspace.take(context.gradient_dtype, {rows, shape.dim});
  if (context.gradient_dtype == DType::kBF16) {
    kernels(context).round_bf16(x.codes.f32(), rows * shape.dim, words(heads.numbers));
  } else {
    kernels(context).widen(words(x.codes), shape.dim, rows, shape.dim, nullptr, heads.numbers.f32(),
                           shape.dim);
  }
  return heads;
}

bool is_bf16(const Operand& x) {
  return x.codes.dtype() == DType::kBF16;
}

// Scratch for one block of queries, [rows, columns] of the largest block's memory.
Tensor block_of(const Tensor& memory, int64_t rows, int64_t columns) {
  return Tensor::borrow(memory.dtype(), {rows, columns}, memory.raw());
}

const float* from(const float* scales, int64_t row) {
  return scales == nullptr ? nullptr : scales + row;
}

// All three as BF16 codes, on a machine with tiles.
bool fits_tiles(const Context& context, const Operand& q, const Operand& k, const Operand& v) {
  return is_bf16(q) && is_bf16(k) && is_bf16(v) &&
         engine_for(context, DType::kBF16) == Engine::kAmx;
}
bool gradients_fit_tiles(const Context& context, const Operand& q, const Operand& k,
                         const Operand& v) {
  return context.gradient_dtype == DType::kBF16 && fits_tiles(context, q, k, v);
}
amx::Attention for_tiles(const HeadShape& shape, const Operand& q, const Operand& k,
                         const Operand& v) {
  const auto codes = [](const Operand& x) {
    return amx::HeadCodes{words(x.codes), x.scales.defined() ? x.scales.f32() : nullptr};
  };
  return {shape.T, shape.heads, shape.kv_heads, shape.dim, codes(q), codes(k), codes(v)};
}
void* bytes(Context& context, int64_t count) {
  return context.workspace.take(DType::kF32, {count / 4}).raw();
}

}  // namespace

void split_heads(Context& context, const HeadShape& shape, const Tensor& qkv, const Tensor& rope,
                 Tensor& q, Tensor& k, Tensor& v) {
  const int64_t T = shape.T, H = shape.heads, G = shape.kv_heads, dim = shape.dim;
  const int64_t ld = qkv.extent(1);
  const auto rotate = [&](int64_t column, const Tensor& to, int64_t head) {
    kernels(context).rotate(qkv.f32() + column, ld, rope.f32(), T, dim, false,
                            to.f32() + head * T * dim, dim);
  };
  for (int64_t h = 0; h < H; ++h) rotate(h * dim, q, h);
  for (int64_t g = 0; g < G; ++g) {
    rotate((H + g) * dim, k, g);
    const RowTarget copy{nullptr, v.f32() + g * T * dim, dim, false};
    kernels(context).scale_rows(qkv.f32() + (H + G + g) * dim, ld, T, dim, nullptr, nullptr, copy);
  }
}

void merge_heads(Context& context, const HeadShape& shape, const Tensor& dq, const Tensor& dk,
                 const Tensor& dv, const Tensor& rope, Tensor& dqkv) {
  const int64_t T = shape.T, H = shape.heads, G = shape.kv_heads, dim = shape.dim;
  const int64_t ld = dqkv.extent(1);
  const auto rotate = [&](const Tensor& from, int64_t head, int64_t column) {
    kernels(context).rotate(from.f32() + head * T * dim, dim, rope.f32(), T, dim, true,
                            dqkv.f32() + column, ld);
  };
  for (int64_t h = 0; h < H; ++h) rotate(dq, h, h * dim);
  for (int64_t g = 0; g < G; ++g) {
    rotate(dk, g, (H + g) * dim);
    const RowTarget copy{nullptr, dqkv.f32() + (H + G + g) * dim, ld, false};
    kernels(context).scale_rows(dv.f32() + g * T * dim, dim, T, dim, nullptr, nullptr, copy);
  }
}

void attention(Context& context, const HeadShape& shape, const Operand& q_operand,
               const Operand& k_operand, const Operand& v_operand, Tensor& out, Tensor& lse) {
  Workspace::Scope scope(context.workspace);
  if (fits_tiles(context, q_operand, k_operand, v_operand)) {
    const amx::Attention tiles = for_tiles(shape, q_operand, k_operand, v_operand);
    return amx::attention(tiles, out.f32(), lse.f32(), bytes(context, amx::attention_bytes(tiles)));
  }
  const int64_t T = shape.T, H = shape.heads, G = shape.kv_heads, dim = shape.dim;
  const bool bf16_scores = is_bf16(q_operand) && is_bf16(k_operand);
  const Heads q = for_forward(context, shape, q_operand, bf16_scores);
  const Heads k = for_forward(context, shape, k_operand, bf16_scores);
  const Heads v = for_forward(context, shape, v_operand, is_bf16(v_operand));
  const int64_t largest = std::min(kBlock, T);
  const Tensor scores_memory = context.workspace.take(DType::kF32, {largest, T});
  const Tensor p_memory = context.workspace.take(v.numbers.dtype(), {largest, T});

  for (int64_t g = 0; g < G; ++g) {
    Workspace::Scope group_scope(context.workspace);
    const Right keys = arrange(context, dim, T, source(k.head(g), true));
    const Right values = arrange(context, T, dim, source(v.head(g)));
    for (int64_t h = g * (H / G); h < (g + 1) * (H / G); ++h) {
      for (int64_t i0 = 0; i0 < T; i0 += kBlock) {
        const int64_t rows = std::min(kBlock, T - i0), columns = i0 + rows;
        const AttentionRows block{rows,
                                  i0,
                                  columns,
                                  1 / std::sqrt(static_cast<float>(dim)),
                                  from(q.head_scales(h), i0),
                                  k.head_scales(g),
                                  nullptr,
                                  nullptr,
                                  v.head_scales(g)};
        const Tensor scores = block_of(scores_memory, rows, columns),
                     p = block_of(p_memory, rows, columns);
        multiply(context, rows, columns, dim, source(q.head(h).rows(i0, columns)), keys, {}, false,
                 scores.f32(), columns);
        kernels(context).probabilities(block, scores.f32(), columns, target(p),
                                       lse.f32() + h * T + i0);
        multiply(context, rows, dim, columns, source(p), values, {}, false,
                 out.f32() + i0 * H * dim + h * dim, H * dim);
      }
    }
  }
}

void attention_backward(Context& context, const HeadShape& shape, const Operand& q_operand,
                        const Operand& k_operand, const Operand& v_operand, const Tensor& out,
                        const Tensor& lse, const Tensor& dout, Tensor& dq, Tensor& dk, Tensor& dv) {
  Workspace::Scope scope(context.workspace);
  if (gradients_fit_tiles(context, q_operand, k_operand, v_operand)) {
    const amx::Attention tiles = for_tiles(shape, q_operand, k_operand, v_operand);
    return amx::attention_backward(tiles, out.f32(), lse.f32(), dout.f32(),
                                   {.dq = dq.f32(), .dk = dk.f32(), .dv = dv.f32()},
                                   bytes(context, amx::attention_backward_bytes(tiles)));
  }
  const Kernels& kernel = kernels(context);
  const DType dtype = context.gradient_dtype;
  const int64_t T = shape.T, H = shape.heads, G = shape.kv_heads, dim = shape.dim;
  // The scores again, exactly as forward computed them, and the codes for everything else.
  const bool bf16_scores = is_bf16(q_operand) && is_bf16(k_operand);
  const Heads q_scores = for_forward(context, shape, q_operand, bf16_scores);
  const Heads k_scores = for_forward(context, shape, k_operand, bf16_scores);
  const Heads q = for_backward(context, shape, q_operand);
  const Heads k = for_backward(context, shape, k_operand);
  const Heads v = for_backward(context, shape, v_operand);
  const bool shared =
      q.scales == nullptr && k.scales == nullptr;  // one rounding of ds serves dq and dk

  const int64_t largest = std::min(kBlock, T);
  const Tensor scores_memory = context.workspace.take(DType::kF32, {largest, T});
  const Tensor dp_memory = context.workspace.take(DType::kF32, {largest, T});
  const Tensor p_memory = context.workspace.take(dtype, {largest, T});
  const Tensor for_q_memory = context.workspace.take(dtype, {largest, T});
  const Tensor for_k_memory = shared ? for_q_memory : context.workspace.take(dtype, {largest, T});
  const Tensor dout_memory = context.workspace.take(dtype, {largest, dim});
  float* const delta = context.workspace.take(DType::kF32, {largest}).f32();

  for (int64_t g = 0; g < G; ++g) {
    Workspace::Scope group_scope(context.workspace);
    const Right keys = arrange(context, dim, T, source(k_scores.head(g), true));
    const Right values = arrange(context, dim, T, source(v.head(g), true));
    const Right key_codes = arrange(context, T, dim, source(k.head(g)));
    float* const dk_head = dk.f32() + g * T * dim;
    float* const dv_head = dv.f32() + g * T * dim;
    // The last block of queries sees every key: it writes dk and dv, the others add.
    bool first = true;
    for (int64_t h = g * (H / G); h < (g + 1) * (H / G); ++h) {
      for (int64_t i0 = (T - 1) / kBlock * kBlock; i0 >= 0; i0 -= kBlock) {
        Workspace::Scope block_scope(context.workspace);
        const int64_t rows = std::min(kBlock, T - i0), columns = i0 + rows;
        const AttentionRows block{rows,
                                  i0,
                                  columns,
                                  1 / std::sqrt(static_cast<float>(dim)),
                                  from(q_scores.head_scales(h), i0),
                                  k_scores.head_scales(g),
                                  from(q.head_scales(h), i0),
                                  k.head_scales(g),
                                  v.head_scales(g)};
        const float* const dout_rows = dout.f32() + i0 * H * dim + h * dim;
        const float* const out_rows = out.f32() + i0 * H * dim + h * dim;
        for (int64_t r = 0; r < rows; ++r) {
          delta[r] = kernel.dot(dout_rows + r * H * dim, out_rows + r * H * dim, dim);
        }
        const Tensor rounded_dout = block_of(dout_memory, rows, dim);
        kernel.scale_rows(dout_rows, H * dim, rows, dim, nullptr, nullptr, target(rounded_dout));

        const Tensor scores = block_of(scores_memory, rows, columns),
                     dp = block_of(dp_memory, rows, columns);
        const Tensor p = block_of(p_memory, rows, columns);
        const Tensor for_q = block_of(for_q_memory, rows, columns),
                     for_k = block_of(for_k_memory, rows, columns);
        multiply(context, rows, columns, dim, source(q_scores.head(h).rows(i0, columns)), keys, {},
                 false, scores.f32(), columns);
        multiply(context, rows, columns, dim, source(rounded_dout), values, {}, false, dp.f32(),
                 columns);
        kernel.attention_gradients(block, scores.f32(), dp.f32(), columns, lse.f32() + h * T + i0,
                                   delta, target(p), target(for_q),
                                   shared ? RowTarget{} : target(for_k));

        multiply(context, rows, dim, columns, source(for_q), key_codes, {}, false,
                 dq.f32() + (h * T + i0) * dim, dim);
        multiply(context, columns, dim, rows, source(for_k, true),
                 arrange(context, rows, dim, source(q.head(h).rows(i0, columns))), {}, !first,
                 dk_head, dim);
        multiply(context, columns, dim, rows, source(p, true),
                 arrange(context, rows, dim, source(rounded_dout)), {}, !first, dv_head, dim);
        first = false;
      }
    }
  }
}

void attention_backward_merged(Context& context, const HeadShape& shape, const Operand& q,
                               const Operand& k, const Operand& v, const Tensor& out,
                               const Tensor& lse, const Tensor& dout, const Tensor& rope,
                               Tensor& dqkv) {
  Workspace::Scope scope(context.workspace);
  if (gradients_fit_tiles(context, q, k, v)) {
    const amx::Attention tiles = for_tiles(shape, q, k, v);
    return amx::attention_backward(tiles, out.f32(), lse.f32(), dout.f32(),
                                   {.rope = rope.f32(), .dqkv = dqkv.f32()},
                                   bytes(context, amx::attention_backward_bytes(tiles)));
  }
  Tensor dq = context.workspace.take(DType::kF32, q.codes.shape());
  Tensor dk = context.workspace.take(DType::kF32, k.codes.shape());
  Tensor dv = context.workspace.take(DType::kF32, v.codes.shape());
  cpu::attention_backward(context, shape, q, k, v, out, lse, dout, dq, dk, dv);
  cpu::merge_heads(context, shape, dq, dk, dv, rope, dqkv);
}

}  // namespace bitlaw::cpu
