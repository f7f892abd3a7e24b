#include "ops/embed.h"

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

TEST(EmbedReference, BackwardIsTheDerivative) {
  Context c = reference();
  const int64_t T = 7, V = 4, d = 3;
  const std::vector<uint16_t> tokens = cases::tokens(T, V, 1);
  const Tensor table = cases::normal({V, d}, 2, 1, DType::kF64),
               dy = cases::normal({T, d}, 3, 1, DType::kF64);
  Tensor y = Tensor::empty(DType::kF64, {T, d}), dtable = Tensor::zeros(DType::kF64, {V, d});
  const auto f = [&] {
    embed(c, tokens, table, y);
    return weighted_sum(y, dy);
  };
  f();
  const double magnitude = sum_of_magnitudes(y, dy);
  embed_backward(c, tokens, dy, dtable);
  expect_gradient(f, table, dtable, magnitude, "dtable");
}

// Rows are copied, and added one by one in the order of t: nothing is left to an order of sums.
TEST(EmbedCpu, MatchesTheReferenceBitForBit) {
  for (const auto& [T, V, d] : cases::kHeadLosses) {
    SCOPED_TRACE(testing::Message() << T << " tokens of " << V << ", d " << d);
    const std::vector<uint16_t> tokens = cases::tokens(T, V, 1);
    const Tensor table = cases::normal({V, d}, 2), dy = cases::normal({T, d}, 3);
    Context r = reference();
    Tensor expected = Tensor::empty(DType::kF32, {T, d}), expected_d = copy(table);
    embed(r, tokens, table, expected);
    embed_backward(r, tokens, dy, expected_d);
    for (Isa isa : machine_isas()) {
      SCOPED_TRACE(name_of(isa));
      Context c = cpu(isa);
      Tensor y = Tensor::empty(DType::kF32, {T, d}), dtable = copy(table);
      embed(c, tokens, table, y);
      embed_backward(c, tokens, dy, dtable);
      expect_same_bits(y, expected, "y");
      expect_same_bits(dtable, expected_d, "dtable");
    }
  }
}

TEST(EmbedDeathTest, ATokenBeyondTheTableIsRefused) {
  Context c = reference();
  const std::vector<uint16_t> tokens{0, 3};
  const Tensor table = cases::normal({3, 2}, 1);
  Tensor y = Tensor::empty(DType::kF32, {2, 2});
  EXPECT_DEATH(embed(c, tokens, table, y), "check failed");
}

}  // namespace
}  // namespace bitlaw
