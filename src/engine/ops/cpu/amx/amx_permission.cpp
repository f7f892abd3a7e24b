// Whether tile instructions may be used. Separate from products_amx.cpp, because this runs on any
// machine.
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "ops/cpu/amx/products_amx.h"

namespace bitlaw::cpu::amx {
namespace {

constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM of Linux' <asm/prctl.h>
constexpr int kTileData = 18;               // XFEATURE_XTILEDATA

bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  const bool bf16 = (d >> 22 & 1u) != 0, tile = (d >> 24 & 1u) != 0;
  return bf16 && tile && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl");
}

bool decide() {
  if (const char* wish = std::getenv("BITLAW_ISA"); wish != nullptr) {
    if (std::string_view(wish) == "plain" || std::string_view(wish) == "avx2") return false;
  }
  if (const char* wish = std::getenv("BITLAW_AMX");
      wish != nullptr && std::string_view(wish) == "0")
    return false;
  return has_tiles() && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

constinit thread_local TileUse tile_use;

void hold() {
  ++tile_use.held;
}

void let_go() {
  if (--tile_use.held == 0) interrupt();
}

void interrupt() {
  if (tile_use.configured) unset_tiles();
}

// The permission is the process's: threads started before and after have it too.
bool available() {
  static const bool available = decide();
  return available;
}

}  // namespace bitlaw::cpu::amx
