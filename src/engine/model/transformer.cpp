// One sequence through the decoder, forward and backward, with every rounding point visible.
//
//   x_0    = embedding[tokens]                                       FP32, not rounded
//   q k v  = rope(W_qkv Q(norm(x_2l)))                               v not rotated
//   x_2l+1 = x_2l   + W_o    Q(norm?( attention(Q(q), Q(k), Q(v)) ))
//   x_2l+2 = x_2l+1 + W_down Q(norm?( swiglu(W_gate_up Q(norm(x_2l+1))) ))
//   loss   = cross_entropy( W_head B(norm(x_2L)) )
//
// Q rounds by the recipe's role, B to BF16, norm? applies with extra_norm; the W are rounded once
// per optimizer step (Model::prepare). The x and everything else that is not a product's operand
// stay FP32. In the backward pass, gradients pass straight through every Q and B: the gradient of a
// product is taken at the rounded operands, and the gradient of Q(y) is passed to y unchanged.
//
// docs/numerics.md lists the roundings inside the ops.
#include "base/error.h"
#include "model/activations.h"
#include "ops/embed.h"
#include "ops/glu.h"
#include "ops/loss.h"
#include "ops/norm.h"

namespace bitlaw {
namespace {

using Tokens = std::span<const uint16_t>;

class Pass {  // of one sequence
 public:
  Pass(Context& context, const Model& model, const Parameters& parameters, Activations& activations)
      : context_(context),
        model_(model),
        config_(model.config()),
        recipe_(model.recipe()),
        parameters_(parameters),
        act_(activations),
        scratch_(activations.scratch),
        heads_{config_.sequence, config_.heads, config_.kv_heads, config_.head_dim()},
        activation_rounding_(rounding_of(recipe_.activations, Role::kActivations)),
        query_rounding_(rounding_of(recipe_.queries, Role::kQueries, config_.heads)),
        key_rounding_(rounding_of(recipe_.keys, Role::kKeys, config_.kv_heads)),
        value_rounding_(rounding_of(recipe_.values, Role::kValues, config_.kv_heads)) {}

  // Everything up to the input of the output head.
  void forward(Tokens tokens, const Model::InputTap& tap) {
    embed(context_, tokens, parameters_.tensors[model_.embedding()], act_.residual[0]);
    for (int64_t l = 0; l < config_.layers; ++l) {
      attention_block(l, tap);
      ffn_block(l, tap);
    }
    norm(act_.residual.back(), model_.final_norm(), scratch_.normed, act_.final_rstd);
    quantize(context_, head_rounding(recipe_), scratch_.normed, act_.head_input);
  }

  // scratch_.normed holds the gradient of the final norm's output (from the head).
  void backward(Tokens tokens, Parameters& gradients, bool fresh) {
    fresh_ = fresh;
    norm_backward(scratch_.normed, act_.residual.back(), model_.final_norm(), act_.final_rstd,
                  false, scratch_.residual, gradients);
    for (int64_t l = config_.layers - 1; l >= 0; --l) {
      ffn_block_backward(l, gradients);
      attention_block_backward(l, gradients);
    }
    embed_backward(context_, tokens, scratch_.residual, gradients.tensors[model_.embedding()]);
  }

 private:
  void attention_block(int64_t l, const Model::InputTap& tap) {
    const LayerIndex& index = model_.layer(l);
    LayerActivations& a = act_.layers[l];
    const Tensor& x = act_.residual[2 * l];

    norm(x, index.attention_norm, scratch_.normed, a.attention_rstd);
    round_input(l, Projection::kQkv, scratch_.normed, a.attention_input, tap);
    linear_forward(context_, a.attention_input, model_.weight(l, Projection::kQkv), false,
                   scratch_.qkv);

    split_heads(context_, heads_, scratch_.qkv, act_.rope, scratch_.q, scratch_.k, scratch_.v);
    quantize(context_, query_rounding_, scratch_.q, a.queries);
    quantize(context_, key_rounding_, scratch_.k, a.keys);
    quantize(context_, value_rounding_, scratch_.v, a.values);
    attention(context_, heads_, a.queries, a.keys, a.values, a.attended, a.lse);

    const bool extra = config_.extra_norm;
    if (extra) norm(a.attended, index.output_norm, scratch_.normed, a.output_rstd);
    round_input(l, Projection::kOutput, extra ? scratch_.normed : a.attended, a.output_input, tap);
    linear_forward_add(context_, x, a.output_input, model_.weight(l, Projection::kOutput),
                       act_.residual[2 * l + 1]);
  }

  void ffn_block(int64_t l, const Model::InputTap& tap) {
    const LayerIndex& index = model_.layer(l);
    LayerActivations& a = act_.layers[l];
    const Tensor& x = act_.residual[2 * l + 1];

    norm(x, index.ffn_norm, scratch_.normed, a.ffn_rstd);
    round_input(l, Projection::kGateUp, scratch_.normed, a.ffn_input, tap);
    glu_forward(context_, a.ffn_input, model_.weight(l, Projection::kGateUp), a.gate_up, a.hidden);

    const bool extra = config_.extra_norm;
    if (extra) norm(a.hidden, index.down_norm, scratch_.hidden_normed, a.down_rstd);
    round_input(l, Projection::kDown, extra ? scratch_.hidden_normed : a.hidden, a.down_input, tap);
    linear_forward_add(context_, x, a.down_input, model_.weight(l, Projection::kDown),
                       act_.residual[2 * l + 2]);
  }

  // In both backward blocks `dx` is the gradient of the block's output; the block adds to it what
  // comes through its products, which makes it the gradient of the block's input.

  void ffn_block_backward(int64_t l, Parameters& gradients) {
    const LayerIndex& index = model_.layer(l);
    LayerActivations& a = act_.layers[l];
    Tensor& dx = scratch_.residual;

    Tensor& into_down = config_.extra_norm ? scratch_.hidden_normed : scratch_.hidden;
    product_backward(dx, a.down_input, l, Projection::kDown, into_down, gradients);
    if (config_.extra_norm) {
      norm_backward(into_down, a.hidden, index.down_norm, a.down_rstd, false, scratch_.hidden,
                    gradients);
    }
    glu_backward(context_, scratch_.hidden, a.gate_up, a.ffn_input,
                 model_.weight(l, Projection::kGateUp), scratch_.normed,
                 {&gradients.tensors[index.gate_up], fresh_});
    norm_backward(scratch_.normed, act_.residual[2 * l + 1], index.ffn_norm, a.ffn_rstd, true, dx,
                  gradients);
  }

  void attention_block_backward(int64_t l, Parameters& gradients) {
    const LayerIndex& index = model_.layer(l);
    const LayerActivations& a = act_.layers[l];
    Tensor& dx = scratch_.residual;

    Tensor& into_output = config_.extra_norm ? scratch_.normed : scratch_.attended;
    product_backward(dx, a.output_input, l, Projection::kOutput, into_output, gradients);
    if (config_.extra_norm) {
      norm_backward(into_output, a.attended, index.output_norm, a.output_rstd, false,
                    scratch_.attended, gradients);
    }
    attention_backward_merged(context_, heads_, a.queries, a.keys, a.values, a.attended, a.lse,
                              scratch_.attended, act_.rope, scratch_.qkv);

    product_backward(scratch_.qkv, a.attention_input, l, Projection::kQkv, scratch_.normed,
                     gradients);
    norm_backward(scratch_.normed, act_.residual[2 * l], index.attention_norm, a.attention_rstd,
                  true, dx, gradients);
  }

  void norm(const Tensor& x, int weight, Tensor& y, Tensor& rstd) {
    rms_norm(context_, x, parameters_.tensors[weight], config_.norm_epsilon, y, rstd);
  }

  void norm_backward(const Tensor& dy, const Tensor& x, int weight, const Tensor& rstd,
                     bool accumulate, Tensor& dx, Parameters& gradients) {
    rms_norm_backward(context_, dy, x, parameters_.tensors[weight], rstd, accumulate, dx,
                      gradients.tensors[weight]);
  }

  void round_input(int64_t l, Projection projection, const Tensor& input, Operand& rounded,
                   const Model::InputTap& tap) {
    if (tap) tap(l, projection, input);
    quantize(context_, activation_rounding_, input, rounded);
  }

  void product_backward(const Tensor& dy, const Operand& input, int64_t l, Projection projection,
                        Tensor& dinput, Parameters& gradients) {
    Tensor& dw = gradients.tensors[model_.parameter_index(l, projection)];
    linear_backward(context_, dy, input, model_.weight(l, projection), false, &dinput,
                    {&dw, fresh_});
  }

  Context& context_;
  const Model& model_;
  const ModelConfig& config_;
  const Recipe& recipe_;
  const Parameters& parameters_;
  Activations& act_;
  Scratch& scratch_;
  HeadShape heads_;
  bool fresh_ = false;  // of the gradients, in the backward pass
  Rounding activation_rounding_, query_rounding_, key_rounding_, value_rounding_;
};

void check_sequence(const ModelConfig& config, Tokens tokens, Tokens targets,
                    const Tensor& losses) {
  BITLAW_CHECK(static_cast<int64_t>(tokens.size()) == config.sequence);
  BITLAW_CHECK(targets.size() == tokens.size());
  BITLAW_CHECK(losses.shape() == Shape{config.sequence});
}

}  // namespace

void Model::forward_tapped(Context& context, const Parameters& parameters, Tokens tokens,
                           Tokens targets, Activations& activations, Tensor& losses,
                           const InputTap& tap) const {
  check_sequence(config_, tokens, targets, losses);
  Pass(context, *this, parameters, activations).forward(tokens, tap);
  head_loss(context, activations.head_input, head_weight_, targets, losses);
}

void Model::forward(Context& context, const Parameters& parameters, Tokens tokens, Tokens targets,
                    Activations& activations, Tensor& losses) const {
  forward_tapped(context, parameters, tokens, targets, activations, losses, nullptr);
}

void Model::forward_backward(Context& context, const Parameters& parameters, Tokens tokens,
                             Tokens targets, double gradient_scale, Activations& activations,
                             Tensor& losses, Parameters& gradients, bool fresh) const {
  check_sequence(config_, tokens, targets, losses);
  BITLAW_CHECK(activations.training);
  if (fresh) {  // the gradients of matrices are written before they are added to; these are not
    for (size_t i = 0; i < infos_.size(); ++i) {
      if (infos_[i].shape.rank() == 1 || static_cast<int>(i) == embedding_)
        gradients.tensors[i].fill_zero();
    }
  }
  Pass pass(context, *this, parameters, activations);
  pass.forward(tokens, nullptr);
  head_loss_backward(context, activations.head_input, head_weight_, targets, gradient_scale, losses,
                     activations.scratch.normed, {&gradients.tensors[head_], fresh});
  pass.backward(tokens, gradients, fresh);
}

}  // namespace bitlaw
