// Rows of `bitlaw quantize --json`, for tests that compare them.
#pragma once

#include "base/json.h"

namespace bitlaw {

// Without what differs each time.
inline Json without_seconds(Json rows) {
  for (Json& row : rows) row.erase("seconds");
  return rows;
}

}  // namespace bitlaw
