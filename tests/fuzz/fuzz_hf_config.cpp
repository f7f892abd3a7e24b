// config.json of a Hugging Face checkpoint: any bytes give a consistent architecture or an Error.
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "base/json.h"
#include "hf/layout.h"
#include "hf/rotary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  using namespace bitlaw::hf;
  try {
    const Json document =
        parse_json(std::string(reinterpret_cast<const char*>(data), size), "input");
    const Architecture a = parse_architecture(document, "input");
    BITLAW_CHECK(a.width > 0 && a.hidden > 0 && a.vocabulary > 0 && a.context > 0);
    BITLAW_CHECK(a.kv_heads > 0 && a.heads % a.kv_heads == 0);
    BITLAW_CHECK(a.rotary.dim > 0 && a.rotary.dim % 2 == 0 && a.rotary.dim <= a.head_dim);
    BITLAW_CHECK(static_cast<int64_t>(a.window.size()) == a.layers);
    for (const int64_t T : {int64_t{1}, a.context, 2 * a.context}) {
      for (const double frequency : rotary_frequencies(a.rotary, T)) {
        BITLAW_CHECK(std::isfinite(frequency) && frequency >= 0);
      }
    }
    const Layout layout = layout_of(a);
    BITLAW_CHECK(static_cast<int64_t>(layout.layers.size()) == a.layers);
    BITLAW_CHECK(layout.matrix_parameters() > 0 &&
                 layout.matrix_parameters() < layout.layer_parameters());
  } catch (const Error&) {
  }
  return 0;
}
