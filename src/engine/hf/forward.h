// The forward pass of a foreign checkpoint, layer by layer, in FP32:
//
//   x        = embedding[tokens]
//   a(x)     = W_o attention(turn(W_q n(x)), turn(W_k n(x)), W_v n(x))
//   f(x)     = W_down (act(W_gate m(x)) * W_up m(x))           or W_down act(W_up m(x))
//   layer:     x + a(x), then + f(.)                           or x + a(x) + f(x)   (parallel)
//   logits   = W_head norm(x)
//
// n and m are norms; with norm_after they stand around a and f instead. The states x of all windows
// of text wait while one layer after the other passes over them, so that the weights of one layer are
// all that is in memory. A window is computed by one thread: results do not depend on their number.
//
// The products' sums and everything else are in FP32, except the sums of norms and of softmax, which
// are in double. Subnormal numbers count as zero.
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

// The weights of one layer. Tensors are shared by copies of it, so that a quantized variant is a copy
// in which some weights were replaced.
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

// Error that names the first token outside of the vocabulary.
void require_tokens(const Architecture& architecture, std::span<const int32_t> tokens);

// Error for windows of T tokens where the checkpoint was made for fewer.
void require_sequence(const Architecture& architecture, int64_t T);

// What is rounded beside the weights: the inputs of the layers' matrices, and keys and values after
// the rotation. FP32 leaves them as they are.
struct StateRounding {
  Quantizer activations = {fp32_format(), Granularity::kTensor, 0};
  Quantizer keys = {fp32_format(), Granularity::kTensor, 0};
  Quantizer values = {fp32_format(), Granularity::kTensor, 0};
  bool operator==(const StateRounding&) const = default;
};

// Called on the thread that computes the window, with the input [T, in] of a layer's matrices as they
// are multiplied with it.
using InputTap = std::function<void(int64_t window, Input input, const Tensor& x)>;

struct Scratch;

class Forward {
 public:
  // For windows of T tokens. Error where T is above what the architecture was made for,
  // unless its rotation adapts to the length (dynamic). `backend`
  // computes the products: kReferenceBackend sums them in double.
  Forward(const Architecture& architecture, int64_t T, ThreadPool& pool,
          const Backend* backend = &kCpuBackend);
  ~Forward();
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;

  int64_t T() const { return T_; }

  // States [windows T, d] F32 of tokens [windows T]. Error for a token outside of the vocabulary.
  Tensor embed(const Weights& weights, std::span<const int32_t> tokens) const;

  // Takes states [windows T, d] through layer l, in place.
  void run(int64_t l, const Layer& layer, const StateRounding& rounding, Tensor& states,
           const InputTap& tap = {});

  // Logits [rows, V] F32 of any rows of states, on the calling thread; `worker` as the pool numbers
  // them.
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
