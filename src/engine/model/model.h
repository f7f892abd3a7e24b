// The decoder: parameters, one sequence forward, one sequence backward.
//
// A Model is read by many workers at once. Each worker has its own Activations and runs whole
// sequences through all layers, forward then backward, so that there is no barrier inside a step.
// Only a recipe with scales per batch has barriers, between the stages of forward_batch().
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/recipe.h"
#include "model/config.h"
#include "ops/attention.h"
#include "ops/linear.h"

namespace bitlaw {

class ThreadPool;

// One named matrix or vector inside the flat parameter vector.
struct ParameterInfo {
  // As in Hugging Face's LlamaForCausalLM; qkv_proj and gate_up_proj are fused
  // (model/checkpoint.h).
  std::string name;
  Shape shape;     // [out, in], [V, d] or [d]
  int64_t offset;  // in elements, from the beginning of the flat vector; a multiple of 16
  bool quantized;  // rounded by the recipe's weight quantizer: the layers' projections
  bool decayed;    // weight decay applies (to matrices, not to norms)
};

// All parameters (or gradients, or moments) in one flat F32 vector.
struct Parameters {
  Tensor flat;  // [total] F32 (F64 in gradient checks); gaps between tensors are zero
  std::vector<Tensor> tensors;  // views, in the order of Model::infos()
};

// The tensors of one layer in `Parameters::tensors`, by index.
struct LayerIndex {
  int attention_norm, qkv, output_norm /* -1 without extra_norm */, output, ffn_norm, gate_up,
      down_norm /* -1 without extra_norm */, down;
};

// The projections of one layer whose weights are quantized, in order of use:
// kQkv [(H + 2G) dim, d], rows of all queries, then keys, then values; kOutput [d, d];
// kGateUp [2F, d], rows of the gate, then up; kDown [d, F].
enum class Projection { kQkv, kOutput, kGateUp, kDown };
inline constexpr int kProjections = 4;

// Everything one worker keeps between the forward and the backward pass of one sequence.
struct Activations;

// One sequence of a batch that is taken through the model together.
struct BatchMember {
  std::span<const uint16_t> tokens;  // [T]
  Activations* activations;          // its own
};

class Model {
 public:
  Model(const ModelConfig& resolved, const Recipe& recipe);
  Model(Model&&) = default;
  Model(const Model&) = delete;  // a copy would share the packed weights

  const ModelConfig& config() const { return config_; }
  const Recipe& recipe() const { return recipe_; }
  const std::vector<ParameterInfo>& infos() const { return infos_; }
  const LayerIndex& layer(int64_t l) const { return layers_[l]; }
  int embedding() const { return embedding_; }
  int final_norm() const { return final_norm_; }
  int head() const { return head_; }                                // == embedding() when tied
  int parameter_index(int64_t layer, Projection projection) const;  // of a projection's matrix
  const Tensor& rope() const { return rope_; }  // [T, head_dim] F32, see rope_table

  Parameters make_parameters(DType dtype = DType::kF32) const;  // zeros; also for gradients
  // Normal initialisation, a pure function of (seed, tensor, element). Standard deviations:
  // 1/sqrt(in) for qkv and gate_up, 1/sqrt(2 L in) for output and down (they add to the residual
  // stream), 1 for the embedding, 0.02 for the output head and for a tied table. Norms are 1.
  void initialize(Parameters& parameters, uint64_t seed) const;

  // Rounds and packs every weight; call it once per optimizer step, before forward(). F64
  // parameters (gradient checks) need an fp32 recipe. With a pool, worker w uses (*contexts)[w];
  // without one, both may be null.
  void prepare(Context&, const Parameters& parameters, bool training, ThreadPool* pool = nullptr,
               std::vector<Context>* contexts = nullptr);
  // The second half of the backward pass of a rounded weight, once all sequences of a step are
  // added: what backward() leaves is the gradient of the rounded matrix. Where the recipe has
  // trusted gradients only, the others become zero; where weights are rotated, it is rotated back.
  // Otherwise nothing is to be done. `gradient` [count] holds the elements from `begin` on of
  // parameter `index`; `begin` and the end are multiples of kFinishedTogether, or the end of the
  // parameter.
  static constexpr int64_t kFinishedTogether = 1 << 16;
  void finish_gradient(Context&, size_t index, int64_t begin, Tensor& gradient) const;
  void finish_gradients(Context&, Parameters& gradients) const;  // all of them
  // Replaces one projection's weight by a copy of `operand` [out, in] (post-training quantization)
  // until the next prepare(). For forward passes only.
  void replace_weight(Context&, int64_t layer, Projection projection, const Operand& operand);
  const Weight& weight(int64_t layer, Projection projection) const;
  const Weight& head_weight() const { return head_weight_; }

  // Losses [T] in nats of `targets` given `tokens`, each with T = config().sequence entries. Fills
  // `activations`. Allocates nothing once the context's workspace has grown.
  void forward(Context&, const Parameters&, std::span<const uint16_t> tokens,
               std::span<const uint16_t> targets, Activations& activations, Tensor& losses) const;
  // The same, then the gradient of gradient_scale * sum(losses), which is added to `gradients` or,
  // if `fresh`, overwrites them. It is that of the rounded weights: see finish_gradient().
  void forward_backward(Context&, const Parameters&, std::span<const uint16_t> tokens,
                        std::span<const uint16_t> targets, double gradient_scale,
                        Activations& activations, Tensor& losses, Parameters& gradients,
                        bool fresh = false) const;

  // The two parts of forward_backward(), for batches that share scales (Granularity::kBatch). First
  // all members go through the model together: their activations are what forward() would fill if
  // their numbers were rows of one matrix wherever one scale is shared. The largest magnitudes are
  // exact, so the result does not depend on threads. The head is left to the caller: head_loss(),
  // or backward() for one member after another.
  using BatchTap = std::function<void(int64_t member, int64_t layer, Projection projection,
                                      const Tensor& input, const Rounding& rounding)>;
  void forward_batch(const Parameters&, std::span<const BatchMember> members, ThreadPool& pool,
                     std::vector<Context>& contexts, const BatchTap& tap = nullptr) const;
  void backward(Context&, const Parameters&, std::span<const uint16_t> tokens,
                std::span<const uint16_t> targets, double gradient_scale, Activations& activations,
                Tensor& losses, Parameters& gradients, bool fresh = false) const;

  // forward() that calls tap(layer, projection, input) with the FP32 input [T, in] of each
  // projection before it is rounded (calibration).
  using InputTap = std::function<void(int64_t layer, Projection projection, const Tensor& input)>;
  void forward_tapped(Context&, const Parameters&, std::span<const uint16_t> tokens,
                      std::span<const uint16_t> targets, Activations&, Tensor& losses,
                      const InputTap& tap) const;

 private:
  const Weight* weight_of(size_t index) const;  // of a parameter; null if it is not quantized

  ModelConfig config_;
  Recipe recipe_;
  std::vector<ParameterInfo> infos_;
  std::vector<LayerIndex> layers_;
  int embedding_ = 0, final_norm_ = 0, head_ = 0;
  int64_t flat_elements_ = 0;
  Tensor rope_;                                            // [T, head_dim] F32
  std::vector<std::array<Weight, kProjections>> weights_;  // [layer][projection]
  Weight head_weight_;
};

struct ActivationsDeleter {
  void operator()(Activations*) const;
};
using ActivationsPtr = std::unique_ptr<Activations, ActivationsDeleter>;
// With `training`, keeps what the backward pass needs of every layer; otherwise all layers share
// one set, for forward() only. What only gradients need is kept in `gradient_dtype`, which is that
// of the contexts. `dtype` is F64 for gradient checks.
ActivationsPtr make_activations(const Model& model, bool training,
                                DType gradient_dtype = DType::kBF16, DType dtype = DType::kF32);
// Exactly what make_activations allocates.
size_t activations_bytes(const Model& model, bool training, DType gradient_dtype = DType::kBF16);

}  // namespace bitlaw
