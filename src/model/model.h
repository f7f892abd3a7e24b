// The decoder: parameters, one sequence forward, one sequence backward.
//
// A Model is read by many workers at once; each worker has an Activations of its own and runs whole
// sequences through all layers, forward then backward, so that no barrier stands inside a step.
#pragma once

#include <cstdint>
#include <functional>
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
  std::string name;  // as in Hugging Face's LlamaForCausalLM; fused ones: see model/checkpoint.h
  Shape shape;       // [out, in], [V, d] or [d]
  int64_t offset;    // in elements, from the beginning of the flat vector; a multiple of 16
  bool quantized;    // rounded by the recipe's weight quantizer: the layers' projections
  bool decayed;      // weight decay applies: matrices yes, norms no
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

// The projections of one layer whose weights are quantized, in order of use.
enum class Projection { kQkv, kOutput, kGateUp, kDown };

// Everything one worker keeps between the forward and the backward pass of one sequence.
struct Activations;

class Model {
 public:
  Model(const ModelConfig& resolved, const Recipe& recipe);

  const ModelConfig& config() const { return config_; }
  const Recipe& recipe() const { return recipe_; }
  const std::vector<ParameterInfo>& infos() const { return infos_; }
  const LayerIndex& layer(int64_t l) const { return layers_[l]; }
  int embedding() const { return embedding_; }
  int final_norm() const { return final_norm_; }
  int head() const { return head_; }  // == embedding() when tied

  Parameters make_parameters(DType dtype = DType::kF32) const;  // zeros; also for gradients
  // Truncated-free normal initialisation, a pure function of (seed, tensor, element): standard deviation
  // 1/sqrt(in) for projections, output and down projections times 1/sqrt(2 L); embeddings 0.02... documented in the .cpp.
  void initialize(Parameters& parameters, uint64_t seed) const;

  // Rounds and packs every weight: once per optimizer step. `pool` may be null.
  void prepare(Context&, const Parameters& parameters, bool training, ThreadPool* pool, std::vector<Context>* contexts);
  // Replaces one projection's weight by an operand made elsewhere (post-training quantization).
  void replace_weight(Context&, int64_t layer, Projection projection, const Operand& operand);
  const Weight& weight(int64_t layer, Projection projection) const;

  // Losses [T] in nats of targets given tokens. Fills `activations`.
  void forward(Context&, const Parameters&, std::span<const uint16_t> tokens, std::span<const uint16_t> targets,
               Activations& activations, Tensor& losses) const;
  // The same, then the gradient of gradient_scale * sum(losses), added into `gradients`.
  void forward_backward(Context&, const Parameters&, std::span<const uint16_t> tokens,
                        std::span<const uint16_t> targets, double gradient_scale, Activations& activations,
                        Tensor& losses, Parameters& gradients) const;

  // Called by forward() with the FP32 input [T, in] of each projection, before it is rounded (calibration). May be empty.
  using InputTap = std::function<void(int64_t layer, Projection projection, const Tensor& input)>;
  void forward_tapped(Context&, const Parameters&, std::span<const uint16_t> tokens,
                      std::span<const uint16_t> targets, Activations&, Tensor& losses, const InputTap& tap) const;

 private:
  ModelConfig config_;
  Recipe recipe_;
  std::vector<ParameterInfo> infos_;
  std::vector<LayerIndex> layers_;
  int embedding_ = 0, final_norm_ = 0, head_ = 0;
  Tensor rope_;
  std::vector<std::vector<Weight>> weights_;  // [layer][projection]
  Weight head_weight_;
};

struct ActivationsDeleter {
  void operator()(Activations*) const;
};
using ActivationsPtr = std::unique_ptr<Activations, ActivationsDeleter>;
ActivationsPtr make_activations(const Model& model, bool training, DType dtype = DType::kF32);
size_t activations_bytes(const Model& model, bool training);

}  // namespace bitlaw
