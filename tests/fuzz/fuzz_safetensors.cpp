// Safetensors: any bytes give consecutive tensors inside the file, or an Error.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const SafetensorsTable table = parse_safetensors(bytes, "input");
    size_t covered = 0;
    for (const auto& [name, entry] : table.entries) {
      BITLAW_CHECK(entry.begin <= entry.end && entry.end <= size);
      covered += entry.end - entry.begin;
    }
    BITLAW_CHECK(covered <= size);
  } catch (const Error&) {
  }
  return 0;
}
