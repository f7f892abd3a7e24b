#include "ops/cpu/amx/glu_amx.h"

#include "ops/cpu/amx/blocks_amx.h"
#include "ops/cpu/simd_avx512.h"
//
#include "ops/cpu/simd_math.h"

namespace bitlaw::cpu::amx {
namespace {

enum class Kept { kNothing, kBf16, kF32 };

// Of a block, whose left half is gate and right half up. The same arithmetic as kernels.h's swiglu.
struct Gate {
  const Gated& g;

  void operator()(const Block& block, int64_t m0, int64_t f0, int64_t begin, int64_t end) const {
    if (g.kept.bf16 != nullptr) {
      rows<Kept::kBf16>(block, m0, f0, begin, end);
    } else if (g.kept.f32 != nullptr) {
      rows<Kept::kF32>(block, m0, f0, begin, end);
    } else {
      rows<Kept::kNothing>(block, m0, f0, begin, end);
    }
  }

  // What does not change is kept in local variables: the compiler cannot know that stores leave it
  // alone.
  template <Kept kKept>
  void rows(const Block& block, int64_t m0, int64_t f0, int64_t begin, int64_t end) const {
    const Product& p = g.product;
    const KeptGate kept = g.kept;
    const V one = splat(1.0f);
    const V gate_scale = p.column_scales == nullptr ? one : load(p.column_scales + f0),
            up_scale = p.column_scales == nullptr ? one : load(p.column_scales + p.N + f0);
    const bool scaled = p.row_scales != nullptr;
    const float* const row_scales = scaled ? p.row_scales + m0 : nullptr;
    const int64_t ldy = g.ldy;
    int64_t at = (m0 + begin) * kept.ld + f0;
    float* y = g.y + (m0 + begin) * ldy + f0;
    for (int64_t r = begin; r < end; ++r, at += kept.ld, y += ldy) {
      const V row_scale = scaled ? splat(row_scales[r]) : one;
      const V z = load(&block.values[r][0]) * (row_scale * gate_scale);
      const V u = load(&block.values[r][16]) * (row_scale * up_scale);
      if constexpr (kKept == Kept::kBf16) {
        store_gradient(kept.bf16 + at, z);
        store_gradient(kept.bf16 + at + kept.up, u);
      } else if constexpr (kKept == Kept::kF32) {
        store(kept.f32 + at, z);
        store(kept.f32 + at + kept.up, u);
      }
      store(y, z * sigmoid(z) * u);
    }
  }
};

}  // namespace

void multiply_gated(const Gated& gated) {
  const Product& p = gated.product;
  const Tiles tiles;
  Pipeline<Gate> pipeline(Gate{gated});
  // Two blocks side by side before the next rows, so that what is kept is written in whole lines.
  for (Walk at(p.M, p.N, p.rows_at_once, 32); at.inside(); at.next()) {
    for (int64_t n = at.n; n < p.N && n < at.n + 32; n += kRows) {
      if (p.M - at.m > 16) {
        multiply_block<2, 2>(p, gated.up, at.m, n, {}, false, pipeline);
      } else {
        multiply_block<1, 2>(p, gated.up, at.m, n, {}, false, pipeline);
      }
    }
  }
  pipeline.flush();
}

}  // namespace bitlaw::cpu::amx
