// Arrays of numpy, and of whatever speaks DLPack, as the engine's numbers, and back.
//
// Numbers come in as float32, float64, float16 or bfloat16 (numpy has no bfloat16; its bits come as uint16).
// The engine's matrices are FP32: float32 that lies row after row is read in place, all else is copied once.
#pragma once

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "base/range.h"
#include "formats/half.h"
#include "linalg/matrix.h"

namespace bitlaw::arrays {

using Array = nanobind::ndarray<nanobind::ro, nanobind::device::cpu>;

// Small arrays do not wait for threads to start.
constexpr int64_t kEntriesPerThread = 1 << 15;

inline int threads_for(int asked, int64_t entries) {
  require_range("threads", asked, 0, kMostThreads);
  if (asked > 0) return asked;
  return static_cast<int>(std::clamp<int64_t>(entries / kEntriesPerThread, 1, hardware_threads()));
}

// Arrays in

enum class Kind { kFloat32, kFloat64, kFloat16, kBFloat16 };

inline Kind kind_of(const Array& array, const char* name) {
  using Code = nanobind::dlpack::dtype_code;
  const auto type = array.dtype();
  const auto is = [&](Code code, int bits) {
    return type.code == static_cast<uint8_t>(code) && type.bits == bits && type.lanes == 1;
  };
  if (is(Code::Float, 32)) return Kind::kFloat32;
  if (is(Code::Float, 64)) return Kind::kFloat64;
  if (is(Code::Float, 16)) return Kind::kFloat16;
  if (is(Code::Bfloat, 16) || is(Code::UInt, 16)) return Kind::kBFloat16;
  throw Error(
      fmt::format("{}: numbers of another type; give float32, float64, float16 or bfloat16", name));
}

// An array of one axis is one row.
struct Layout {
  Kind kind = Kind::kFloat32;
  const void* data = nullptr;
  int64_t rows = 1, columns = 1, row_stride = 0, column_stride = 1;
  int64_t axes = 2;  // of the array
  bool transposed = false;

  Layout(const Array& array, const char* name, bool by_columns) : transposed(by_columns) {
    kind = kind_of(array, name);
    data = array.data();
    axes = static_cast<int64_t>(array.ndim());
    if (axes != 1 && axes != 2) {
      throw Error(
          fmt::format("{}: an array of {} axes; give one of two, rows and columns, such as "
                      "x.reshape(len(x), -1)",
                      name, axes));
    }
    columns = static_cast<int64_t>(array.shape(static_cast<size_t>(axes - 1)));
    column_stride = array.stride(static_cast<size_t>(axes - 1));
    if (axes == 2) {
      rows = static_cast<int64_t>(array.shape(0));
      row_stride = array.stride(0);
    } else {
      row_stride = columns;
    }
    if (transposed) {
      if (axes == 1)
        throw Error(fmt::format("{}: one axis has no columns that share a scale", name));
      std::swap(rows, columns);
      std::swap(row_stride, column_stride);
    }
  }

  int64_t size() const { return rows * columns; }
  bool is_plain() const {
    return (column_stride == 1 || columns == 1) && (row_stride == columns || rows == 1);
  }
};

inline float widened(double x) {
  return static_cast<float>(x);
}
struct Fp16 {
  uint16_t bits;
};
struct Bf16 {
  uint16_t bits;
};
inline float widened(Fp16 x) {
  return fp16_value(x.bits);
}
inline float widened(Bf16 x) {
  return bf16_value(x.bits);
}

template <class To, class From>
std::vector<To> copied(const Layout& from) {
  std::vector<To> out(static_cast<size_t>(from.size()));
  const auto* data = static_cast<const From*>(from.data);
  for (int64_t r = 0; r < from.rows; ++r) {
    const From* row = data + r * from.row_stride;
    To* to = out.data() + r * from.columns;
    for (int64_t c = 0; c < from.columns; ++c) {
      if constexpr (std::is_same_v<To, From>) {
        to[c] = row[c * from.column_stride];
      } else {
        to[c] = widened(row[c * from.column_stride]);
      }
    }
  }
  return out;
}

// FP32 [rows, columns], row after row.
class Numbers {
 public:
  Numbers(const Layout& layout)
      : rows(layout.rows),
        columns(layout.columns),
        axes_(layout.axes),
        transposed_(layout.transposed) {
    if (layout.kind == Kind::kFloat32 && layout.is_plain()) {
      data_ = static_cast<const float*>(layout.data);
      return;
    }
    switch (layout.kind) {
      case Kind::kFloat32:
        copy_ = copied<float, float>(layout);
        break;
      case Kind::kFloat64:
        copy_ = copied<float, double>(layout);
        break;
      case Kind::kFloat16:
        copy_ = copied<float, Fp16>(layout);
        break;
      case Kind::kBFloat16:
        copy_ = copied<float, Bf16>(layout);
        break;
    }
    data_ = copy_.data();
  }

  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  const float* data() const { return data_; }
  int64_t size() const { return rows * columns; }

  void require_finite(const char* name) const {
    for (int64_t i = 0; i < size(); ++i) {
      if (std::isfinite(data_[i])) continue;
      const int64_t r = i / columns, c = i % columns;
      const std::string place = axes_ == 1    ? fmt::format("{}", c)
                                : transposed_ ? fmt::format("{}, {}", c, r)
                                              : fmt::format("{}, {}", r, c);
      throw Error(
          fmt::format("{}[{}] is {} as float32; finite numbers are needed", name, place, data_[i]));
    }
  }

  int64_t rows, columns;

 private:
  const float* data_ = nullptr;
  int64_t axes_;
  bool transposed_;
  std::vector<float> copy_;
};

// H as it is asked for: [columns, columns], symmetric.
inline linalg::Matrix hessian_of(const Array& array, int64_t columns) {
  const Layout layout(array, "hessian", false);
  if (layout.rows != columns || layout.columns != columns) {
    throw Error(
        fmt::format("hessian: {} x {}, but the weights have {} columns; expected inputs.T @ inputs",
                    layout.rows, layout.columns, columns));
  }
  linalg::Matrix out(columns, columns);
  std::vector<double> values;
  if (layout.kind == Kind::kFloat64) {
    values = copied<double, double>(layout);
  } else {
    const Numbers numbers(layout);
    values.assign(numbers.data(), numbers.data() + numbers.size());
  }
  double largest = 0;
  for (const double x : values) {
    if (!std::isfinite(x)) throw Error("hessian: not finite");
    largest = std::max(largest, std::fabs(x));
  }
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const double x = values[static_cast<size_t>(i * columns + j)];
      const double mirrored = values[static_cast<size_t>(j * columns + i)];
      if (std::fabs(x - mirrored) > 1e-5 * largest) {
        throw Error(fmt::format("hessian[{}, {}] is {} and hessian[{}, {}] is {}; it is symmetric",
                                i, j, x, j, i, mirrored));
      }
      out(i, j) = i <= j ? x : mirrored;
    }
    if (out(i, i) < 0)
      throw Error(
          fmt::format("hessian[{}, {}] is {}; no sum of squares is negative", i, i, out(i, i)));
  }
  return out;
}

// Arrays out

template <class T>
nanobind::object array_of(std::vector<T> values, std::vector<int64_t> shape) {
  int64_t size = 1;
  for (const int64_t extent : shape) size *= extent;
  BITLAW_CHECK(size == static_cast<int64_t>(values.size()));
  values.reserve(1);  // an address, also of nothing
  auto kept = std::make_unique<std::vector<T>>(std::move(values));
  T* data = kept->data();
  const nanobind::capsule owner(kept.release(),
                                [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  std::vector<size_t> extents(shape.begin(), shape.end());
  return nanobind::cast(
      nanobind::ndarray<nanobind::numpy, T>(data, extents.size(), extents.data(), owner));
}

// Numbers [rows, columns] in the type of the input; 16-bit floats as their bits.
struct Values {
  std::vector<float> fp32;
  std::vector<double> fp64;
  std::vector<uint16_t> bits;

  Values() = default;
  Values(std::vector<float> values, Kind kind) {
    for (const float x : values) {
      const bool fits = kind == Kind::kFloat16    ? std::fabs(x) < 65520
                        : kind == Kind::kBFloat16 ? std::fabs(x) < 0x1.ffp127f
                                                  : std::isfinite(x);
      if (!fits) {
        throw Error(fmt::format(
            "a rounded number, {}, is beyond the type of the array; give it as a wider one, or "
            "divide it by a constant",
            x));
      }
    }
    if (kind == Kind::kFloat32) {
      fp32 = std::move(values);
    } else if (kind == Kind::kFloat64) {
      fp64.assign(values.begin(), values.end());
    } else {
      bits.resize(values.size());
      std::transform(values.begin(), values.end(), bits.begin(),
                     kind == Kind::kFloat16 ? fp16_bits : bf16_bits);
    }
  }

  nanobind::object array(Kind kind, const std::vector<int64_t>& shape) && {
    if (kind == Kind::kFloat32) return array_of(std::move(fp32), shape);
    if (kind == Kind::kFloat64) return array_of(std::move(fp64), shape);
    return array_of(std::move(bits), shape);
  }
};

template <class T>
std::vector<T> transposed(const std::vector<T>& values, int64_t rows, int64_t columns) {
  std::vector<T> out(values.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      out[static_cast<size_t>(c * rows + r)] = values[static_cast<size_t>(r * columns + c)];
  }
  return out;
}

}  // namespace bitlaw::arrays
