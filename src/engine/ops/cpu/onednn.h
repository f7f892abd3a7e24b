// Matrix products through oneDNN, which is called only here. Builds against oneDNN 2.x and 3.x.
//
//   C[m,n] (+)= sum_k A[m,k] B[k,n]      A, B both BF16 or both F32; C F32, sums in F32
//
// Single-threaded, regardless of OpenMP's settings. Primitives are created at the first use of a
// shape on a thread and kept for the thread's life; later calls allocate nothing here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/isa.h"
#include "tensor/dtype.h"

namespace bitlaw::cpu::onednn {

struct Problem {
  DType dtype;  // of A and B
  int64_t M, N, K;
  int64_t lda, ldb, ldc;
  bool a_transposed;  // A[m,k] at a[k * lda + m] instead of a[m * lda + k]
  bool b_transposed;  // B[k,n] at b[n * ldb + k] instead of b[k * ldb + n]
  bool b_packed;      // b was made by pack(); ldb and b_transposed do not matter
  bool accumulate;    // C += instead of C =
  bool operator==(const Problem&) const = default;
};

void multiply(const Problem& problem, const void* a, const void* b, float* c);

// B [K, N] in oneDNN's fastest layout: packed once, multiplied often.
size_t packed_bytes(DType dtype, int64_t K, int64_t N);
void pack(DType dtype, int64_t K, int64_t N, const void* b, int64_t ldb, bool b_transposed,
          void* packed);

// Whether this machine multiplies BF16 numbers faster than F32 ones. Decided by the instruction
// sets, not by a clock, so that results do not change from run to run: AMX, or AVX512_BF16 on AMD
// (2.0 times F32 on Zen 5; on Intel without AMX it is 0.6).
bool prefers_bf16();

// "2.6.0": bits may differ between versions.
std::string version();
// Whether BF16 products run on AMX, inside oneDNN.
bool uses_amx();
// The vector instructions that F32 products run on, at most those of this machine and its settings.
Isa isa();

}  // namespace bitlaw::cpu::onednn
