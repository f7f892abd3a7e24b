// The instruction sets that hot loops are compiled for; one is chosen at run time.
#pragma once

namespace bitlaw {

// In ascending order. The engine for matrix products is chosen separately, inside ops/cpu (oneDNN
// detects AVX512_BF16 and AMX itself).
enum class Isa { kPlain, kAvx2, kAvx512 };

// Of this machine; the environment variable BITLAW_ISA=plain|avx2|avx512 lowers it.
#if defined(__wasm__)
inline Isa best_isa() {
  return Isa::kPlain;
}  // the others are not compiled
#else
Isa best_isa();
#endif
const char* name_of(Isa isa);

}  // namespace bitlaw
