// The fields of a JSON object that others wrote, with errors that name the place:
// "DIR/tokenizer.json: pre_tokenizer.behavior is not text".
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace bitlaw {

class JsonFields {
 public:
  // `object` must outlive this. Error unless it is an object.
  JsonFields(const Json& object, std::string file, std::string path = "");

  bool has(const char* key) const;  // present and not null
  const std::string& type() const { return text("type"); }

  // Error where the field is missing or of another type; fields that are null count as missing.
  const Json& at(const char* key) const;
  const std::string& text(const char* key) const;
  std::string text(const char* key, const std::string& otherwise) const;
  bool truth(const char* key, bool otherwise) const;
  int64_t whole(const char* key) const;
  const Json& list(const char* key) const;
  JsonFields object(const char* key) const;
  JsonFields item(const char* key, size_t index) const;  // an object in a list

  std::string place() const;  // "FILE: PATH"

  // Error: "FILE: PATH<sentence>", where sentence begins with what follows the path's name.
  [[noreturn]] void fail(const std::string& sentence) const;
  [[noreturn]] void fail(const char* key, const std::string& sentence) const;

 private:
  std::string name_of(const char* key) const;

  const Json& object_;
  std::string file_, path_;
};

}  // namespace bitlaw
