#include "tensor/tensor.h"

#include <fmt/format.h>

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace bitlaw {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeFrom = kHugePage / 2;

// A tensor that fills at least half of a huge page asks for whole ones: the weights and gradients
// of a step are read once each, and with small pages the walks through the page table show.
void* allocate(size_t alignment, size_t bytes) {
  const size_t whole = allocated_bytes(bytes);
  if (whole < kHugeFrom) return std::aligned_alloc(alignment, whole);
  void* memory = std::aligned_alloc(kHugePage, whole);
  if (memory != nullptr) ::madvise(memory, whole, MADV_HUGEPAGE);  // a wish: may fail
  return memory;
}

}  // namespace

size_t allocated_bytes(size_t bytes) {
  return bytes < kHugeFrom ? bytes : (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

const char* name_of(Device device) {
  return device == Device::kCpu ? "CPU" : "CUDA";
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return "F64";
    case DType::kF32:
      return "F32";
    case DType::kBF16:
      return "BF16";
  }
  return "?";
}

std::string Shape::text() const {
  std::string out = "[";
  for (int axis = 0; axis < rank_; ++axis)
    out += fmt::format("{}{}", axis ? ", " : "", extents_[axis]);
  return out + "]";
}

Tensor Tensor::empty(DType dtype, Shape shape) {
  constexpr size_t kAlignment = 64;
  const size_t bytes = std::max<size_t>(1, static_cast<size_t>(shape.elements()) * size_of(dtype));
  void* memory = allocate(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (memory == nullptr) throw std::bad_alloc();
  return hold(dtype, shape, std::shared_ptr<void>(memory, std::free), Device::kCpu);
}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  Tensor tensor = empty(dtype, shape);
  tensor.fill_zero();
  return tensor;
}

Tensor Tensor::hold(DType dtype, Shape shape, std::shared_ptr<void> memory, Device device) {
  Tensor tensor = borrow(dtype, shape, memory.get(), device);
  tensor.owner_ = std::move(memory);
  return tensor;
}

Tensor Tensor::borrow(DType dtype, Shape shape, void* data, Device device) {
  Tensor tensor;
  tensor.data_ = data;
  tensor.dtype_ = dtype;
  tensor.device_ = device;
  tensor.shape_ = shape;
  return tensor;
}

double Tensor::at(int64_t index) const {
  BITLAW_CHECK(device_ == Device::kCpu);
  switch (dtype_) {
    case DType::kF64:
      return static_cast<double*>(data_)[index];
    case DType::kF32:
      return static_cast<float*>(data_)[index];
    case DType::kBF16:
      return static_cast<BFloat16*>(data_)[index].value();
  }
  return 0;
}

void Tensor::set(int64_t index, double value) const {
  BITLAW_CHECK(device_ == Device::kCpu);
  switch (dtype_) {
    case DType::kF64:
      static_cast<double*>(data_)[index] = value;
      break;
    case DType::kF32:
      static_cast<float*>(data_)[index] = static_cast<float>(value);
      break;
    case DType::kBF16:
      static_cast<BFloat16*>(data_)[index].bits = bf16_bits(static_cast<float>(value));
      break;
  }
}

Tensor Tensor::view(Shape shape) const {
  BITLAW_CHECK(shape.elements() == elements());
  Tensor tensor = *this;
  tensor.shape_ = shape;
  return tensor;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  BITLAW_CHECK(shape_.rank() >= 1 && 0 <= begin && begin <= end && end <= shape_[0]);
  const int64_t stride = shape_[0] == 0 ? 0 : elements() / shape_[0];
  Tensor tensor = *this;
  switch (shape_.rank()) {
    case 1:
      tensor.shape_ = {end - begin};
      break;
    case 2:
      tensor.shape_ = {end - begin, shape_[1]};
      break;
    case 3:
      tensor.shape_ = {end - begin, shape_[1], shape_[2]};
      break;
    default:
      tensor.shape_ = {end - begin, shape_[1], shape_[2], shape_[3]};
      break;
  }
  tensor.data_ = static_cast<char*>(data_) + static_cast<size_t>(begin * stride) * size_of(dtype_);
  return tensor;
}

void Tensor::fill_zero() const {
  BITLAW_CHECK(device_ == Device::kCpu);
  std::memset(data_, 0, bytes());
}

void Tensor::copy_from(const Tensor& other) const {
  BITLAW_CHECK(dtype_ == other.dtype_ && elements() == other.elements());
  BITLAW_CHECK(device_ == Device::kCpu && other.device_ == Device::kCpu);
  std::memcpy(data_, other.data_, bytes());
}

}  // namespace bitlaw
