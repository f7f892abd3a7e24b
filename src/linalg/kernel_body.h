// Included by one file per instruction set, which first defines, in an unnamed namespace:
//
//   Lanes         a vector of doubles: kCount, load (doubles, or floats widened), store, all
//                 (broadcast), product(a, b), fma(a, b, c)
//   kTileRows     rows of C held in registers
//   kTileVectors  vectors in each of these rows
//
// Everything here has internal linkage and instantiates nothing of the standard library, so that no
// function compiled for one instruction set is called on a machine without it.
//
// C is cut into tiles that stay in registers while p runs over a block of the depth. Operands are
// packed first, so that a tile's rows of A, and its columns of B, are contiguous for p = 0, 1, ...
// A tile is read from C before a block of the depth and written after it. That is exact, so
// blocking does not change the chain of an entry.
#pragma once

#include "linalg/kernel.h"

namespace bitlaw::linalg {
namespace {

constexpr int kTileColumns = kTileVectors * Lanes::kCount;
// Packed blocks of A (384 KB) and B (one strip of it 48 KB with AVX-512) live in the second-level
// cache.
constexpr int64_t kBlockDepth = 256, kBlockRows = 192, kBlockColumns = 480;
static_assert(kBlockRows % kTileRows == 0 && kBlockColumns % kTileColumns == 0);
constexpr int64_t kScratchDoubles = (kBlockRows + kBlockColumns) * kBlockDepth;

int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// Strips of kWidth entries along i: out[strip][p][i within the strip] = sign in[i, p]; the last
// strip is filled up with zeros. `along` and `down` are the strides of i and p.
template <int kWidth, class T>
void pack(const T* in, int64_t along, int64_t down, int64_t count, int64_t depth, double sign,
          double* __restrict out) {
  const int64_t whole = along == 1 ? count / kWidth * kWidth : 0, strip = depth * kWidth;
  const Lanes factor = Lanes::all(sign);
  // Row after row of the input, because that is contiguous; down the strips, pages are far apart.
  for (int64_t p = 0; p < depth; ++p) {
    const T* row = in + p * down;
    double* to = out + p * kWidth;
    for (int64_t i = 0; i < whole; i += kWidth, to += strip) {
#pragma GCC unroll 8
      for (int j = 0; j < kWidth; j += Lanes::kCount)
        Lanes::product(factor, Lanes::load(row + i + j)).store(to + j);
    }
  }
  for (int64_t first = whole; first < count; first += kWidth) {
    const int64_t width = smaller(kWidth, count - first);
    double* to = out + first * depth;
    for (int64_t p = 0; p < depth; ++p, to += kWidth) {
      for (int64_t i = 0; i < width; ++i)
        to[i] = sign * static_cast<double>(in[(first + i) * along + p * down]);
      for (int64_t i = width; i < kWidth; ++i) to[i] = 0;
    }
  }
}

void tile(int64_t depth, const double* a, const double* b, double* c, int64_t c_row) {
  Lanes sum[kTileRows][kTileVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kTileVectors; ++v)
      sum[i][v] = Lanes::load(c + i * c_row + v * Lanes::kCount);
  }
  for (int64_t p = 0; p < depth; ++p, a += kTileRows, b += kTileColumns) {
    Lanes column[kTileVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kTileVectors; ++v) column[v] = Lanes::load(b + v * Lanes::kCount);
#pragma GCC unroll 16
    for (int i = 0; i < kTileRows; ++i) {
      const Lanes row = Lanes::all(a[i]);
#pragma GCC unroll 4
      for (int v = 0; v < kTileVectors; ++v) sum[i][v] = Lanes::fma(row, column[v], sum[i][v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kTileVectors; ++v) sum[i][v].store(c + i * c_row + v * Lanes::kCount);
  }
}

// A tile that extends beyond C goes through a copy.
void partial_tile(int64_t depth, const double* a, const double* b, double* c, int64_t c_row,
                  int64_t rows, int64_t columns) {
  double copy[kTileRows * kTileColumns] = {};
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) copy[i * kTileColumns + j] = c[i * c_row + j];
  }
  tile(depth, a, b, copy, kTileColumns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) c[i * c_row + j] = copy[i * kTileColumns + j];
  }
}

void packed_product(int64_t rows, int64_t columns, int64_t depth, const double* a, const double* b,
                    double* c, int64_t c_row) {
  for (int64_t j = 0; j < columns; j += kTileColumns) {
    const int64_t width = smaller(kTileColumns, columns - j);
    for (int64_t i = 0; i < rows; i += kTileRows) {
      const int64_t height = smaller(kTileRows, rows - i);
      double* corner = c + i * c_row + j;
      if (height == kTileRows && width == kTileColumns) {
        tile(depth, a + i * depth, b + j * depth, corner, c_row);
      } else {
        partial_tile(depth, a + i * depth, b + j * depth, corner, c_row, height, width);
      }
    }
  }
}

template <class T>
void product(const Product<T>& x, double* scratch) {
  double *packed_a = scratch, *packed_b = scratch + kBlockRows * kBlockDepth;
  for (int64_t j = 0; j < x.columns; j += kBlockColumns) {
    const int64_t columns = smaller(kBlockColumns, x.columns - j);
    for (int64_t p = 0; p < x.depth; p += kBlockDepth) {
      const int64_t depth = smaller(kBlockDepth, x.depth - p);
      pack<kTileColumns>(x.b + p * x.b_row + j, 1, x.b_row, columns, depth, 1.0, packed_b);
      for (int64_t i = 0; i < x.rows; i += kBlockRows) {
        const int64_t rows = smaller(kBlockRows, x.rows - i);
        pack<kTileRows>(x.a + i * x.a_row + p * x.a_column, x.a_row, x.a_column, rows, depth,
                        x.sign, packed_a);
        packed_product(rows, columns, depth, packed_a, packed_b, x.c + i * x.c_row + j, x.c_row);
      }
    }
  }
}

void axpy(int64_t n, double a, const double* x, double* y) {
  const Lanes factor = Lanes::all(a);
  int64_t i = 0;
  for (; i + Lanes::kCount <= n; i += Lanes::kCount)
    Lanes::fma(factor, Lanes::load(x + i), Lanes::load(y + i)).store(y + i);
  for (; i < n; ++i) y[i] = __builtin_fma(a, x[i], y[i]);
}

constexpr Kernel kKernel{kTileRows,       kTileColumns,   kScratchDoubles,
                         product<double>, product<float>, axpy};

}  // namespace
}  // namespace bitlaw::linalg
