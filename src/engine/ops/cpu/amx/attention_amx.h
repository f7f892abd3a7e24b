// Causal attention of one sequence on the tile unit (see products_amx.h), from BF16 codes, and its
// gradients rounded to BF16. attention.h defines what is computed.
//
// It works on blocks of 32 queries by 32 keys. Scores leave the tile unit as tiles of sixteen by
// sixteen floats, stay in L1 while they become probabilities, and return to the tile unit as BF16
// in its own layout. Blocks right of the diagonal are never computed.
#pragma once

#include <cstdint>

namespace bitlaw::cpu::amx {

struct HeadCodes {
  const uint16_t* codes;  // BF16, [heads T, dim]
  const float* scales;    // [heads T] or null: ones
};

struct Attention {
  int64_t T, heads, kv_heads, dim;
  HeadCodes q, k, v;
};

// Bytes that the two functions need at `scratch`, which begins at a multiple of 64.
int64_t attention_bytes(const Attention&);
int64_t attention_backward_bytes(const Attention&);

// out [T, heads dim], lse [heads, T]
void attention(const Attention&, float* out, float* lse, void* scratch);

// Destination of gradients: head by head, dq [heads T, dim], dk and dv [kv_heads T, dim]; or, if
// dqkv is given, side by side and rotated back by rope [T, dim]: dqkv [T, (heads + 2 kv_heads)
// dim].
struct Gradients {
  float *dq = nullptr, *dk = nullptr, *dv = nullptr;
  const float* rope = nullptr;
  float* dqkv = nullptr;
};
// from dout and out [T, heads dim]
void attention_backward(const Attention&, const float* out, const float* lse, const float* dout,
                        const Gradients& to, void* scratch);

// For tests: the 2^x and the natural logarithm of the two, on n numbers, a multiple of sixteen.
void powers_of_two(const float* x, int64_t n, float* y);
void logarithms(const float* x, int64_t n, float* y);

}  // namespace bitlaw::cpu::amx
