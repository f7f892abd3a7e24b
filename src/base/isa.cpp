#include "base/isa.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "base/error.h"

namespace bitlaw {
namespace {

Isa machine_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::kAvx2;
#endif
  return Isa::kPlain;
}

Isa chosen_isa() {
  const Isa machine = machine_isa();
  const char* wish = std::getenv("BITLAW_ISA");
  if (wish == nullptr || *wish == '\0') return machine;
  for (Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
    if (std::string_view(wish) != name_of(isa)) continue;
    if (isa > machine) {
      throw Error(
          fmt::format("BITLAW_ISA={}: this machine supports at most {}", wish, name_of(machine)));
    }
    return isa;
  }
  throw Error(fmt::format("BITLAW_ISA={}: expected plain, avx2 or avx512", wish));
}

}  // namespace

Isa best_isa() {
  static const Isa isa = chosen_isa();
  return isa;
}

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::kPlain:
      return "plain";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "?";
}

}  // namespace bitlaw
