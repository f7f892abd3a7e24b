// A typed, row-major, contiguous view of memory, which copies of the view share. Copying a Tensor
// never copies the numbers.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "base/error.h"
#include "tensor/device.h"
#include "tensor/dtype.h"

namespace bitlaw {

class Shape {  // up to four extents
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) {
    BITLAW_CHECK(extents.size() <= extents_.size());
    for (int64_t extent : extents) {
      BITLAW_CHECK(extent >= 0);
      extents_[rank_++] = extent;
    }
  }
  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return extents_[axis]; }
  int64_t elements() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= extents_[axis];
    return product;
  }
  bool operator==(const Shape& other) const {  // a defaulted one calls memcmp
    const auto& [a, b, c, d] = extents_;
    const auto& [e, f, g, h] = other.extents_;
    return rank_ == other.rank_ && a == e && b == f && c == g && d == h;
  }
  std::string text() const;  // "[256, 64]"

 private:
  std::array<int64_t, 4> extents_{};
  int rank_ = 0;
};

// Memory that a tensor of this many bytes takes: large ones are whole huge pages.
size_t allocated_bytes(size_t bytes);

class Tensor {
 public:
  Tensor() = default;                             // undefined: no memory
  static Tensor empty(DType dtype, Shape shape);  // 64-byte aligned, not initialised
  static Tensor zeros(DType dtype, Shape shape);
  // Takes memory that a backend allocated on its device; it is freed with the last view of it.
  static Tensor hold(DType dtype, Shape shape, std::shared_ptr<void> memory, Device device);
  // A view of memory owned by the caller, which must outlive the view.
  static Tensor borrow(DType dtype, Shape shape, void* data, Device device = Device::kCpu);

  bool defined() const { return data_ != nullptr; }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }
  const Shape& shape() const { return shape_; }
  int64_t extent(int axis) const { return shape_[axis]; }
  int64_t elements() const { return shape_.elements(); }
  size_t bytes() const { return static_cast<size_t>(elements()) * size_of(dtype_); }

  template <class T>
  T* data() const {
    BITLAW_CHECK(DTypeOf<T>::value == dtype_);
    return static_cast<T*>(data_);
  }
  float* f32() const { return data<float>(); }
  double* f64() const { return data<double>(); }
  BFloat16* bf16() const { return data<BFloat16>(); }
  void* raw() const { return data_; }

  // Any element as a double; slow, for references and tests. CPU memory only, like fill_zero() and
  // copy_from().
  double at(int64_t index) const;
  void set(int64_t index, double value) const;  // BF16: rounded, ties to even

  Tensor view(Shape shape) const;                 // the same elements, another shape
  Tensor rows(int64_t begin, int64_t end) const;  // a slice along the first axis
  void fill_zero() const;
  void copy_from(const Tensor& other) const;  // equal dtype and number of elements

 private:
  std::shared_ptr<void> owner_;
  void* data_ = nullptr;
  DType dtype_ = DType::kF32;
  Device device_ = Device::kCpu;
  Shape shape_;
};

}  // namespace bitlaw
