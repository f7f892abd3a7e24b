// bitlaw._core: what the Python package calls.
#include "base/version.h"
#include "bindings.h"

NB_MODULE(_core, module) {
  module.attr("version") = bitlaw::kVersion;
  bitlaw::bind_ask(module);
  bitlaw::bind_frame(module);
  bitlaw::bind_roundings(module);
}
