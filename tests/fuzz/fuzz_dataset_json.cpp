// dataset.json: any bytes give a description that survives writing and reading, or an Error.
#include <cstdint>

#include "base/error.h"
#include "base/json.h"
#include "data/dataset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  try {
    const Json document =
        parse_json(std::string(reinterpret_cast<const char*>(data), size), "input");
    const DatasetInfo info = read_dataset_info(document, "input");
    BITLAW_CHECK(to_json(read_dataset_info(to_json(info), "again")) == to_json(info));
    BITLAW_CHECK(!describe(info).empty());
  } catch (const Error&) {
  }
  return 0;
}
