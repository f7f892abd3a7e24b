// Ops with the same bits on every instruction set: all except products (docs/numerics.md).
// Products of codes whose sums are exact are in exact_products_test.cpp; the bounds of everything
// else are the MatchesTheReference tests of each op.
#include <functional>
#include <vector>

#include "base/float_mode.h"
#include "ops/attention.h"
#include "ops/embed.h"
#include "ops/norm.h"
#include "ops/swiglu.h"
#include "ops/test_support.h"
#include "ops/update.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

// Normal numbers, some of them huge, tiny, zero or (flushed) subnormal.
Tensor awkward(Shape shape, uint64_t stream) {
  const Tensor x = cases::normal(shape, stream, 2);
  float* data = x.f32();
  for (int64_t i = 0; i < x.elements(); ++i) {
    if (i % 37 == 11) data[i] *= 0x1p10f;
    if (i % 41 == 5) data[i] *= 0x1p-40f;
    if (i % 43 == 7) data[i] = -0.0f;
    if (i % 47 == 9) data[i] = 0x1p-130f;
  }
  return x;
}

// compute(context) returns all results of an op; they are the bits of plain C++ everywhere.
using Results = std::vector<Tensor>;
void expect_same_everywhere(const char* op, const std::function<Results(Context&)>& compute) {
  const FlushSubnormals flush;  // as in training
  Context plain = cpu(Isa::kPlain);
  const Results expected = compute(plain);
  for (Isa isa : machine_isas()) {
    Context c = cpu(isa);
    const Results actual = compute(c);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      SCOPED_TRACE(testing::Message() << op << " on " << name_of(isa) << ", result " << i);
      expect_same_bits(actual[i], expected[i], op);
    }
  }
}

Tensor empty(Shape shape) {
  return Tensor::empty(DType::kF32, shape);
}

TEST(SameBits, Rounding) {
  for (const auto& [rows, columns] : cases::kMatrices) {
    for (const Rounding& rounding : cases::roundings()) {
      SCOPED_TRACE(testing::Message() << cases::text(rounding) << " " << rows << "x" << columns);
      const Tensor x = awkward({rows, columns}, 1);
      expect_same_everywhere("quantize", [&](Context& c) {
        Operand out = make_operand(rounding, rows, columns);
        quantize(c, rounding, x, out);
        return out.scales.defined() ? Results{out.codes, out.scales} : Results{out.codes};
      });
    }
  }
}

TEST(SameBits, NormsAndGates) {
  for (const auto& [rows, columns] : cases::kMatrices) {
    SCOPED_TRACE(testing::Message() << rows << "x" << columns);
    const Tensor x = awkward({rows, columns}, 1), dy = awkward({rows, columns}, 2),
                 weight = awkward({columns}, 3), gate_up = awkward({rows, 2 * columns}, 4);
    expect_same_everywhere("rms_norm", [&](Context& c) {
      Results r{empty(x.shape()), empty({rows}), copy(dy), copy(x), copy(weight)};
      rms_norm(c, x, weight, 1e-5, r[0], r[1]);
      rms_norm_backward(c, dy, x, weight, r[1], false, r[2], r[4]);
      rms_norm_backward(c, dy, x, weight, r[1], true, r[3], r[4]);
      return r;
    });
    expect_same_everywhere("swiglu", [&](Context& c) {
      Results r{empty(x.shape()), empty(gate_up.shape())};
      swiglu(c, gate_up, r[0]);
      swiglu_backward(c, dy, gate_up, r[1]);
      return r;
    });
  }
}

TEST(SameBits, Rotations) {
  for (const HeadShape& h : cases::kHeads) {
    SCOPED_TRACE(testing::Message() << "T " << h.T << ", dim " << h.dim);
    const Tensor qkv = awkward({h.T, (h.heads + 2 * h.kv_heads) * h.dim}, 1);
    const Tensor rope = rope_table(h.T, h.dim, 10000);
    expect_same_everywhere("heads", [&](Context& c) {
      Results r{empty({h.heads * h.T, h.dim}), empty({h.kv_heads * h.T, h.dim}),
                empty({h.kv_heads * h.T, h.dim}), empty(qkv.shape())};
      split_heads(c, h, qkv, rope, r[0], r[1], r[2]);
      merge_heads(c, h, r[0], r[1], r[2], rope, r[3]);
      return r;
    });
  }
}

TEST(SameBits, Embeddings) {
  const int64_t T = 40, V = 7, d = 33;
  const Tensor table = awkward({V, d}, 1), dy = awkward({T, d}, 2);
  const std::vector<uint16_t> tokens = cases::tokens(T, V, 3);
  expect_same_everywhere("embed", [&](Context& c) {
    Results r{empty({T, d}), copy(table)};
    embed(c, tokens, table, r[0]);
    embed_backward(c, tokens, dy, r[1]);
    return r;
  });
}

TEST(SameBits, Updates) {
  for (int64_t n : {1, 7, 16, 33, 100, 1000, 4099}) {
    SCOPED_TRACE(n);
    const Tensor g = awkward({n}, 1), w = awkward({n}, 2), m = awkward({n}, 3);
    const Tensor v = Tensor::empty(DType::kF32, {n});
    for (int64_t i = 0; i < n; ++i) v.f32()[i] = m.f32()[i] * m.f32()[i];
    const AdamW settings{3e-3, 0.9, 0.95, 1e-8, 0.1, 3, 0.37};
    expect_same_everywhere("update", [&](Context& c) {
      Results r{copy(w), copy(m), copy(v), copy(w), Tensor::empty(DType::kF64, {1})};
      adamw_update(c, settings, g, r[0], r[1], r[2]);
      add_in_place(c, g, r[3]);
      r[4].set(0, sum_of_squares(c, g));
      return r;
    });
  }
}

}  // namespace
}  // namespace bitlaw
