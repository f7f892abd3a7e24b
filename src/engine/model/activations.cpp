#include "model/activations.h"

namespace bitlaw {
namespace {

// Allocates tensors from one piece of memory, for which huge pages work better than for many small
// pieces; without it, only adds up their sizes.
class Supply {
 public:
  explicit Supply(DType real, const Tensor& memory = {}) : real_(real), memory_(memory) {}

  Tensor real(Shape shape) { return take(real_, shape); }
  Tensor of(DType dtype, Shape shape) { return take(dtype, shape); }
  Operand operand(const Rounding& rounding, int64_t rows, int64_t columns) {
    return make_operand(rounding, rows, columns, real_,
                        [this](DType dtype, Shape shape) { return take(dtype, shape); });
  }
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kAlignment = 64;

  Tensor take(DType dtype, Shape shape) {
    const size_t begin = bytes_;
    bytes_ += (static_cast<size_t>(shape.elements()) * size_of(dtype) + kAlignment - 1) /
              kAlignment * kAlignment;
    if (!memory_.defined()) return Tensor::borrow(dtype, shape, nullptr);
    BITLAW_CHECK(bytes_ <= memory_.bytes());
    return Tensor::borrow(dtype, shape, static_cast<char*>(memory_.raw()) + begin);
  }

  DType real_;
  Tensor memory_;
  size_t bytes_ = 0;
};

LayerActivations make_layer(const Model& model, bool training, DType gradient, Supply& supply) {
  const ModelConfig& c = model.config();
  const Recipe& recipe = model.recipe();
  const int64_t T = c.sequence, d = c.width, F = c.hidden, H = c.heads, G = c.kv_heads,
                dim = c.head_dim();
  const Rounding activations = inputs_rounding(recipe, training);
  LayerActivations a;
  a.attention_rstd = supply.real({T});
  a.attention_input = supply.operand(activations, T, d);
  a.queries = supply.operand(rounding_of(recipe.queries, Role::kQueries, H), H * T, dim);
  a.keys = supply.operand(rounding_of(recipe.keys, Role::kKeys, G), G * T, dim);
  a.values = supply.operand(rounding_of(recipe.values, Role::kValues, G), G * T, dim);
  a.attended = supply.real({T, d});
  a.lse = supply.real({H, T});
  a.output_input = supply.operand(activations, T, d);
  a.ffn_rstd = supply.real({T});
  a.ffn_input = supply.operand(activations, T, d);
  if (training) a.gate_up = supply.of(gradient, {T, 2 * F});
  a.down_input = supply.operand(activations, T, F);
  if (c.extra_norm) {
    a.output_rstd = supply.real({T});
    a.down_rstd = supply.real({T});
    a.hidden = supply.real({T, F});
  }
  return a;
}

Scratch make_scratch(const Model& model, bool training, Supply& supply) {
  const ModelConfig& c = model.config();
  const int64_t T = c.sequence, d = c.width, F = c.hidden, H = c.heads, G = c.kv_heads,
                dim = c.head_dim();
  Scratch s;
  s.normed = supply.real({T, d});
  s.qkv = supply.real({T, (H + 2 * G) * dim});
  s.q = supply.real({H * T, dim});
  s.k = supply.real({G * T, dim});
  s.v = supply.real({G * T, dim});
  if (c.extra_norm) s.hidden_normed = supply.real({T, F});
  if (model.recipe().weights.options.hadamard > 0) {
    s.rotated = supply.real({T, d});
    s.rotated_hidden = supply.real({T, F});
  }
  if (training) {
    s.residual = supply.real({T, d});
    s.attended = supply.real({T, d});
  }
  if (training || !c.extra_norm) s.hidden = supply.real({T, F});
  return s;
}

Activations make(const Model& model, bool training, DType gradient, Supply& supply, DType real) {
  const ModelConfig& c = model.config();
  const int64_t T = c.sequence, d = c.width, L = c.layers;
  Activations a;
  a.training = training;
  a.real = real;
  for (int64_t i = 0; i < (training ? 2 * L + 1 : 1); ++i)
    a.residual.push_back(supply.real({T, d}));
  a.residual.resize(2 * L + 1, a.residual.front());
  for (int64_t l = 0; l < (training ? L : 1); ++l)
    a.layers.push_back(make_layer(model, training, gradient, supply));
  a.layers.resize(L, a.layers.front());
  a.final_rstd = supply.real({T});
  a.head_input = supply.operand(head_rounding(model.recipe()), T, d);
  a.scratch = make_scratch(model, training, supply);
  if (!c.extra_norm) {
    for (LayerActivations& layer : a.layers) layer.hidden = a.scratch.hidden;
  }
  return a;
}

}  // namespace

Rounding rounding_of(const Quantizer& quantizer, Role role, int64_t heads) {
  Rounding rounding;
  rounding.format = quantizer.format;
  rounding.axis = scale_axis(role, quantizer.granularity);
  rounding.group = quantizer.group;
  rounding.scales = quantizer.scales;
  rounding.options = quantizer.options;
  rounding.keeps_codes = role == Role::kWeights || role == Role::kActivations;
  rounding.row_blocks = rounding.axis == ScaleAxis::kColumn ? static_cast<int>(heads) : 1;
  return rounding;
}

Rounding weights_rounding(const Recipe& recipe) {
  Rounding rounding = rounding_of(recipe.weights, Role::kWeights);
  rounding.marks_trusted = recipe.weights.options.trust;
  return rounding;
}

Rounding inputs_rounding(const Recipe& recipe, bool training) {
  Rounding rounding = rounding_of(recipe.activations, Role::kActivations);
  rounding.marks_trusted = training && recipe.activations.options.trust;
  return rounding;
}

Rounding head_rounding(const Recipe& recipe) {
  const bool reference = recipe.activations.format.kind == FormatKind::kFp32;
  Rounding rounding;
  rounding.format = reference ? fp32_format() : bf16_format();
  return rounding;
}

void ActivationsDeleter::operator()(Activations* activations) const {
  delete activations;
}

ActivationsPtr make_activations(const Model& model, bool training, DType gradient_dtype,
                                DType dtype) {
  if (dtype == DType::kF64) gradient_dtype = dtype;
  Supply measure(dtype);
  make(model, training, gradient_dtype, measure, dtype);
  const Tensor memory =
      Tensor::empty(DType::kBF16, {static_cast<int64_t>(measure.bytes() / size_of(DType::kBF16))});
  Supply supply(dtype, memory);
  ActivationsPtr activations(new Activations(make(model, training, gradient_dtype, supply, dtype)));
  activations->memory = memory;
  // The rotation is the model's; only gradient checks want it in more digits.
  const ModelConfig& c = model.config();
  activations->rope = dtype == DType::kF32
                          ? model.rope()
                          : rope_table(c.sequence, c.head_dim(), c.rope_theta, dtype);
  return activations;
}

size_t activations_bytes(const Model& model, bool training, DType gradient_dtype) {
  Supply supply(DType::kF32);
  make(model, training, gradient_dtype, supply, DType::kF32);
  return supply.bytes();
}

}  // namespace bitlaw
