#include "base/crc32c.h"

#include <array>

namespace bitlaw {
namespace {

constexpr std::array<uint32_t, 256> table_of_bytes() {
  constexpr uint32_t kReflected = 0x82f63b78;
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1U ? kReflected : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = table_of_bytes();

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t rest = ~uint32_t{0};
  for (const char each : bytes)
    rest = rest >> 8 ^ kTable[(rest ^ static_cast<unsigned char>(each)) & 0xff];
  return ~rest;
}

}  // namespace bitlaw
