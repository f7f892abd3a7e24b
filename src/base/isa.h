// The instruction sets that hot loops are compiled for, one of which is chosen at run time.
#pragma once

namespace bitlaw {

// In ascending order of what they can do. The first product backend that a machine has is chosen
// apart from this, inside ops/cpu (oneDNN looks for AVX512_BF16 and AMX itself).
enum class Isa { kPlain, kAvx2, kAvx512 };

Isa best_isa();  // of this machine; the environment variable BITLAW_ISA=plain|avx2|avx512 lowers it
const char* name_of(Isa isa);

}  // namespace bitlaw
