#include "hf/pointwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/cpu/onednn.h"

namespace bitlaw::hf {
namespace {

constexpr int64_t kQueryBlock = 64;  // queries whose scores are computed at once

float silu(float z) {
  return z / (1 + std::exp(-z));
}

// z times the normal distribution function; erfc keeps the digits of its lower tail.
float gelu(float z) {
  return 0.5f * z * std::erfc(-z * std::numbers::sqrt2_v<float> / 2);
}

float gelu_tanh(float z) {
  constexpr float kScale = 0.7978845608028654f;  // sqrt(2 / pi)
  return 0.5f * z * (1 + std::tanh(kScale * (z + 0.044715f * z * z * z)));
}

template <float (*act)(float)>
void activate_all(int64_t count, const float* gate, float* y) {
  if (gate == nullptr) {
    for (int64_t i = 0; i < count; ++i) y[i] = act(y[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] *= act(gate[i]);
  }
}

// Scores of one query to probabilities, in place; outside [first, last] they become 0.
void softmax_row(float* scores, int64_t count, int64_t first, int64_t last, float scale) {
  float largest = scores[first] * scale;
  for (int64_t j = first; j <= last; ++j) {
    scores[j] *= scale;
    largest = std::max(largest, scores[j]);
  }
  double sum = 0;
  for (int64_t j = first; j <= last; ++j) {
    scores[j] = std::exp(scores[j] - largest);
    sum += scores[j];
  }
  const auto share = static_cast<float>(1 / sum);
  for (int64_t j = first; j <= last; ++j) scores[j] *= share;
  std::fill(scores, scores + first, 0.0f);
  std::fill(scores + last + 1, scores + count, 0.0f);
}

}  // namespace

void normalize(Norm kind, double epsilon, int64_t rows, int64_t width, const float* x,
               const float* weight, const float* bias, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    double sum = 0, squares = 0;
    if (kind == Norm::kLayer) {
      for (int64_t c = 0; c < width; ++c) sum += x[c];
    }
    const double mean = sum / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) squares += (x[c] - mean) * (x[c] - mean);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
    for (int64_t c = 0; c < width; ++c) {
      const double normed = (x[c] - mean) * scale;
      y[c] = static_cast<float>(normed * (weight ? weight[c] : 1.0f) + (bias ? bias[c] : 0.0f));
    }
  }
}

void activate(Activation activation, int64_t count, const float* gate, float* y) {
  switch (activation) {
    case Activation::kSilu:
      return activate_all<silu>(count, gate, y);
    case Activation::kGelu:
      return activate_all<gelu>(count, gate, y);
    case Activation::kGeluTanh:
      return activate_all<gelu_tanh>(count, gate, y);
  }
}

void add_bias(int64_t rows, int64_t width, const float* bias, float* x) {
  for (int64_t r = 0; r < rows; ++r, x += width) {
    for (int64_t c = 0; c < width; ++c) x[c] += bias[c];
  }
}

void copy_heads(const HeadCopy& s, const float* x, const float* rope, float* out) {
  const int64_t half = s.turned / 2;
  for (int64_t h = 0; h < s.heads; ++h) {
    for (int64_t t = 0; t < s.T; ++t, out += s.dim) {
      const float* const from = x + t * s.stride + s.offset + h * s.step;
      const float *const cosines = rope + t * s.turned, *const sines = cosines + half;
      for (int64_t i = 0; i < half; ++i) {
        out[i] = from[i] * cosines[i] - from[half + i] * sines[i];
        out[half + i] = from[half + i] * cosines[i] + from[i] * sines[i];
      }
      std::copy(from + s.turned, from + s.dim, out + s.turned);
    }
  }
}

int64_t attention_scratch(const AttentionShape& shape) {
  return kQueryBlock * shape.T;
}

void causal_attention(const AttentionShape& s, const float* q, const float* k, const float* v,
                      float* out, float* scratch) {
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(s.dim)));
  const int64_t ld = s.heads * s.dim, share = s.heads / s.kv_heads;
  for (int64_t h = 0; h < s.heads; ++h) {
    const float* const queries = q + h * s.T * s.dim;
    const float* const keys = k + h / share * s.T * s.dim;
    const float* const values = v + h / share * s.T * s.dim;
    for (int64_t begin = 0; begin < s.T; begin += kQueryBlock) {
      const int64_t end = std::min(begin + kQueryBlock, s.T), rows = end - begin;
      // Keys first .. end - 1 are seen by one of these queries at least.
      const int64_t first = s.window == 0 ? 0 : std::max<int64_t>(0, begin - s.window + 1);
      const int64_t seen = end - first;
      cpu::onednn::multiply({.dtype = DType::kF32,
                             .M = rows,
                             .N = seen,
                             .K = s.dim,
                             .lda = s.dim,
                             .ldb = s.dim,
                             .ldc = seen,
                             .b_transposed = true},
                            queries + begin * s.dim, keys + first * s.dim, scratch);
      for (int64_t t = begin; t < end; ++t) {
        const int64_t own = s.window == 0 ? 0 : std::max<int64_t>(0, t - s.window + 1);
        softmax_row(scratch + (t - begin) * seen, seen, own - first, t - first, scale);
      }
      cpu::onednn::multiply({.dtype = DType::kF32,
                             .M = rows,
                             .N = s.dim,
                             .K = seen,
                             .lda = seen,
                             .ldb = s.dim,
                             .ldc = ld},
                            scratch, values + first * s.dim, out + begin * ld + h * s.dim);
    }
  }
}

}  // namespace bitlaw::hf
