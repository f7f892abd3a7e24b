// One sequence through the decoder, forward and backward, with every rounding point visible.
//
//   x_0    = embedding[tokens]                                       FP32, not rounded
//   q k v  = rope(W_qkv Q(norm(x_2l)))                               v not rotated
//   x_2l+1 = x_2l   + W_o    Q(norm?( attention(Q(q), Q(k), Q(v)) ))
//   x_2l+2 = x_2l+1 + W_down Q(norm?( swiglu(W_gate_up Q(norm(x_2l+1))) ))
//   loss   = cross_entropy( W_head B(norm(x_2L)) )
//
// Q rounds by the recipe's role, B to BF16, norm? applies with extra_norm; the W are rounded once
// per optimizer step (Model::prepare). Where the recipe rotates a product, both of its operands are
// rotated before Q, and the gradients of both are rotated back (those of W once per step,
// Model::finish_gradient); with trusted gradients only, those of entries that Q cut off are zero.
// Where a role has a scale per batch, the sequences of a batch take each stage together and share
// the largest magnitude of what comes next. The x and everything else that is not a product's
// operand stay FP32. In the backward pass, gradients pass straight through every Q and B: the
// gradient of a product is taken at the rounded operands, and the gradient of Q(y) is passed to y
// unchanged.
//
// docs/numerics.md lists the roundings inside the ops.
#include <algorithm>
#include <array>
#include <functional>

#include "base/error.h"
#include "base/float_mode.h"
#include "base/parallel.h"
#include "base/stop.h"
#include "model/activations.h"
#include "ops/embed.h"
#include "ops/glu.h"
#include "ops/loss.h"
#include "ops/norm.h"
#include "ops/rotate.h"

namespace bitlaw {
namespace {

using Tokens = std::span<const uint16_t>;

// Sees the input of a projection, and how it will be rounded.
using Tap = std::function<void(int64_t layer, Projection, const Tensor& input, const Rounding&)>;

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
        inputs_(recipe_.activations, inputs_rounding(recipe_, activations.training)),
        queries_(recipe_.queries, rounding_of(recipe_.queries, Role::kQueries, config_.heads)),
        keys_(recipe_.keys, rounding_of(recipe_.keys, Role::kKeys, config_.kv_heads)),
        values_(recipe_.values, rounding_of(recipe_.values, Role::kValues, config_.kv_heads)) {}

  // Everything up to the input of the output head is kStages stages for each layer. A stage ends
  // with the numbers that the next one rounds: in between, a batch agrees on their scales.
  static constexpr int kStages = 6;

  void forward(Tokens tokens, const Tap& tap) {
    for (int64_t l = 0; l < config_.layers; ++l) {
      for (int stage = 0; stage < kStages; ++stage) run(l, stage, tokens, tap);
    }
  }

  void run(int64_t l, int stage, Tokens tokens, const Tap& tap) {
    end_if_stop_requested();
    switch (stage) {
      case 0:
        if (l == 0) embed(context_, tokens, parameters_.tensors[model_.embedding()], x(0));
        return attention_norm(l);
      case 1:
        return queries_keys_values(l, tap);
      case 2:
        return attend(l);
      case 3:
        return add_attended(l, tap);
      case 4:
        return gate_and_up(l, tap);
      case 5:
        add_hidden(l, tap);
        if (l + 1 == config_.layers) final_norm();
    }
  }

  // scratch_.normed holds the gradient of the final norm's output (from the head).
  void backward(Tokens tokens, Parameters& gradients, bool fresh) {
    fresh_ = fresh;
    norm_backward(scratch_.normed, act_.residual.back(), model_.final_norm(), act_.final_rstd,
                  false, scratch_.residual, gradients);
    for (int64_t l = config_.layers - 1; l >= 0; --l) {
      end_if_stop_requested();
      ffn_block_backward(l, gradients);
      end_if_stop_requested();
      attention_block_backward(l, gradients);
    }
    embed_backward(context_, tokens, scratch_.residual, gradients.tensors[model_.embedding()]);
  }

 private:
  struct RoundedRole {
    RoundedRole(const Quantizer& quantizer, const Rounding& rounding)
        : rounding(rounding), per_batch(quantizer.granularity == Granularity::kBatch) {}
    Rounding rounding;
    bool per_batch;
  };

  Tensor& x(int64_t i) { return act_.residual[i]; }

  void attention_norm(int64_t l) {
    LayerActivations& a = act_.layers[l];
    norm(x(2 * l), model_.layer(l).attention_norm, scratch_.normed, a.attention_rstd);
    will_round_input(Projection::kQkv, scratch_.normed);
  }

  void queries_keys_values(int64_t l, const Tap& tap) {
    LayerActivations& a = act_.layers[l];
    round_input(l, Projection::kQkv, scratch_.normed, a.attention_input, tap);
    linear_forward(context_, a.attention_input, model_.weight(l, Projection::kQkv), false,
                   scratch_.qkv);
    split_heads(context_, heads_, scratch_.qkv, act_.rope, scratch_.q, scratch_.k, scratch_.v);
    rotate_heads();
    will_round(kQueriesScale, queries_, scratch_.q);
    will_round(kKeysScale, keys_, scratch_.k);
    will_round(kValuesScale, values_, scratch_.v);
  }

  void attend(int64_t l) {
    LayerActivations& a = act_.layers[l];
    quantize(context_, rounding(kQueriesScale, queries_), scratch_.q, a.queries);
    quantize(context_, rounding(kKeysScale, keys_), scratch_.k, a.keys);
    quantize(context_, rounding(kValuesScale, values_), scratch_.v, a.values);
    attention(context_, heads_, a.queries, a.keys, a.values, a.attended, a.lse);
    if (config_.extra_norm)
      norm(a.attended, model_.layer(l).output_norm, scratch_.normed, a.output_rstd);
    will_round_input(Projection::kOutput, into_output(l));
  }

  void add_attended(int64_t l, const Tap& tap) {
    LayerActivations& a = act_.layers[l];
    round_input(l, Projection::kOutput, into_output(l), a.output_input, tap);
    linear_forward_add(context_, x(2 * l), a.output_input, model_.weight(l, Projection::kOutput),
                       x(2 * l + 1));
    norm(x(2 * l + 1), model_.layer(l).ffn_norm, scratch_.normed, a.ffn_rstd);
    will_round_input(Projection::kGateUp, scratch_.normed);
  }

  void gate_and_up(int64_t l, const Tap& tap) {
    LayerActivations& a = act_.layers[l];
    round_input(l, Projection::kGateUp, scratch_.normed, a.ffn_input, tap);
    glu_forward(context_, a.ffn_input, model_.weight(l, Projection::kGateUp), a.gate_up, a.hidden);
    if (config_.extra_norm)
      norm(a.hidden, model_.layer(l).down_norm, scratch_.hidden_normed, a.down_rstd);
    will_round_input(Projection::kDown, into_down(l));
  }

  void add_hidden(int64_t l, const Tap& tap) {
    LayerActivations& a = act_.layers[l];
    round_input(l, Projection::kDown, into_down(l), a.down_input, tap);
    linear_forward_add(context_, x(2 * l + 1), a.down_input, model_.weight(l, Projection::kDown),
                       x(2 * l + 2));
  }

  void final_norm() {
    norm(act_.residual.back(), model_.final_norm(), scratch_.normed, act_.final_rstd);
    quantize(context_, head_rounding(recipe_), scratch_.normed, act_.head_input);
  }

  const Tensor& into_output(int64_t l) const {
    return config_.extra_norm ? scratch_.normed : act_.layers[l].attended;
  }
  const Tensor& into_down(int64_t l) const {
    return config_.extra_norm ? scratch_.hidden_normed : act_.layers[l].hidden;
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
    round_input_backward(a.ffn_input, scratch_.normed);
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
    attention_backward_of(a);

    product_backward(scratch_.qkv, a.attention_input, l, Projection::kQkv, scratch_.normed,
                     gradients);
    norm_backward(scratch_.normed, act_.residual[2 * l], index.attention_norm, a.attention_rstd,
                  true, dx, gradients);
  }

  // scratch_.qkv: the gradient of the queries, keys and values of `a`.
  void attention_backward_of(const LayerActivations& a) {
    if (recipe_.head_rotation(heads_.dim) == 1) {
      attention_backward_merged(context_, heads_, a.queries, a.keys, a.values, a.attended, a.lse,
                                scratch_.attended, act_.rope, scratch_.qkv);
      return;
    }
    attention_backward(context_, heads_, a.queries, a.keys, a.values, a.attended, a.lse,
                       scratch_.attended, scratch_.q, scratch_.k, scratch_.v);
    rotate_heads();
    merge_heads(context_, heads_, scratch_.q, scratch_.k, scratch_.v, act_.rope, scratch_.qkv);
  }

  // Queries and keys, or their gradients.
  void rotate_heads() {
    const int64_t width = recipe_.head_rotation(heads_.dim);
    if (width == 1) return;
    rotate(context_, width, scratch_.q, scratch_.q);
    rotate(context_, width, scratch_.k, scratch_.k);
  }

  void norm(const Tensor& x, int weight, Tensor& y, Tensor& rstd) {
    rms_norm(context_, x, parameters_.tensors[weight], config_.norm_epsilon, y, rstd);
  }

  void norm_backward(const Tensor& dy, const Tensor& x, int weight, const Tensor& rstd,
                     bool accumulate, Tensor& dx, Parameters& gradients) {
    rms_norm_backward(context_, dy, x, parameters_.tensors[weight], rstd, accumulate, dx,
                      gradients.tensors[weight]);
  }

  // Before a batch agrees on a scale: what this sequence contributes to it.
  void will_round(int scale, const RoundedRole& role, const Tensor& numbers) {
    if (role.per_batch) act_.absmax[static_cast<size_t>(scale)] = absmax(context_, numbers);
  }
  void will_round_input(Projection projection, const Tensor& input) {
    const int64_t width = recipe_.projection_rotation(input.extent(1));
    if (width > 1) rotate(context_, width, input, rotated(projection));
    will_round(static_cast<int>(projection), inputs_, width > 1 ? rotated(projection) : input);
  }
  Tensor& rotated(Projection projection) {
    return projection == Projection::kDown ? scratch_.rotated_hidden : scratch_.rotated;
  }

  Rounding rounding(int scale, const RoundedRole& role) const {
    Rounding out = role.rounding;
    if (role.per_batch) out.absmax_elsewhere = act_.absmax[static_cast<size_t>(scale)];
    return out;
  }

  void round_input(int64_t l, Projection projection, const Tensor& input, Operand& rounded,
                   const Tap& tap) {
    const Rounding how = rounding(static_cast<int>(projection), inputs_);
    if (tap) tap(l, projection, input, how);
    const bool is_rotated = recipe_.projection_rotation(input.extent(1)) > 1;
    quantize(context_, how, is_rotated ? rotated(projection) : input, rounded);
  }

  // The gradient of the input of a projection from that of its rounded numbers.
  void round_input_backward(const Operand& rounded, Tensor& d) {
    if (rounded.trusted.defined()) keep_trusted(context_, rounded.trusted, d);
    if (const int64_t width = recipe_.projection_rotation(d.extent(1)); width > 1)
      rotate(context_, width, d, d);
  }

  void product_backward(const Tensor& dy, const Operand& input, int64_t l, Projection projection,
                        Tensor& dinput, Parameters& gradients) {
    Tensor& dw = gradients.tensors[model_.parameter_index(l, projection)];
    linear_backward(context_, dy, input, model_.weight(l, projection), false, &dinput,
                    {&dw, fresh_});
    round_input_backward(input, dinput);
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
  RoundedRole inputs_, queries_, keys_, values_;
};

void check_sequence(const ModelConfig& config, Tokens tokens, Tokens targets,
                    const Tensor& losses) {
  BITLAW_CHECK(static_cast<int64_t>(tokens.size()) == config.sequence);
  BITLAW_CHECK(targets.size() == tokens.size());
  BITLAW_CHECK(losses.shape() == Shape{config.sequence});
}

// The largest magnitudes of all members are those of each.
void share_scales(std::span<const BatchMember> members) {
  std::array<float, kScales> largest{};
  for (const BatchMember& member : members) {
    for (size_t i = 0; i < largest.size(); ++i)
      largest[i] = std::max(largest[i], member.activations->absmax[i]);
  }
  for (const BatchMember& member : members) member.activations->absmax = largest;
}

}  // namespace

void Model::forward_tapped(Context& context, const Parameters& parameters, Tokens tokens,
                           Tokens targets, Activations& activations, Tensor& losses,
                           const InputTap& tap) const {
  check_sequence(config_, tokens, targets, losses);
  Tap with_rounding;
  if (tap) {
    with_rounding = [&tap](int64_t layer, Projection projection, const Tensor& input,
                           const Rounding&) { tap(layer, projection, input); };
  }
  const OpSequence sequence(context);
  Pass(context, *this, parameters, activations).forward(tokens, with_rounding);
  head_loss(context, activations.head_input, head_weight_, targets, losses);
}

void Model::forward(Context& context, const Parameters& parameters, Tokens tokens, Tokens targets,
                    Activations& activations, Tensor& losses) const {
  forward_tapped(context, parameters, tokens, targets, activations, losses, nullptr);
}

void Model::forward_batch(const Parameters& parameters, std::span<const BatchMember> members,
                          ThreadPool& pool, std::vector<Context>& contexts,
                          const BatchTap& tap) const {
  BITLAW_CHECK(static_cast<int>(contexts.size()) >= pool.threads());
  const auto run = [&](int64_t l, int stage, int64_t number, int worker) {
    const FlushSubnormals flush;
    const BatchMember& member = members[static_cast<size_t>(number)];
    Tap own;
    if (tap) {
      own = [&tap, number](int64_t layer, Projection projection, const Tensor& input,
                           const Rounding& how) { tap(number, layer, projection, input, how); };
    }
    Context& context = contexts[static_cast<size_t>(worker)];
    const OpSequence sequence(context);
    Pass(context, *this, parameters, *member.activations).run(l, stage, member.tokens, own);
  };
  for (int64_t l = 0; l < config_.layers; ++l) {
    for (int stage = 0; stage < Pass::kStages; ++stage) {
      const auto work = [&](int64_t number, int worker) { run(l, stage, number, worker); };
      pool.parallel_for(static_cast<int64_t>(members.size()), std::ref(work));
      share_scales(members);
    }
  }
}

void Model::forward_backward(Context& context, const Parameters& parameters, Tokens tokens,
                             Tokens targets, double gradient_scale, Activations& activations,
                             Tensor& losses, Parameters& gradients, bool fresh) const {
  check_sequence(config_, tokens, targets, losses);
  const OpSequence sequence(context);
  Pass(context, *this, parameters, activations).forward(tokens, nullptr);
  backward(context, parameters, tokens, targets, gradient_scale, activations, losses, gradients,
           fresh);
}

void Model::backward(Context& context, const Parameters& parameters, Tokens tokens, Tokens targets,
                     double gradient_scale, Activations& activations, Tensor& losses,
                     Parameters& gradients, bool fresh) const {
  check_sequence(config_, tokens, targets, losses);
  BITLAW_CHECK(activations.training);
  const OpSequence sequence(context);
  if (fresh) {  // the gradients of matrices are written before they are added to; these are not
    for (size_t i = 0; i < infos_.size(); ++i) {
      if (infos_[i].shape.rank() == 1 || static_cast<int>(i) == embedding_)
        gradients.tensors[i].fill_zero();
    }
  }
  head_loss_backward(context, activations.head_input, head_weight_, targets, gradient_scale, losses,
                     activations.scratch.normed, {&gradients.tensors[head_], fresh});
  Pass(context, *this, parameters, activations).backward(tokens, gradients, fresh);
}

}  // namespace bitlaw
