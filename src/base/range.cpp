#include "base/range.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw {

void require_range(std::string_view key, int64_t value, int64_t least, int64_t largest) {
  if (value >= least && value <= largest) return;
  throw Error(fmt::format("{} = {}: expected {} to {}", key, value, least, largest));
}

}  // namespace bitlaw
