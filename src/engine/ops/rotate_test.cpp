#include "ops/rotate.h"

#include "base/float_mode.h"
#include "formats/rotation.h"
#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

constexpr cases::MatrixCase kShapes[] = {{1, 1},  {3, 2},   {5, 12},  {7, 24},  {1, 16},  {9, 48},
                                         {4, 96}, {3, 176}, {17, 64}, {2, 192}, {5, 352}, {2, 512}};

TEST(Rotate, EveryBackendIsTheDefinitionBitForBit) {
  std::vector<Context> contexts{reference()};
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  uint64_t stream = 0;
  for (const auto& [rows, columns] : kShapes) {
    const Tensor x = cases::normal({rows, columns}, ++stream);
    for (const int64_t most : {1, 2, 4, 8, 16, 32, 64, 512}) {
      const int64_t width = rotation_width(columns, most);
      SCOPED_TRACE(testing::Message() << rows << "x" << columns << " in blocks of " << width);
      const Tensor expected = copy(x);
      rotate_blocks(expected.f32(), expected.elements(), width);
      for (Context& c : contexts) {
        Tensor y = Tensor::zeros(DType::kF32, x.shape()), in_place = copy(x);
        rotate(c, width, x, y);
        rotate(c, width, in_place, in_place);
        expect_same_bits(y, expected, name_of(c.isa));
        expect_same_bits(in_place, expected, name_of(c.isa));
      }
    }
  }
}

TEST(Rotate, InDoubleIsTheDefinitionInDouble) {
  Context c = reference();
  const Tensor x = cases::normal({3, 24}, 1, 1, DType::kF64);
  Tensor y = Tensor::zeros(DType::kF64, x.shape());
  rotate(c, 8, x, y);
  rotate_blocks(x.f64(), x.elements(), 8);
  expect_same_bits(y, x, "y");
}

TEST(Rotate, ItsAdjointIsItself) {
  Context c = reference();
  const Tensor x = cases::normal({3, 12}, 1, 1, DType::kF64),
               weights = cases::normal({3, 12}, 2, 1, DType::kF64);
  Tensor y = Tensor::zeros(DType::kF64, x.shape()), dx = Tensor::zeros(DType::kF64, x.shape());
  const auto f = [&] {
    rotate(c, 4, x, y);
    return weighted_sum(y, weights);
  };
  rotate(c, 4, weights, dx);
  f();
  expect_gradient(f, x, dx, sum_of_magnitudes(y, weights), "dx");
}

TEST(KeepTrusted, KeepsWhatIsTrusted) {
  std::vector<Context> contexts{reference()};
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  for (const auto& [rows, columns] : kShapes) {
    const Tensor x = cases::normal({rows, columns}, 3);
    const Tensor trusted = Tensor::zeros(DType::kBF16, x.shape());
    for (int64_t i = 0; i < x.elements(); ++i) trusted.set(i, i % 3 == 1 ? 0 : 1);
    for (Context& c : contexts) {
      Tensor y = copy(x);
      keep_trusted(c, trusted, y);
      for (int64_t i = 0; i < x.elements(); ++i)
        ASSERT_EQ(y.at(i), i % 3 == 1 ? 0 : x.at(i)) << name_of(c.isa) << " " << i;
    }
  }
}

TEST(RotateDeathTest, BlocksDivideARow) {
  Context c = reference();
  const Tensor x = cases::normal({4, 24}, 1);
  Tensor y = copy(x);
  EXPECT_DEATH(rotate(c, 16, x, y), "check failed");
  EXPECT_DEATH(rotate(c, 3, x, y), "check failed");
}

}  // namespace
}  // namespace bitlaw
