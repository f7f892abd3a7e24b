// One window of text through one layer. Internal to hf/.
#pragma once

#include <functional>

#include "hf/forward.h"

namespace bitlaw::hf {

// Memory that a thread reuses for every window. d width, F hidden, H and G heads of queries and
// keys.
struct Scratch {
  Context context;
  Tensor normed;  // [T, d]
  // Results of the products, [T, H dim] and twice [T, G dim]; with a fused matrix only `query`,
  // [T, (H + 2G) dim].
  Tensor query, key, value;
  Tensor q, k, v;         // [H T, dim], [G T, dim] twice, rotated
  Tensor scores;          // of attention
  Tensor attended;        // [T, H dim]
  Tensor attention, ffn;  // [T, d] what is added to the states
  Tensor gate, up;        // [T, F]
};
Scratch make_scratch(const Architecture& architecture, int64_t T, const Backend* backend);

struct LayerRun {
  const Architecture& architecture;
  int64_t T, l;
  const Layer& layer;
  const StateRounding& rounding;
  const Tensor& rope;  // [T, rotary.dim]
};

// Applies the layer to states [T, d], in place. `tap` may be empty.
void run_window(const LayerRun& run, Scratch& scratch, const Tensor& states,
                const std::function<void(Input input, const Tensor& x)>& tap);

}  // namespace bitlaw::hf
