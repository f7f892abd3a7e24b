// Everything one worker keeps while a sequence passes through the model. Internal to model/.
//
// The residual stream x_0 .. x_2L runs through 2L blocks that each add to it: block 2l is
// attention, block 2l+1 the feed-forward of layer l. Training keeps everything; without a backward
// pass, all layers share the same memory, and so do all x_i.
#pragma once

#include <array>
#include <vector>

#include "model/model.h"

namespace bitlaw {

// How the recipe rounds one role's matrix; `heads` is its number of heads (keys, values, queries).
Rounding rounding_of(const Quantizer& quantizer, Role role, int64_t heads = 1);
// The same for weights and the inputs of projections, which mark
// where gradients are trusted if the recipe asks for it.
Rounding weights_rounding(const Recipe& recipe);
Rounding inputs_rounding(const Recipe& recipe, bool training);
// Rounding of the output head and its input: always BF16, except that a recipe with FP32
// activations is a reference run, which rounds nothing here, either.
Rounding head_rounding(const Recipe& recipe);

// T tokens, d width, F hidden, H and G heads of queries and of keys. "Real" is F32 (F64 in gradient
// checks).
struct LayerActivations {
  Tensor attention_rstd;    // [T] real
  Operand attention_input;  // [T, d], into qkv
  Operand queries;          // [H*T, dim]
  Operand keys, values;     // [G*T, dim]
  Tensor attended;          // [T, d] real, heads side by side
  Tensor lse;               // [H, T] real
  Tensor output_rstd;       // [T] real, with extra_norm
  Operand output_input;     // [T, d], into the output projection
  Tensor ffn_rstd;          // [T] real
  Operand ffn_input;        // [T, d], into gate_up
  Tensor gate_up;           // [T, 2F] in the type of gradients; training only
  Tensor hidden;            // [T, F] real; kept with extra_norm only, else one for all layers
  Tensor down_rstd;         // [T] real, with extra_norm
  Operand down_input;       // [T, F], into down
};

// Intermediate results between two ops, in the same memory for every layer. In the backward pass
// each holds the gradient of its forward content.
struct Scratch {
  Tensor normed;         // [T, d] real, out of a norm over the width
  Tensor qkv;            // [T, (H + 2G) dim] real
  Tensor q, k, v;        // [H*T, dim], [G*T, dim] twice, real, rotated
  Tensor hidden_normed;  // [T, F] real, with extra_norm
  // With rotated projections: their inputs before they are rounded.
  Tensor rotated;         // [T, d] real
  Tensor rotated_hidden;  // [T, F] real
  // backward only
  Tensor residual;  // [T, d] real, gradient of x_i
  Tensor attended;  // [T, d] real
  Tensor hidden;    // [T, F] real
};

// What can have a scale per batch in a layer: the inputs of its projections, by Projection, then
// queries, keys and values.
enum BatchScale { kQueriesScale = kProjections, kKeysScale, kValuesScale, kScales };

struct Activations {
  Tensor memory;  // backs all the others
  bool training;
  DType real;
  Tensor rope;                           // [T, dim] real
  std::vector<Tensor> residual;          // x_0 .. x_2L, [T, d] real
  std::vector<LayerActivations> layers;  // L
  Tensor final_rstd;                     // [T] real
  Operand head_input;                    // [T, d]
  // Where the scale is one per batch: the largest magnitude of what is rounded next, of this
  // sequence and then of its batch. 0 elsewhere.
  std::array<float, kScales> absmax{};
  Scratch scratch;
};

}  // namespace bitlaw
