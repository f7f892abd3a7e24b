// Matrix products of the CPU backend, on any engine of the machine:
//
//   C[m,n] (+)= (sum_k A[m,k] B[k,n]) (row_scales[m] column_scales[n])
//
// A and B hold BF16 or F32 numbers; both F32 if either is. Sums are in F32; the two scales are
// multiplied first. Products of two BF16 numbers are exact in F32, so a machine without fast BF16
// arithmetic widens the numbers and multiplies in F32: the same up to the order of sums, and the
// same bits on integer codes whose sums stay within 2^24.
#pragma once

#include "ops/context.h"
#include "ops/cpu/amx/head_amx.h"
#include "ops/cpu/kernels.h"

namespace bitlaw::cpu {

enum class Engine {
  kAmx,         // BF16 numbers as they are, products_amx.h
  kOneDnnBf16,  // BF16 numbers as they are, oneDNN (AVX512_BF16)
  kOneDnnF32,   // BF16 numbers widened
};

const Kernels& kernels(const Context& context);
Engine engine_for(const Context& context, DType dtype);

// A view of a matrix, F32 or BF16.
struct Source {
  DType dtype;
  const void* data;
  int64_t ld;
  bool transposed = false;  // element (r, c) at data[c * ld + r] instead of data[r * ld + c]
};
inline Source source(const Tensor& x, bool transposed = false) {
  return {x.dtype(), x.raw(), x.extent(1), transposed};
}

// The right side of products, in the layout of its engine.
struct Right {
  Engine engine = Engine::kOneDnnF32;
  DType dtype = DType::kF32;  // of the numbers, before widening
  int64_t K = 0, N = 0;
  bool packed = false;  // memory holds all of it; otherwise `source` does
  Source source{};
  Tensor memory;       // elements of the type that is multiplied
  int64_t offset = 0;  // kAmx: start of this part in `memory`, in elements
  int64_t panel = 0;   // kAmx: distance between its panels, in elements
};

// Any part of B may be taken by part().
inline bool has_parts(const Right& b) {
  return b.engine == Engine::kAmx || !b.packed;
}
// B from row k0 and column n0 on; multiples of 32 and 16.
Right part(const Right& b, int64_t k0, int64_t n0);

// B [K, N] for a few products, until the caller's workspace scope ends. `source` must stay until
// then.
Right arrange(Context&, int64_t K, int64_t N, const Source& source);
// B [K, N] for many products: packed into separate memory, which is reused if it has the right
// size.
void pack(Context&, int64_t K, int64_t N, const Source& source, Right& out);

// The left side of a product: numbers in place, or as prepared for a gradient's operands.
struct Left {
  Left() = default;
  Left(const Source& numbers) : source(numbers) {}
  Source source{};
  struct Distances {
    int64_t panel, step, row;
  };
  Distances tiled{};  // kAmx only: source.data is ready for the tile unit, with these distances
};

// C [M, N] with row stride ldc. An arranged (not packed) B may be used in part: K and N up to its
// own. With scales, `addend` must be null or c on the oneDNN engines.
struct Scales {
  const float* rows = nullptr;     // [M] or null: ones
  const float* columns = nullptr;  // [N] or null: ones
};
void multiply(Context&, int64_t M, int64_t N, int64_t K, const Left& a, const Right& b,
              Scales scales, bool accumulate, float* c, int64_t ldc);
// C = addend + the product; addend [M, N] has row stride ldc and may be c.
void multiply_add(Context&, int64_t M, int64_t N, int64_t K, const Left& a, const Right& b,
                  Scales scales, const float* addend, float* c, int64_t ldc);

// The gated linear unit on the tile unit: a [M, K], b [K, 2F] packed, gate first; 16 divides F.
// y [M, F], dense; what is kept has rows of 2F.
void multiply_gated(Context&, int64_t M, int64_t F, int64_t K, const Left& a, const Right& b,
                    Scales scales, const KeptGate& kept, float* y);

// The head's loss on the tile unit, for the columns first .. first + N of the vocabulary, which are
// those of `table` [d, N]: see head_amx.h. x [T, d] BF16.
struct LogitColumns {
  Source x;
  int64_t T, d, first, N;
  Right table;
  const uint16_t* targets;  // [T]
  const float* shift;       // [T]
};
void add_exponentials(Context&, const LogitColumns&, float* sums, float* target_logits,
                      float* kept);

// --------------------------------------------------------------------- a linear layer's gradients

// The left sides of a linear layer's gradients, in the type of gradients, from dy [T, N] F32 with
// rows ld apart:
//   for_input [T, N]  = round(dy[t, n] column_scales[n])
//   for_weight [N, T] = round(dy[t, n] row_scales[t])
// Either may be null. They live until the caller's workspace scope ends. A given `for_weight` is to
// be multiplied with K = T, `for_input` with K = N.
void gradient_operands(Context&, int64_t T, int64_t N, const float* dy, int64_t ld,
                       const float* row_scales, const float* column_scales, Left* for_input,
                       Left* for_weight);

bool is_tiled(const Context&);  // products of gradients run on the tile unit

// The same on the tile unit, made block by block from a dy that is never stored as a whole.
class TiledGradients {
 public:
  // 16 divides N. for_input has `lead` columns of zeros before them, for a right side that can only
  // be entered at a multiple of 32, and `rows` rows at a time (32 divides them, or they are all).
  TiledGradients(Context&, int64_t T, int64_t N, int64_t lead, int64_t rows);
  TiledGradients(Context& context, int64_t T, int64_t N, int64_t lead)
      : TiledGradients(context, T, N, lead, T) {}
  // The block of rows t .. t + rows and columns n .. n + columns; 32 divides t, 16 n and columns,
  // and blocks of a row come in ascending n. Scales begin at the block.
  void round(const float* dy, int64_t ld, int64_t t, int64_t n, int64_t rows, int64_t columns,
             const float* row_scales, const float* column_scales) const;
  // Or all of it at once, the gradient of the loss.
  void round(Context&, const LogitColumns& logits, const float* factor, float scale) const;
  // Or columns n .. n + kept.N of at most 32 rows from t on, which are the rows of for_input.
  void round(const amx::KeptRows& kept, int64_t t, int64_t n, const float* factor,
             float scale) const;
  Left for_input() const;
  Left for_weight() const;

 private:
  int64_t T_, N_, lead_, ldg_;
  uint16_t *g_, *h_;
};

}  // namespace bitlaw::cpu
