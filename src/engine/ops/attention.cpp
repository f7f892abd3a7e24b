#include "ops/attention.h"

#include <cmath>

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {
namespace {

bool is_head_shape(const HeadShape& h) {
  return h.T > 0 && h.heads > 0 && h.kv_heads > 0 && h.heads % h.kv_heads == 0 && h.dim > 0 &&
         h.dim % 2 == 0;
}

// Two products of a forward pass, each over the causal half of the scores.
double attention_flops(const HeadShape& h) {
  return product_flops(h.T, h.T + 1, h.heads * h.dim);
}

int64_t query_rows(const HeadShape& h) {
  return h.heads * h.T;
}
int64_t key_rows(const HeadShape& h) {
  return h.kv_heads * h.T;
}
int64_t qkv_columns(const HeadShape& h) {
  return (h.heads + 2 * h.kv_heads) * h.dim;
}

}  // namespace

Tensor rope_table(int64_t T, int64_t dim, double theta, DType dtype) {
  BITLAW_CHECK(T > 0 && dim > 0 && dim % 2 == 0 && theta > 0);
  BITLAW_CHECK(dtype == DType::kF32 || dtype == DType::kF64);
  const Tensor table = Tensor::empty(dtype, {T, dim});
  const int64_t half = dim / 2;
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(t) * std::pow(theta, -2.0 * static_cast<double>(i) /
                                                                        static_cast<double>(dim));
      table.set(t * dim + i, std::cos(angle));
      table.set(t * dim + half + i, std::sin(angle));
    }
  }
  return table;
}

void split_heads(Context& c, const HeadShape& h, const Tensor& qkv, const Tensor& rope, Tensor& q,
                 Tensor& k, Tensor& v) {
  BITLAW_CHECK(is_head_shape(h));
  BITLAW_CHECK(is_real(c, qkv, {h.T, qkv_columns(h)}) && same_dtype(qkv, rope, q, k, v));
  BITLAW_CHECK(rope.shape().rank() == 2 && rope.extent(0) >= h.T && rope.extent(1) == h.dim);
  BITLAW_CHECK(q.shape() == (Shape{query_rows(h), h.dim}));
  BITLAW_CHECK(k.shape() == (Shape{key_rows(h), h.dim}) && v.shape() == k.shape());
  const Timed timed(c.profile, "split heads", 0, bytes_of(qkv, q, k, v));
  dispatch(c, op::split_heads, h, qkv, rope, q, k, v);
}

void merge_heads(Context& c, const HeadShape& h, const Tensor& dq, const Tensor& dk,
                 const Tensor& dv, const Tensor& rope, Tensor& dqkv) {
  BITLAW_CHECK(is_head_shape(h));
  BITLAW_CHECK(is_real(c, dqkv, {h.T, qkv_columns(h)}) && same_dtype(dqkv, rope, dq, dk, dv));
  BITLAW_CHECK(rope.shape().rank() == 2 && rope.extent(0) >= h.T && rope.extent(1) == h.dim);
  BITLAW_CHECK(dq.shape() == (Shape{query_rows(h), h.dim}));
  BITLAW_CHECK(dk.shape() == (Shape{key_rows(h), h.dim}) && dv.shape() == dk.shape());
  const Timed timed(c.profile, "merge heads", 0, bytes_of(dq, dk, dv, dqkv));
  dispatch(c, op::merge_heads, h, dq, dk, dv, rope, dqkv);
}

void attention(Context& c, const HeadShape& h, const Operand& q, const Operand& k, const Operand& v,
               Tensor& out, Tensor& lse) {
  BITLAW_CHECK(is_head_shape(h));
  BITLAW_CHECK(is_real(c, out, {h.T, h.heads * h.dim}));
  BITLAW_CHECK(lse.shape() == (Shape{h.heads, h.T}) && same_dtype(out, lse));
  BITLAW_CHECK(is_row_operand(q, query_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(is_row_operand(k, key_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(is_row_operand(v, key_rows(h), h.dim, out.dtype()));
  const Timed timed(c.profile, "attention", attention_flops(h),
                    bytes_of(q.codes, k.codes, v.codes, out));
  dispatch(c, op::attention, h, q, k, v, out, lse);
}

void attention_backward(Context& c, const HeadShape& h, const Operand& q, const Operand& k,
                        const Operand& v, const Tensor& out, const Tensor& lse, const Tensor& dout,
                        Tensor& dq, Tensor& dk, Tensor& dv) {
  BITLAW_CHECK(is_head_shape(h));
  BITLAW_CHECK(is_real(c, out, {h.T, h.heads * h.dim}) && dout.shape() == out.shape());
  BITLAW_CHECK(lse.shape() == (Shape{h.heads, h.T}));
  BITLAW_CHECK(same_dtype(out, lse, dout, dq, dk, dv));
  BITLAW_CHECK(is_row_operand(q, query_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(is_row_operand(k, key_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(is_row_operand(v, key_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(dq.shape() == q.codes.shape());
  BITLAW_CHECK(dk.shape() == k.codes.shape() && dv.shape() == v.codes.shape());
  const Timed timed(c.profile, "attention, backward", 2 * attention_flops(h),
                    bytes_of(q.codes, k.codes, v.codes, out, dout, dq, dk, dv));
  dispatch(c, op::attention_backward, h, q, k, v, out, lse, dout, dq, dk, dv);
}

void attention_backward_merged(Context& c, const HeadShape& h, const Operand& q, const Operand& k,
                               const Operand& v, const Tensor& out, const Tensor& lse,
                               const Tensor& dout, const Tensor& rope, Tensor& dqkv) {
  BITLAW_CHECK(is_head_shape(h));
  BITLAW_CHECK(is_real(c, out, {h.T, h.heads * h.dim}) && dout.shape() == out.shape());
  BITLAW_CHECK(lse.shape() == (Shape{h.heads, h.T}));
  BITLAW_CHECK(dqkv.shape() == (Shape{h.T, qkv_columns(h)}));
  BITLAW_CHECK(same_dtype(out, lse, dout, rope, dqkv));
  BITLAW_CHECK(rope.shape().rank() == 2 && rope.extent(0) >= h.T && rope.extent(1) == h.dim);
  BITLAW_CHECK(is_operand(q, query_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(is_operand(k, key_rows(h), h.dim, out.dtype()));
  BITLAW_CHECK(is_operand(v, key_rows(h), h.dim, out.dtype()));
  const Timed timed(c.profile, "attention, backward", 2 * attention_flops(h),
                    bytes_of(q.codes, k.codes, v.codes, out, dout, dqkv));
  dispatch(c, op::attention_backward_merged, h, q, k, v, out, lse, dout, rope, dqkv);
}

}  // namespace bitlaw
