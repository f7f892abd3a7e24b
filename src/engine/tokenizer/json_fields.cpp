#include "tokenizer/json_fields.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw {

JsonFields::JsonFields(const Json& object, std::string file, std::string path)
    : object_(object), file_(std::move(file)), path_(std::move(path)) {
  if (!object_.is_object()) fail("is not an object");
}

std::string JsonFields::name_of(const char* key) const {
  return path_.empty() ? key : fmt::format("{}.{}", path_, key);
}

std::string JsonFields::place() const {
  return fmt::format("{}: {}", file_, path_.empty() ? "the document" : path_);
}

void JsonFields::fail(const std::string& sentence) const {
  throw Error(fmt::format("{} {}", place(), sentence));
}

void JsonFields::fail(const char* key, const std::string& sentence) const {
  throw Error(fmt::format("{}: {} {}", file_, name_of(key), sentence));
}

bool JsonFields::has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const Json& JsonFields::at(const char* key) const {
  if (!has(key)) fail(key, "is missing");
  return *object_.find(key);
}

const std::string& JsonFields::text(const char* key) const {
  if (!at(key).is_string()) fail(key, "is not text");
  return at(key).get_ref<const std::string&>();
}

std::string JsonFields::text(const char* key, const std::string& otherwise) const {
  return has(key) ? text(key) : otherwise;
}

bool JsonFields::truth(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_boolean()) fail(key, "is not true or false");
  return at(key).get<bool>();
}

int64_t JsonFields::whole(const char* key) const {
  if (!at(key).is_number_integer()) fail(key, "is not a whole number");
  return at(key).get<int64_t>();
}

const Json& JsonFields::list(const char* key) const {
  if (!at(key).is_array()) fail(key, "is not a list");
  return at(key);
}

JsonFields JsonFields::object(const char* key) const {
  return JsonFields(at(key), file_, name_of(key));
}

JsonFields JsonFields::item(const char* key, size_t index) const {
  return JsonFields(list(key)[index], file_, fmt::format("{}[{}]", name_of(key), index));
}

}  // namespace bitlaw
