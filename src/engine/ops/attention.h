// Rotary positions and causal attention of one sequence.
#pragma once

#include "ops/quantize.h"

namespace bitlaw {

struct HeadShape {
  int64_t T;         // tokens
  int64_t heads;     // of queries, H
  int64_t kv_heads;  // of keys and values, G; query head h reads key head h / (H / G)
  int64_t dim;       // of one head, even
};

// cos and sin of t * theta^(-2i/dim): [T, dim] F32 (or F64), the cosines of a token in the first
// half of its row, the sines in the second.
Tensor rope_table(int64_t T, int64_t dim, double theta, DType dtype = DType::kF32);

// Splits the rows of qkv [T, (H + 2G) dim] into heads and rotates queries and keys
// (Su et al., 2021; halves paired as in Llama: (x[i], x[i + dim/2])):
// q [H*T, dim], k and v [G*T, dim], head by head.
void split_heads(Context&, const HeadShape&, const Tensor& qkv, const Tensor& rope, Tensor& q,
                 Tensor& k, Tensor& v);

// The adjoint: dqkv = ... from dq, dk, dv.
void merge_heads(Context&, const HeadShape&, const Tensor& dq, const Tensor& dk, const Tensor& dv,
                 const Tensor& rope, Tensor& dqkv);

// s[i,j] = q_i . k_j / sqrt(dim), j <= i;  p = softmax_j(s);  out_i = sum_j p'[i,j] v_j
// q [H*T, dim], k, v [G*T, dim] rounded; out [T, H dim] F32; lse [H, T] = log sum_j exp s[i,j].
// With BF16 codes on both sides of a product: BF16 product, FP32 accumulation, then scales. p' is p
// times the scale of v's row; if v's codes are BF16, p' is rounded to BF16 and v_j above are codes.
void attention(Context&, const HeadShape&, const Operand& q, const Operand& k, const Operand& v,
               Tensor& out, Tensor& lse);

// dq, dk, dv from dout [T, H dim]; all are written, not added to. round() rounds to
// context.gradient_dtype, and so are codes that are F32 (except in s, which is computed as in the
// forward pass):
//   dp[i,j] = scale_v[j] (round(dout_i) . vcode_j)       delta_i = sum_c dout_i[c] out_i[c]
//   ds[i,j] = p[i,j] (dp[i,j] - delta_i) / sqrt(dim)     dv_j = sum_i round(p[i,j]) round(dout_i)
//   dq_i = sum_j round(ds[i,j] scale_k[j]) kcode_j
//   dk_j = sum_i round(ds[i,j] scale_q[i]) qcode_i
void attention_backward(Context&, const HeadShape&, const Operand& q, const Operand& k,
                        const Operand& v, const Tensor& out, const Tensor& lse, const Tensor& dout,
                        Tensor& dq, Tensor& dk, Tensor& dv);

// attention_backward() and merge_heads() in one, with the same bits: dqkv [T, (H + 2G) dim] F32.
// Saves the memory traffic of three gradients.
void attention_backward_merged(Context&, const HeadShape&, const Operand& q, const Operand& k,
                               const Operand& v, const Tensor& out, const Tensor& lse,
                               const Tensor& dout, const Tensor& rope, Tensor& dqkv);

}  // namespace bitlaw
