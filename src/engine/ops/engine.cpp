#include "ops/engine.h"

#include "ops/backend.h"
#include "ops/cpu/products.h"

namespace bitlaw {

std::string engine_name(const Context& context) {
  if (context.backend != &kCpuBackend) return context.backend->name;
  std::string name = name_of(context.isa);
  switch (cpu::engine_for(context, DType::kBF16)) {
    case cpu::Engine::kAmx:
      return name + "+amx";
    case cpu::Engine::kOneDnnBf16:
      return name + "+bf16";
    case cpu::Engine::kOneDnnF32:
      break;
  }
  return name;
}

}  // namespace bitlaw
