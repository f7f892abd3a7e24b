// What multiplies matrices on this machine, for the record of a run: another engine adds in another
// order, so it gives another run (docs/numerics.md).
#pragma once

#include <string>

#include "ops/context.h"

namespace bitlaw {

// For products of BF16 numbers on the CPU backend:
//
//   avx512+amx       the tile unit, with our own products
//   avx512+bf16-amx  the tile unit, inside oneDNN
//   avx512+bf16      AVX512_BF16, inside oneDNN
//   avx512, avx2, plain   BF16 numbers widened, on these vectors, inside oneDNN
//
// If oneDNN is held to other vectors than our own kernels, it is named: avx512+onednn-avx2. The name
// of any other backend. Equal names and equal libraries are equal bits.
std::string engine_name(const Context& context);

// What products come from besides this program: "oneDNN 2.6.0", or "" for none. On the tile unit
// only those of FP32 numbers do.
std::string engine_library(const Context& context);

// The settings with which a machine that has more computes as the engine of that name does, such as
// "BITLAW_ISA=avx2"; "" if there are none.
std::string engine_settings(const std::string& name);

}  // namespace bitlaw
