// The operations between the products of a layer: norms, activations, rotation and causal
// attention, on the FP32 numbers of one window.
#pragma once

#include <cstdint>

#include "hf/config.h"

namespace bitlaw::hf {

// y[t,c] from x[t,c], rows of `width`; weight and bias may be null. y may be x. Mean and variance
// are summed in double.
void normalize(Norm kind, double epsilon, int64_t rows, int64_t width, const float* x,
               const float* weight, const float* bias, float* y);

// y = act(gate) * up, or act(y) where `gate` is null; y holds `up` when called.
void activate(Activation activation, int64_t count, const float* gate, float* y);

// x[r,c] += bias[c]
void add_bias(int64_t rows, int64_t width, const float* bias, float* x);

// Splits rows into heads: out[(h T + t) dim + c] = x[t stride + offset + h step + c], with the
// first `turned` entries of each head rotated by rope [T, turned] (rotary.h); turned = 0 only
// copies.
struct HeadCopy {
  int64_t T, heads, dim;
  int64_t stride, offset, step;
  int64_t turned;
};
void copy_heads(const HeadCopy& shape, const float* x, const float* rope, float* out);

// out[t, h dim + c] = sum_j p_tj v[j,c] with p the softmax over j <= t (with a window: t - window <
// j <= t) of q_t . k_j / sqrt(dim). q [heads T, dim], k and v [kv_heads T, dim], head by head.
// `scratch`: attention_scratch() numbers.
struct AttentionShape {
  int64_t T, heads, kv_heads, dim;
  int64_t window;  // 0: none
};
int64_t attention_scratch(const AttentionShape& shape);
void causal_attention(const AttentionShape& shape, const float* q, const float* k, const float* v,
                      float* out, float* scratch);

}  // namespace bitlaw::hf
