// The version of the layout of run.json and result.json. A later one may mean what this program
// cannot know.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "base/json.h"
#include "record/run.h"

namespace bitlaw {

class LaterVersion : public Error {
 public:
  using Error::Error;
};

// LaterVersion, naming the file, if a later version wrote this record.
inline void require_known_schema(const Json& document, const std::string& where) {
  if (!document.contains("schema") || !document["schema"].is_number()) return;
  const auto schema = document["schema"].get<double>();
  if (schema <= kRunSchema) return;
  throw LaterVersion(fmt::format(
      "{}: was written by a later version of bitlaw (schema {}; this one reads up to {}); use that "
      "version, or give another directory",
      where, schema, kRunSchema));
}

}  // namespace bitlaw
