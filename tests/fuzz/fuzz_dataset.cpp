// The files of a data set. dataset.json: any bytes give a description that survives writing and
// reading, or an Error. Token shards: any bytes give tokens inside the file, or an Error.
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "data/dataset.h"
#include "data/shards.h"

namespace {

using namespace bitlaw;

void read_description(const uint8_t* data, size_t size) {
  try {
    const Json document =
        parse_json(std::string(reinterpret_cast<const char*>(data), size), "input");
    const DatasetInfo info = read_dataset_info(document, "input");
    BITLAW_CHECK(to_json(read_dataset_info(to_json(info), "again")) == to_json(info));
    BITLAW_CHECK(!describe(info).empty());
    warnings(info);
  } catch (const Error&) {
  }
}

void read_shard(const uint8_t* data, size_t size) {
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
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_description(data, size);
  read_shard(data, size);
  return 0;
}
