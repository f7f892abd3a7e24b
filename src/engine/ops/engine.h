// What multiplies matrices on this machine, for the record of a run: another engine adds in another
// order, so it gives another run (docs/numerics.md).
#pragma once

#include <string>

#include "ops/context.h"

namespace bitlaw {

// "avx512+amx", "avx512+bf16", "avx512", "avx2" or "plain" for products of BF16 numbers on the CPU
// backend; the name of any other backend.
std::string engine_name(const Context& context);

}  // namespace bitlaw
