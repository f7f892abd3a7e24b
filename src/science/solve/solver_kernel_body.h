// The sums of solver_kernel.h. Included by one file per instruction set, so everything here has
// internal linkage.
//
// Rows go in blocks of 64: their weights are computed once, each column is scaled by them once, and
// every pair of columns is then a dot product out of the first-level cache. The last block is
// padded with rows of weight zero.
#pragma once

#include <cstdint>
#include <cstring>

#include "solve/solver_kernel.h"

namespace bitlaw {
namespace {

typedef double Batch __attribute__((vector_size(64)));
typedef int64_t Mask __attribute__((vector_size(64)));
typedef double Unaligned __attribute__((vector_size(64), aligned(8), may_alias));

constexpr long kLanes = 8, kBatches = 8, kBlock = kLanes * kBatches;

#define BITLAW_ALWAYS inline __attribute__((always_inline))

BITLAW_ALWAYS const Unaligned& at(const double* p) {
  return *reinterpret_cast<const Unaligned*>(p);
}
BITLAW_ALWAYS Unaligned& at(double* p) {
  return *reinterpret_cast<Unaligned*>(p);
}

// Always in this order.
double sum_of(const Batch& v) {
  return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

// `count` numbers, followed by `padding` to a whole block.
void copy_padded(const double* from, long count, double padding, double* to) {
  for (long i = 0; i < count; ++i) to[i] = from[i];
  for (long i = count; i < kBlock; ++i) to[i] = padding;
}

// Residuals, weights and thresholds of 64 rows.
struct Block {
  const double *r, *weights, *thresholds;
  alignas(64) double padded_r[kBlock], padded_weights[kBlock], padded_thresholds[kBlock];

  Block(const RowTerms& terms, const double* residuals) : r(residuals) {
    weights = padded_weights;
    thresholds = padded_thresholds;
    for (long i = 0; i < kBlock; ++i) padded_weights[i] = 1;
    for (long i = 0; i < kBlock; ++i) padded_thresholds[i] = terms.threshold;
  }

  void move_to(const RowTerms& terms, const double* residuals, long first) {
    const long count = terms.rows - first;
    if (count >= kBlock) {
      r = residuals + first;
      if (terms.weights) weights = terms.weights + first;
      if (terms.thresholds) thresholds = terms.thresholds + first;
      return;
    }
    copy_padded(residuals + first, count, 0, padded_r);
    r = padded_r;
    if (terms.weights) {
      copy_padded(terms.weights + first, count, 0, padded_weights);
    } else {
      for (long i = count; i < kBlock; ++i) padded_weights[i] = 0;
    }
    weights = padded_weights;
    if (terms.thresholds) {
      copy_padded(terms.thresholds + first, count, 1, padded_thresholds);
      thresholds = padded_thresholds;
    }
  }
};

// rho, psi and the weight of the second derivative of eight rows, times w.
struct Terms {
  Batch rho, psi, curvature;
};

BITLAW_ALWAYS void robust(const Block& block, long offset, double outside, Terms& out) {
  const Batch r = at(block.r + offset), w = at(block.weights + offset),
              delta = at(block.thresholds + offset);
  const Batch size = r < 0 ? -r : r;
  const Mask within = size <= delta;
  const Batch cut = within ? size : delta;  // |psi| / w
  out.rho = w * (cut * (size - 0.5 * cut));
  out.psi = w * (r < 0 ? -cut : cut);
  out.curvature = within ? w : w * (outside * (delta / size));
}

double objective(const RowTerms& terms, const double* residuals) {
  Block block(terms, residuals);
  Batch sum = {};
  for (long first = 0; first < terms.rows; first += kBlock) {
    block.move_to(terms, residuals, first);
    for (long b = 0; b < kBatches; ++b) {
      Terms t;
      robust(block, b * kLanes, 0, t);
      sum += t.rho;
    }
  }
  return sum_of(sum);
}

// acc += sum over the block's batches of a times b.
BITLAW_ALWAYS void add_product(const double* a, const double* b, double* acc) {
  Batch sum = at(acc);
  for (long k = 0; k < kBlock; k += kLanes) sum += at(a + k) * at(b + k);
  at(acc) = sum;
}

// Layout of the scratch memory.
struct Scratch {
  double *padded, *scaled;      // a block of every column: as it is, and times its weights
  double *gradients, *squares;  // eight partial sums for every entry
};

Scratch divide(double* memory, int columns) {
  Scratch out;
  out.padded = memory;
  out.scaled = out.padded + columns * kBlock;
  out.gradients = out.scaled + columns * kBlock;
  out.squares = out.gradients + columns * kLanes;
  return out;
}

double normal_equations(const RowTerms& terms, const double* residuals, const double* jacobian,
                        long stride, int columns, double outside, double* memory, double* gradient,
                        double* hessian) {
  const Scratch scratch = divide(memory, columns);
  const long sums = columns * (hessian ? columns + 1 : 1) * kLanes;
  for (long i = 0; i < sums; ++i) scratch.gradients[i] = 0;

  Block block(terms, residuals);
  Batch total = {};
  alignas(64) double psi[kBlock], curvature[kBlock];
  for (long first = 0; first < terms.rows; first += kBlock) {
    block.move_to(terms, residuals, first);
    for (long k = 0; k < kBlock; k += kLanes) {
      Terms t;
      robust(block, k, outside, t);
      total += t.rho;
      at(psi + k) = t.psi;
      at(curvature + k) = t.curvature;
    }
    const bool whole = terms.rows - first >= kBlock;
    const double* columns_here = whole ? jacobian + first : scratch.padded;
    const long step = whole ? stride : kBlock;
    for (int j = 0; j < columns; ++j) {
      if (!whole) {
        copy_padded(jacobian + j * stride + first, terms.rows - first, 0,
                    scratch.padded + j * kBlock);
      }
      const double* column = columns_here + j * step;
      add_product(psi, column, scratch.gradients + j * kLanes);
      if (!hessian) continue;
      double* scaled = scratch.scaled + j * kBlock;
      for (long k = 0; k < kBlock; k += kLanes) at(scaled + k) = at(curvature + k) * at(column + k);
      for (int i = 0; i <= j; ++i) {
        add_product(scaled, columns_here + i * step, scratch.squares + (j * columns + i) * kLanes);
      }
    }
  }
  for (int j = 0; j < columns; ++j) {
    gradient[j] = sum_of(at(scratch.gradients + j * kLanes));
    for (int i = 0; hessian && i <= j; ++i) {
      hessian[j * columns + i] = hessian[i * columns + j] =
          sum_of(at(scratch.squares + (j * columns + i) * kLanes));
    }
  }
  return sum_of(total);
}

void move(long rows, const double* r, const double* jacobian, long stride, int columns,
          const double* s, double* out) {
  long i = 0;
  for (; i + kLanes <= rows; i += kLanes) {
    Batch sum = at(r + i);
    for (int j = 0; j < columns; ++j) sum += at(jacobian + j * stride + i) * s[j];
    at(out + i) = sum;
  }
  for (; i < rows; ++i) {
    double sum = r[i];
    for (int j = 0; j < columns; ++j) sum += jacobian[j * stride + i] * s[j];
    out[i] = sum;
  }
}

#undef BITLAW_ALWAYS

}  // namespace
}  // namespace bitlaw
