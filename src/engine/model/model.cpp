// The layout of the parameters, their initial values, and the weights prepared for products.
#include "model/model.h"

#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "formats/rotation.h"
#include "model/activations.h"
#include "ops/rotate.h"

namespace bitlaw {
namespace {

// The residual stream starts as the embedding and every block adds about 0.5 to it: with entries of
// 1 (as muP has it) the stream says which token it is from the first step on. With 0.02 the blocks
// drown it, and a width of 64 after 1 M tokens is at 4.95 nats instead of 4.05, with half the
// best learning rate (docs/decisions/0002-learning-rate.md).
constexpr double kEmbeddingDeviation = 1;
// Small, so that the first logits are near zero: the loss starts at log V. A tied table has to be
// small for the same reason.
constexpr double kHeadDeviation = 0.02;

// Stream of a tensor's random numbers; for a layer's matrix it does not depend on the rest of the
// model.
constexpr uint64_t kInitialisationStream = uint64_t{0x696e6974} << 32;  // "init"
uint64_t stream_of_layer(int64_t l, Projection projection) {
  return kInitialisationStream + 8 * static_cast<uint64_t>(l + 1) +
         static_cast<uint64_t>(projection);
}
constexpr uint64_t kEmbeddingStream = kInitialisationStream,
                   kHeadStream = kInitialisationStream + 1;

void fill_normal(const Tensor& tensor, uint64_t seed, uint64_t stream, double deviation) {
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    // Rounded to FP32 first, so that an F64 model starts from the same numbers.
    const double draw = deviation * random_normal(seed, stream, static_cast<uint64_t>(i));
    tensor.set(i, static_cast<float>(draw));
  }
}

void fill_ones(const Tensor& tensor) {
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, 1);
}

Tensor slice(const Tensor& flat, const ParameterInfo& info) {
  return flat.rows(info.offset, info.offset + info.shape.elements()).view(info.shape);
}

Tensor copy_of(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  const Tensor copy = Tensor::empty(tensor.dtype(), tensor.shape());
  copy.copy_from(tensor);
  return copy;
}

}  // namespace

Model::Model(const ModelConfig& resolved, const Recipe& recipe)
    : config_(resolved), recipe_(recipe) {
  const ModelConfig& c = config_;
  const int64_t d = c.width, F = c.hidden, V = c.vocabulary;
  BITLAW_CHECK(c.kv_heads > 0 && F > 0 && V > 0);  // resolved

  int64_t offset = 0;
  auto add = [&](const std::string& name, Shape shape, bool quantized) {
    infos_.push_back({name, shape, offset, quantized, /*decayed=*/shape.rank() == 2});
    offset += (shape.elements() + 15) / 16 * 16;  // every tensor begins a cache line
    return static_cast<int>(infos_.size()) - 1;
  };

  embedding_ = add("model.embed_tokens.weight", {V, d}, false);
  for (int64_t l = 0; l < c.layers; ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    LayerIndex index;
    index.attention_norm = add(layer + "input_layernorm.weight", {d}, false);
    index.qkv = add(layer + "self_attn.qkv_proj.weight",
                    {(c.heads + 2 * c.kv_heads) * c.head_dim(), d}, true);
    index.output_norm = c.extra_norm ? add(layer + "self_attn.o_norm.weight", {d}, false) : -1;
    index.output = add(layer + "self_attn.o_proj.weight", {d, d}, true);
    index.ffn_norm = add(layer + "post_attention_layernorm.weight", {d}, false);
    index.gate_up = add(layer + "mlp.gate_up_proj.weight", {2 * F, d}, true);
    index.down_norm = c.extra_norm ? add(layer + "mlp.down_norm.weight", {F}, false) : -1;
    index.down = add(layer + "mlp.down_proj.weight", {d, F}, true);
    layers_.push_back(index);
  }
  final_norm_ = add("model.norm.weight", {d}, false);
  head_ = c.tied_head ? embedding_ : add("lm_head.weight", {V, d}, false);
  flat_elements_ = offset;

  rope_ = rope_table(c.sequence, c.head_dim(), c.rope_theta);
  weights_.resize(c.layers);
}

Parameters Model::make_parameters(DType dtype) const {
  Parameters parameters;
  parameters.flat = Tensor::zeros(dtype, {flat_elements_});
  for (const ParameterInfo& info : infos_)
    parameters.tensors.push_back(slice(parameters.flat, info));
  return parameters;
}

void Model::initialize(Parameters& parameters, uint64_t seed) const {
  const double d = static_cast<double>(config_.width), F = static_cast<double>(config_.hidden);
  // 2L blocks add to the residual stream: with 1/sqrt(2L) each, its variance does not grow with
  // depth.
  const double into_residual = 1 / std::sqrt(2.0 * static_cast<double>(config_.layers));
  const std::vector<Tensor>& tensor = parameters.tensors;

  for (const ParameterInfo& info : infos_) {
    if (info.shape.rank() == 1) fill_ones(tensor[&info - infos_.data()]);
  }
  const bool tied = head_ == embedding_;
  fill_normal(tensor[embedding_], seed, kEmbeddingStream,
              tied ? kHeadDeviation : kEmbeddingDeviation);
  if (!tied) fill_normal(tensor[head_], seed, kHeadStream, kHeadDeviation);
  for (int64_t l = 0; l < config_.layers; ++l) {
    const LayerIndex& index = layers_[l];
    fill_normal(tensor[index.qkv], seed, stream_of_layer(l, Projection::kQkv), 1 / std::sqrt(d));
    fill_normal(tensor[index.output], seed, stream_of_layer(l, Projection::kOutput),
                into_residual / std::sqrt(d));
    fill_normal(tensor[index.gate_up], seed, stream_of_layer(l, Projection::kGateUp),
                1 / std::sqrt(d));
    fill_normal(tensor[index.down], seed, stream_of_layer(l, Projection::kDown),
                into_residual / std::sqrt(F));
  }
}

void Model::prepare(Context& context, const Parameters& parameters, bool training, ThreadPool* pool,
                    std::vector<Context>* contexts) {
  const Rounding rounding = weights_rounding(recipe_);
  auto prepare_one = [&](int64_t index, Context& own) {  // the head first: it is the largest
    if (index == 0) {
      prepare_weight(own, head_rounding(recipe_), parameters.tensors[head_], training,
                     head_weight_);
      return;
    }
    const int64_t l = (index - 1) / kProjections;
    const Projection projection = static_cast<Projection>((index - 1) % kProjections);
    const Tensor& master = parameters.tensors[parameter_index(l, projection)];
    Weight& weight = weights_[l][static_cast<int>(projection)];
    const int64_t width = recipe_.projection_rotation(master.extent(1));
    if (width == 1) {
      prepare_weight(own, rounding, master, training, weight);
      return;
    }
    const Workspace::Scope scope(own.workspace);
    Tensor rotated = own.workspace.take(master.dtype(), master.shape());
    rotate(own, width, master, rotated);
    prepare_weight(own, rounding, rotated, training, weight);
  };
  const int64_t count = 1 + config_.layers * kProjections;
  if (pool == nullptr) {
    for (int64_t index = 0; index < count; ++index) prepare_one(index, context);
    return;
  }
  BITLAW_CHECK(contexts != nullptr && static_cast<int>(contexts->size()) >= pool->threads());
  pool->parallel_for(count,
                     [&](int64_t index, int worker) { prepare_one(index, (*contexts)[worker]); });
}

// So that pieces of a gradient have whole blocks of the rotation.
static_assert(Model::kFinishedTogether % kWidestRotation == 0);

void Model::finish_gradient(Context& context, size_t index, int64_t begin, Tensor& gradient) const {
  const RoleOptions& options = recipe_.weights.options;
  if (options.hadamard == 0 && !options.trust) return;
  const Weight* const weight = weight_of(index);
  if (weight == nullptr) return;
  const int64_t count = gradient.elements(), all = infos_[index].shape.elements();
  BITLAW_CHECK(begin % kFinishedTogether == 0 &&
               (begin + count == all || count % kFinishedTogether == 0));
  if (const Tensor& trusted = weight->operand.trusted; trusted.defined())
    keep_trusted(context, trusted.view({all}).rows(begin, begin + count), gradient);
  const int64_t width = recipe_.projection_rotation(infos_[index].shape[1]);
  if (width == 1) return;
  Tensor blocks = gradient.view({count / width, width});
  rotate(context, width, blocks, blocks);
}

void Model::finish_gradients(Context& context, Parameters& gradients) const {
  for (size_t index = 0; index < infos_.size(); ++index) {
    Tensor whole = gradients.tensors[index].view({infos_[index].shape.elements()});
    finish_gradient(context, index, 0, whole);
  }
}

const Weight* Model::weight_of(size_t index) const {
  for (int64_t l = 0; l < config_.layers; ++l) {
    for (int p = 0; p < kProjections; ++p) {
      if (parameter_index(l, Projection(p)) == static_cast<int>(index)) return &weights_[l][p];
    }
  }
  return nullptr;
}

int Model::parameter_index(int64_t layer, Projection projection) const {
  const LayerIndex& index = layers_[layer];
  switch (projection) {
    case Projection::kQkv:
      return index.qkv;
    case Projection::kOutput:
      return index.output;
    case Projection::kGateUp:
      return index.gate_up;
    case Projection::kDown:
      return index.down;
  }
  return -1;
}

void Model::replace_weight(Context& context, int64_t layer, Projection projection,
                           const Operand& operand) {
  BITLAW_CHECK(operand.codes.shape() == infos_[parameter_index(layer, projection)].shape);
  Weight& weight = weights_[layer][static_cast<int>(projection)];
  weight = {{copy_of(operand.codes), copy_of(operand.scales), operand.group}, nullptr};
  pack_weight(context, /*training=*/false, weight);
}

const Weight& Model::weight(int64_t layer, Projection projection) const {
  return weights_[layer][static_cast<int>(projection)];
}

}  // namespace bitlaw
