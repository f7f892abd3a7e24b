#include "ops/dispatch.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw {

void refuse_op(const Backend& backend, const char* name) {
  throw Error(fmt::format("backend {} does not implement {}", backend.name, name));
}

void refuse_device(const Backend& backend, const char* op, Device device) {
  throw Error(
      fmt::format("{}: backend {} works on {} memory but was given a tensor in {} memory; "
                  "copy it first",
                  op, backend.name, name_of(backend.device), name_of(device)));
}

void refuse_weight(const Backend& backend, const char* op, const Backend& owner) {
  throw Error(
      fmt::format("{}: backend {} was given a weight that was packed by backend {}; prepare it "
                  "again",
                  op, backend.name, owner.name));
}

}  // namespace bitlaw
