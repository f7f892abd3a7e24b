// Products on the tile unit of numbers that need more than BF16: sums of BF16 terms, with scales
// that may change along k.
//
//   C[m,n] = addend[m,n] + r_m c_n sum_g a_g[m] b_g[n] sum_{k in block g} A[m,k] B[k,n]
//   A[m,k] = sum_i A_i[m,k],   B[k,n] = sum_j B_j[k,n]          every A_i, B_j a BF16 number
//
// All pairs of terms are multiplied, so that nothing is dropped; partial products are exact, sums
// are in F32. The sum of a block leaves the tiles and is added, scaled, in vectors:
// sum = fma(block, a_g b_g, sum), the product of the two scales rounded first.
//
// Terms are a float's 24 bits cut into groups of eight, leading ones first, all with the same sign:
// one for codes that are BF16 numbers, two for codes of up to 16 bits, three for any float.
//
//   split A   panel of 16 rows    -> steps of 32 k -> terms -> 16 rows x 32 numbers
//   split B   panel of 16 columns -> steps of 32 k -> terms -> 16 pairs of k x 16 columns x 2
//
// A block begins a new step; its last step is padded with zeros.
#pragma once

#include "ops/cpu/amx/products_amx.h"

namespace bitlaw::cpu::amx {

// K numbers in blocks of `block` (the last one may be shorter), each number in `terms` terms.
struct Split {
  int64_t K, block;
  int terms;

  int64_t blocks() const { return (K + block - 1) / block; }
  int64_t steps() const { return K / block * amx::steps(block) + amx::steps(K % block); }
  int64_t panel() const { return steps() * terms * kTile; }  // elements
  int64_t elements(int64_t rows) const { return panels(rows) * panel(); }
};

// Numbers in memory: BF16 (one term) or F32; element (r, k) at x[r * ld + k].
struct Numbers {
  const uint16_t* bf16;  // or null
  const float* f32;
  int64_t ld;
};
void split_left(const Numbers& x, int64_t rows, const Split& split, uint16_t* out);
// B = x^T: its columns are the rows of x.
void split_right(const Numbers& x, int64_t rows, const Split& split, uint16_t* out);

struct SplitProduct {
  int64_t M, N, K, block;
  int a_terms, b_terms;  // 1..3 and 1..2
  const uint16_t* a;  // split A, or BF16 numbers in place where 32 divides the block, 16 M and 32
  int64_t a_panel, a_step, a_row;  // K; distances in elements, terms kTile apart
  const uint16_t* b;               // split B
  const float* a_scales;           // [blocks / a_blocks, M] or null: ones
  const float* b_scales;           // [blocks / b_blocks, N padded to 16] or null: ones
  int64_t a_blocks, b_blocks;      // blocks that share a scale
  const float* row_scales;         // [M] or null
  const float* column_scales;      // [N] or null
  const float* addend;             // or null; may be c; row stride ldc
  float* c;
  int64_t ldc;
  int64_t rows_at_once;  // of C over all columns before the next ones; a multiple of 32
};
void multiply_split(const SplitProduct& product);

}  // namespace bitlaw::cpu::amx
