// CSV tables of runs: any bytes are rows whose numbers can be fitted, or an Error.
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "fit/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  try {
    const Table table = read_table({reinterpret_cast<const char*>(data), size}, "input");
    BITLAW_CHECK(!table.runs.empty());
    for (const Observation& run : table.runs) {
      BITLAW_CHECK(run.params > 0 && std::isfinite(run.params));
      BITLAW_CHECK(run.tokens > 0 && std::isfinite(run.tokens));
      BITLAW_CHECK(run.is_post_training() ? std::isfinite(run.delta_nats) : run.loss_nats > 0);
    }
  } catch (const Error&) {
  }
  return 0;
}
