#include "ops/engine.h"

#include "ops/backend.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/products.h"

namespace bitlaw {
namespace {

struct Settings {
  const char* engine;
  const char* environment;
};
constexpr Settings kSettings[] = {
    {"plain", "BITLAW_ISA=plain"},
    {"avx2", "BITLAW_ISA=avx2"},
    {"avx512", "BITLAW_AMX=0 ONEDNN_MAX_CPU_ISA=AVX512_CORE"},
    {"avx512+bf16-amx", "BITLAW_AMX=0"},
};

}  // namespace

std::string engine_name(const Context& context) {
  if (context.backend != &kCpuBackend) return context.backend->name;
  std::string name = name_of(context.isa);
  switch (cpu::engine_for(context, DType::kBF16)) {
    case cpu::Engine::kAmx:
      name += "+amx";
      break;
    case cpu::Engine::kOneDnnBf16:
      return name + (cpu::onednn::uses_amx() ? "+bf16-amx" : "+bf16");
    case cpu::Engine::kOneDnnF32:
      break;
  }
  const Isa library = cpu::onednn::isa();
  if (library != context.isa) name += std::string("+onednn-") + name_of(library);
  return name;
}

std::string engine_library(const Context& context) {
  return context.backend == &kCpuBackend ? "oneDNN " + cpu::onednn::version() : "";
}

std::string engine_settings(const std::string& name) {
  for (const Settings& one : kSettings) {
    if (name == one.engine) return one.environment;
  }
  return "";
}

}  // namespace bitlaw
