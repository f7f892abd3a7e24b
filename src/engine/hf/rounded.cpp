#include "hf/rounded.h"

#include "formats/rotation.h"

namespace bitlaw::hf {
namespace {

void write_values(const Operand& operand, int64_t rotation, float* out) {
  const int64_t R = operand.codes.extent(0), C = operand.codes.extent(1);
  const int64_t group = operand.group == 0 ? C : operand.group, groups = (C + group - 1) / group;
  const bool brain = operand.codes.dtype() == DType::kBF16;
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t c = 0; c < C; ++c) {
      const int64_t i = r * C + c;
      const float code = brain ? operand.codes.bf16()[i].value() : operand.codes.f32()[i];
      const float scale =
          operand.scales.defined() ? operand.scales.f32()[r * groups + c / group] : 1.0f;
      out[i] = code * scale;
    }
  }
  if (rotation > 1) rotate_blocks(out, R * C, rotation);  // its own inverse
}

}  // namespace

Parameters rounded_parameters(const ModelConfig& config, const Recipe& recipe,
                              const Parameters& parameters) {
  Model model(config, recipe);
  Context context;
  model.prepare(context, parameters, false);
  Parameters out = model.make_parameters();
  out.flat.copy_from(parameters.flat);
  const auto tensor = [&](int index) { return out.tensors[static_cast<size_t>(index)].f32(); };
  for (int64_t l = 0; l < config.layers; ++l) {
    for (int p = 0; p < kProjections; ++p) {
      const auto projection = static_cast<Projection>(p);
      const Operand& operand = model.weight(l, projection).operand;
      write_values(operand, recipe.projection_rotation(operand.codes.extent(1)),
                   tensor(model.parameter_index(l, projection)));
    }
  }
  if (model.head() != model.embedding())
    write_values(model.head_weight().operand, 1, tensor(model.head()));
  return out;
}

}  // namespace bitlaw::hf
