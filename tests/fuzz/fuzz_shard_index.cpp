// model.safetensors.index.json of a sharded checkpoint: any bytes give a map from tensors to files
// in the same directory, or an Error.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "hf/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  try {
    const auto shard_of =
        hf::parse_shard_index(std::string(reinterpret_cast<const char*>(data), size), "input");
    BITLAW_CHECK(!shard_of.empty());
    for (const auto& [tensor, shard] : shard_of) {
      BITLAW_CHECK(!shard.empty() && shard != ".." && shard.find('/') == std::string::npos);
    }
  } catch (const Error&) {
  }
  return 0;
}
