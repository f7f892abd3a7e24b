#include "base/checksum.h"

#include "base/error.h"
#include "base/hash.h"

namespace bitlaw {
namespace {

constexpr const char* kKey = "checksum";

}  // namespace

Json with_checksum(Json document) {
  document.erase(kKey);
  document[kKey] = hash_hex(dump_json(document));
  return document;
}

void require_checksum(const Json& document, const std::string& where) {
  if (!document.is_object() || !document.contains(kKey)) return;
  Json content = document;
  content.erase(kKey);
  if (document.at(kKey) == hash_hex(dump_json(content))) return;
  throw Error(where + ": was changed after it was written: its checksum does not match");
}

}  // namespace bitlaw
