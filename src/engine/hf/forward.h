// The forward pass of a third-party checkpoint, layer by layer, in FP32:
//
//   x        = embedding[tokens]
//   a(x)     = W_o attention(rope(W_q n(x)), rope(W_k n(x)), W_v n(x))
//   f(x)     = W_down (act(W_gate m(x)) * W_up m(x))           or W_down act(W_up m(x))
//   layer:     x + a(x), then + f(.)                           or x + a(x) + f(x)   (parallel)
//   logits   = W_head norm(x)
//
// n and m are norms; with norm_after they are applied to the results of a and f instead. The states
// x of all windows of text are kept while one layer after the other is applied to them, so that
// only one layer's weights are in memory. A window is computed by one thread, so results do not
// depend on their number.
//
// Everything is in FP32, including the sums of products, except the sums of norms and softmax,
// which are in double. Subnormal numbers count as zero.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "formats/quantizer.h"
#include "hf/weights.h"
#include "ops/context.h"
#include "tensor/tensor.h"

namespace bitlaw::hf {

struct Matrix {
  MatrixSpec spec;
  Tensor weight;  // [out, in] F32
  Tensor bias;    // [out] F32, or undefined
};

struct NormWeights {
  Tensor weight, bias;  // [width] F32, each may be undefined
};

// The weights of one layer. Copies share tensors, so a quantized variant is a copy with some
// weights replaced.
struct Layer {
  std::vector<Matrix> matrices;  // in the order of LayerSpec
  NormWeights attention_norm, ffn_norm, query_norm, key_norm;
};
Layer load_layer(const Weights& weights, int64_t l);

struct Head {
  NormWeights norm;  // the final one
  Tensor weight;     // [V, d] F32
};
Head load_head(const Weights& weights);

// Error, naming the first token that is outside the vocabulary, if there is one.
void require_tokens(const Architecture& architecture, std::span<const int32_t> tokens);

// Error if the checkpoint was made for windows of fewer than T tokens.
void require_sequence(const Architecture& architecture, int64_t T);

// Rounding of everything but weights: the inputs of the layers' matrices, and keys and values after
// the rotation. FP32 means no rounding.
struct StateRounding {
  Quantizer activations = {fp32_format(), Granularity::kTensor, 0};
  Quantizer keys = {fp32_format(), Granularity::kTensor, 0};
  Quantizer values = {fp32_format(), Granularity::kTensor, 0};
  bool operator==(const StateRounding&) const = default;
};

// Called on the thread that computes the window, with the input [T, in] of a layer's matrices, as
// it is multiplied.
using InputTap = std::function<void(int64_t window, Input input, const Tensor& x)>;

struct Scratch;

class Forward {
 public:
  // For windows of T tokens. Error if T exceeds the architecture's context, unless its rotation
  // adapts to the length (dynamic). `backend` computes the products; kReferenceBackend sums them in
  // double.
  Forward(const Architecture& architecture, int64_t T, ThreadPool& pool,
          const Backend* backend = &kCpuBackend);
  ~Forward();
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;

  int64_t T() const { return T_; }

  // States [windows T, d] F32 of tokens [windows T]. Error for a token outside the vocabulary.
  Tensor embed(const Weights& weights, std::span<const int32_t> tokens) const;

  // Applies layer l to states [windows T, d], in place.
  void run(int64_t l, const Layer& layer, const StateRounding& rounding, Tensor& states,
           const InputTap& tap = {});

  // Logits [rows, V] F32 of any rows of states, on the calling thread; `worker` is its number in
  // the pool.
  Tensor logits(const Head& head, const Tensor& states, int worker = 0);

 private:
  Scratch& scratch(int worker);

  const Architecture architecture_;
  const int64_t T_;
  ThreadPool& pool_;
  const Backend* const backend_;
  Tensor rope_;                                    // [T, rotary.dim] F32
  std::vector<std::unique_ptr<Scratch>> scratch_;  // by worker
};

}  // namespace bitlaw::hf
