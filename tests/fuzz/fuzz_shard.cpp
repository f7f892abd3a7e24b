// Token shards: any bytes give tokens inside the file, or an Error.
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "data/shards.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  std::vector<Token> aligned((size + 1) / sizeof(Token));
  if (size > 0) std::memcpy(aligned.data(), data, size);
  const std::string_view bytes(reinterpret_cast<const char*>(aligned.data()), size);
  for (const ShardFormat format : {ShardFormat::kAuto, ShardFormat::kLlmC, ShardFormat::kBare}) {
    try {
      const std::span<const Token> tokens = parse_shard(bytes, "input", format);
      BITLAW_CHECK(!tokens.empty());
      BITLAW_CHECK(reinterpret_cast<const char*>(tokens.data()) >= bytes.data());
      BITLAW_CHECK(reinterpret_cast<const char*>(tokens.data() + tokens.size()) <=
                   bytes.data() + bytes.size());
      const TokenSet set(std::vector<Token>(tokens.begin(), tokens.end()));
      BITLAW_CHECK(set.size() == static_cast<int64_t>(tokens.size()));
      set.check_vocabulary(set.largest() + 1);
    } catch (const Error&) {
    }
  }
  return 0;
}
