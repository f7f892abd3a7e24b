// BF16 products on Intel's tile unit (AMX): C[m,n] = addend[m,n] + (sum_k A[m,k] B[k,n])
// (row_scales[m] column_scales[n]), sums in F32.
//
// A tile is sixteen rows of 64 bytes. One instruction multiplies A's sixteen rows of 32 numbers
// with B's 32 x 16, which are stored as sixteen rows of sixteen pairs (k, k + 1):
//
//   tiled A   panel of 16 rows    -> steps of 32 k -> 16 rows x 32 numbers
//   tiled B   panel of 16 columns -> steps of 32 k -> 16 pairs of k x 16 columns x 2 numbers
//
// Edges are padded with zeros. tile() makes either layout from a row-major matrix or its transpose;
// A can also be used in place if its sizes are multiples of a tile's.
#pragma once

#include <cstdint>

namespace bitlaw::cpu::amx {

inline constexpr int64_t kRows = 16, kStep = 32;  // of a tile: rows (or columns) and k
inline constexpr int64_t kTile = kRows * kStep;   // numbers

// Whether the machine has it and the kernel lets this process use it (checked once).
// BITLAW_ISA=avx2|plain and BITLAW_AMX=0 forbid it; with the latter, BF16 products are oneDNN's, as
// on machines without tiles.
bool available();

// Configuring the tile unit takes 200 cycles, as long as multiplying a small matrix. Between hold()
// and let_go(), which may be nested, it stays configured on this thread; whoever calls other code
// that may use it calls interrupt() first.
struct TileUse {
  int held = 0;
  bool configured = false;
};
extern constinit thread_local TileUse tile_use;
void hold();
void let_go();
void interrupt();
void unset_tiles();  // where they are set up

inline int64_t panels(int64_t rows) {
  return (rows + kRows - 1) / kRows;
}
inline int64_t steps(int64_t K) {
  return (K + kStep - 1) / kStep;
}
inline int64_t tiled_elements(int64_t rows, int64_t K) {
  return panels(rows) * steps(K) * kTile;
}

// A [rows, K] as tiled A. Its element (r, k) is x[r * ld + k], or x[k * ld + r] if transposed.
void tile_left(const uint16_t* x, int64_t ld, bool transposed, int64_t rows, int64_t K,
               uint16_t* out);
// B [K, columns] as tiled B. Its element (k, c) is x[k * ld + c], or x[c * ld + k] if
// transposed.
void tile_right(const uint16_t* x, int64_t ld, bool transposed, int64_t K, int64_t columns,
                uint16_t* out);

// The two left sides of a linear layer's gradients, from dy [T, N] F32 with rows ld apart, in one
// pass:
//   g[t, n] = bf16(dy[t, n] column_scales[n])    rows ldg apart, zeros from N up to g_columns (a
//                                                multiple of 32, or of 16 if something follows that
//                                                is written later)
//   h[n, t] = bf16(dy[t, n] row_scales[t])       tiled A of h^T: rows n, K = T, its panels h_panel
//                                                elements apart
// Scales may be null (ones), and so may g or h (not wanted).
struct GradientTargets {
  uint16_t* g;
  int64_t ldg, g_columns;
  uint16_t* h;
  int64_t h_panel;
};
inline int64_t padded(int64_t N) {
  return steps(N) * kStep;
}
inline int64_t padded_rows(int64_t T) {
  return panels(T) * kRows;
}
void gradient_operands(const float* dy, int64_t ld, int64_t T, int64_t N, const float* row_scales,
                       const float* column_scales, const GradientTargets& to);

struct Product {
  int64_t M, N, steps;
  const uint16_t* a;
  int64_t a_panel, a_step, a_row;  // distances of panels, steps and rows of A, in elements
  const uint16_t* b;               // tiled
  int64_t b_panel;                 // distance of panels of B, in elements
  const float* row_scales;         // or null
  const float* column_scales;      // or null
  const float* addend;             // or null; may be c; row stride ldc
  float* c;
  int64_t ldc;
  int64_t rows_at_once;  // of C over all columns before the next ones; a multiple of 32
};
void multiply(const Product& product);

}  // namespace bitlaw::cpu::amx
