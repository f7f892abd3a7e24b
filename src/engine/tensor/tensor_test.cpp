#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace bitlaw {
namespace {

TEST(Tensor, IsInTheCpusMemoryUnlessItSaysOtherwise) {
  float numbers[6] = {};
  EXPECT_EQ(Tensor().device(), Device::kCpu);
  EXPECT_EQ(Tensor::zeros(DType::kF32, {2, 3}).device(), Device::kCpu);
  EXPECT_EQ(Tensor::borrow(DType::kF32, {2, 3}, numbers).device(), Device::kCpu);
  EXPECT_EQ(std::string(name_of(Device::kCpu)), "CPU");
  EXPECT_EQ(std::string(name_of(Device::kCuda)), "CUDA");
}

TEST(Tensor, ViewsAreOnTheDeviceOfTheirTensor) {
  float numbers[6] = {};
  const Tensor x = Tensor::borrow(DType::kF32, {2, 3}, numbers, Device::kCuda);
  EXPECT_EQ(x.view({6}).device(), Device::kCuda);
  EXPECT_EQ(x.rows(1, 2).device(), Device::kCuda);
}

TEST(Tensor, HoldsABackendsMemoryAsLongAsAViewOfItIsThere) {
  int freed = 0;
  {
    Tensor row;
    {
      const std::shared_ptr<void> memory(new float[6], [&freed](void* p) {
        delete[] static_cast<float*>(p);
        ++freed;
      });
      row = Tensor::hold(DType::kF32, {2, 3}, memory, Device::kCuda).rows(1, 2);
      EXPECT_EQ(row.raw(), static_cast<float*>(memory.get()) + 3);
    }
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
}

// Nothing here can read or write it.
TEST(TensorDeathTest, OfAnotherDeviceIsNotTouched) {
  float numbers[6] = {};
  const Tensor x = Tensor::borrow(DType::kF32, {6}, numbers, Device::kCuda);
  const Tensor y = Tensor::zeros(DType::kF32, {6});
  EXPECT_DEATH(x.at(0), "kCpu");
  EXPECT_DEATH(x.set(0, 1), "kCpu");
  EXPECT_DEATH(x.fill_zero(), "kCpu");
  EXPECT_DEATH(x.copy_from(y), "kCpu");
  EXPECT_DEATH(y.copy_from(x), "kCpu");
}

}  // namespace
}  // namespace bitlaw
