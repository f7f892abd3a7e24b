// Rotary positions and causal attention of one sequence, one query at a time.
#include <cmath>

#include "ops/ref/backend.h"
#include "ops/ref/numbers.h"

namespace bitlaw::ref {
namespace {

// Turns every pair (x[i], x[i + dim/2]) by the token's angle, or back by it (direction -1).
void rotate(const double* x, const double* cosines, int64_t dim, double direction, double* y) {
  const int64_t half = dim / 2;
  const double* sines = cosines + half;
  for (int64_t i = 0; i < half; ++i) {
    const double a = x[i], b = x[i + half], sine = direction * sines[i];
    y[i] = a * cosines[i] - b * sine;
    y[i + half] = b * cosines[i] + a * sine;
  }
}

// s[i,j] = q_i . k_j / sqrt(dim), on codes if both are BF16.
struct Scores {
  Matrix q, k;
  int64_t dim;

  Scores(const HeadShape& h, const Operand& q_operand, const Operand& k_operand)
      : q(matrix(q_operand)), k(matrix(k_operand)), dim(h.dim) {
    match(q, k);
  }

  double operator()(int64_t query_row, int64_t key_row) const {
    return dot(&q.codes[query_row * dim], &k.codes[key_row * dim], dim) * q.scales[query_row] *
           k.scales[key_row] / std::sqrt(static_cast<double>(dim));
  }
};

}  // namespace

void split_heads(Context&, const HeadShape& h, const Tensor& qkv_tensor, const Tensor& rope_tensor,
                 Tensor& q, Tensor& k, Tensor& v) {
  const std::vector<double> qkv = numbers(qkv_tensor), rope = numbers(rope_tensor);
  const int64_t columns = (h.heads + 2 * h.kv_heads) * h.dim;
  std::vector<double> turned(static_cast<size_t>(h.dim));
  for (int64_t t = 0; t < h.T; ++t) {
    for (int64_t head = 0; head < h.heads + 2 * h.kv_heads; ++head) {
      const double* x = &qkv[t * columns + head * h.dim];
      const bool is_query = head < h.heads, is_key = !is_query && head < h.heads + h.kv_heads;
      if (is_query || is_key) {
        rotate(x, &rope[t * h.dim], h.dim, 1, turned.data());
        x = turned.data();
      }
      const Tensor& out = is_query ? q : is_key ? k : v;
      const int64_t own_head = is_query ? head : (head - h.heads) % h.kv_heads;
      for (int64_t i = 0; i < h.dim; ++i) out.set((own_head * h.T + t) * h.dim + i, x[i]);
    }
  }
}

void merge_heads(Context&, const HeadShape& h, const Tensor& dq_tensor, const Tensor& dk_tensor,
                 const Tensor& dv_tensor, const Tensor& rope_tensor, Tensor& dqkv) {
  const std::vector<double> dq = numbers(dq_tensor), dk = numbers(dk_tensor);
  const std::vector<double> dv = numbers(dv_tensor), rope = numbers(rope_tensor);
  const int64_t columns = (h.heads + 2 * h.kv_heads) * h.dim;
  std::vector<double> turned(static_cast<size_t>(h.dim));
  for (int64_t t = 0; t < h.T; ++t) {
    for (int64_t head = 0; head < h.heads + 2 * h.kv_heads; ++head) {
      const bool is_query = head < h.heads, is_key = !is_query && head < h.heads + h.kv_heads;
      const int64_t own_head = is_query ? head : (head - h.heads) % h.kv_heads;
      const double* dy = &(is_query ? dq : is_key ? dk : dv)[(own_head * h.T + t) * h.dim];
      if (is_query || is_key) {
        rotate(dy, &rope[t * h.dim], h.dim, -1, turned.data());
        dy = turned.data();
      }
      for (int64_t i = 0; i < h.dim; ++i) dqkv.set(t * columns + head * h.dim + i, dy[i]);
    }
  }
}

void attention(Context&, const HeadShape& h, const Operand& q, const Operand& k,
               const Operand& v_operand, Tensor& out, Tensor& lse) {
  const Scores score(h, q, k);
  const Matrix v = matrix(v_operand);
  std::vector<double> s(static_cast<size_t>(h.T)), sums(static_cast<size_t>(h.dim));
  for (int64_t head = 0; head < h.heads; ++head) {
    const int64_t first_key = head / (h.heads / h.kv_heads) * h.T;
    for (int64_t i = 0; i < h.T; ++i) {
      double largest = -INFINITY, denominator = 0;
      for (int64_t j = 0; j <= i; ++j) {
        s[j] = score(head * h.T + i, first_key + j);
        largest = std::fmax(largest, s[j]);
      }
      for (int64_t j = 0; j <= i; ++j) denominator += std::exp(s[j] - largest);
      const double log_sum = largest + std::log(denominator);
      lse.set(head * h.T + i, log_sum);

      std::fill(sums.begin(), sums.end(), 0.0);
      for (int64_t j = 0; j <= i; ++j) {
        double p = std::exp(s[j] - log_sum) * v.scales[first_key + j];
        if (v.bf16) p = round_to_bf16(static_cast<float>(p));
        for (int64_t c = 0; c < h.dim; ++c) sums[c] += p * v.codes[(first_key + j) * h.dim + c];
      }
      for (int64_t c = 0; c < h.dim; ++c) out.set((i * h.heads + head) * h.dim + c, sums[c]);
    }
  }
}

void attention_backward(Context& c, const HeadShape& h, const Operand& q_operand,
                        const Operand& k_operand, const Operand& v_operand, const Tensor& out,
                        const Tensor& lse, const Tensor& dout, Tensor& dq_tensor, Tensor& dk_tensor,
                        Tensor& dv_tensor) {
  const GradientRounding round(c, out.dtype());
  const Scores score(h, q_operand, k_operand);
  Matrix q = matrix(q_operand), k = matrix(k_operand), v = matrix(v_operand);
  for (Matrix* side : {&q, &k, &v}) {
    for (double& code : side->codes) code = round(code);
  }
  const double root = std::sqrt(static_cast<double>(h.dim));
  std::vector<double> dq(q.codes.size()), dk(k.codes.size()), dv(v.codes.size());
  std::vector<double> rounded_dout(static_cast<size_t>(h.dim));
  for (int64_t head = 0; head < h.heads; ++head) {
    const int64_t first_key = head / (h.heads / h.kv_heads) * h.T;
    for (int64_t i = 0; i < h.T; ++i) {
      const int64_t query = head * h.T + i;
      double delta = 0;
      for (int64_t e = 0; e < h.dim; ++e) {
        const int64_t at = (i * h.heads + head) * h.dim + e;
        delta += dout.at(at) * out.at(at);
        rounded_dout[e] = round(dout.at(at));
      }
      for (int64_t j = 0; j <= i; ++j) {
        const int64_t key = first_key + j;
        const double p = std::exp(score(query, key) - lse.at(query));
        const double dp = v.scales[key] * dot(rounded_dout.data(), &v.codes[key * h.dim], h.dim);
        const double ds = p * (dp - delta) / root;
        const double rounded_p = round(p);
        const double to_query = round(ds * k.scales[key]), to_key = round(ds * q.scales[query]);
        for (int64_t e = 0; e < h.dim; ++e) {
          dv[key * h.dim + e] += rounded_p * rounded_dout[e];
          dq[query * h.dim + e] += to_query * k.codes[key * h.dim + e];
          dk[key * h.dim + e] += to_key * q.codes[query * h.dim + e];
        }
      }
    }
  }
  store(dq, dq_tensor);
  store(dk, dk_tensor);
  store(dv, dv_tensor);
}

void attention_backward_merged(Context& c, const HeadShape& h, const Operand& q, const Operand& k,
                               const Operand& v, const Tensor& out, const Tensor& lse,
                               const Tensor& dout, const Tensor& rope, Tensor& dqkv) {
  Tensor dq = Tensor::empty(dqkv.dtype(), q.codes.shape());
  Tensor dk = Tensor::empty(dqkv.dtype(), k.codes.shape());
  Tensor dv = Tensor::empty(dqkv.dtype(), v.codes.shape());
  ref::attention_backward(c, h, q, k, v, out, lse, dout, dq, dk, dv);
  ref::merge_heads(c, h, dq, dk, dv, rope, dqkv);
}

}  // namespace bitlaw::ref
