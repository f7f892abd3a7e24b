// The basis in which matrices are rounded with +hadamard, in training and after it. Both operands
// of a product are rotated along its inner dimension, W -> W R and x -> R^T x, which leaves W x
// unchanged. R is block-diagonal. Each block is a Hadamard matrix (Sylvester's, entries +-1)
// divided by the square root of its width b, a power of two. R is symmetric and its own inverse.
//
// An outlier is spread over the b entries of its block, and the entries of a block become nearly
// normal (QuIP#, Tseng et al., 2024; QuaRot, Ashkboos et al., 2024).
//
// This is the only definition of the transform: log2 b sweeps, in sweep s = 0, 1, ...
//
//   (x_i, x_j) <- (x_i + x_j, x_i - x_j)    where j = i + 2^s and bit s of i is 0
//
// then every entry times 1 / sqrt(b), itself rounded once. So the same numbers give the same bits
// on every machine.
#pragma once

#include <cstdint>

namespace bitlaw {

// "As wide as the rows allow" means up to this.
inline constexpr int64_t kWidestRotation = 1 << 16;

// b: the largest power of two that divides the number of columns and is at most `most`. If the
// number of columns is odd, b = 1 and nothing is rotated.
int64_t rotation_width(int64_t columns, int64_t most = kWidestRotation);

// 1 / sqrt(b), rounded to Real.
template <class Real>
Real rotation_factor(int64_t width);

// x R in place, for x [count] in blocks of `width` consecutive entries, which divides count: rows
// whose length `width` divides may follow each other. Every sum and product rounds to Real: an
// entry is within (log2 b + 2) u |x| |R| of the exact one, where u is 2^-24 or 2^-53.
template <class Real>
void rotate_blocks(Real* x, int64_t count, int64_t width);

}  // namespace bitlaw
