// The settings of one table of config.json, each read with its type and its range; an Error names
// the setting and its value. null counts as left out, as in transformers.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace bitlaw::hf {

class Settings {
 public:
  // Error where `table` is not an object. Keeps a reference. `prefix` stands before the names of
  // settings in errors: "rope_parameters." for an inner table.
  Settings(const Json& table, std::string where, std::string prefix = "");

  bool has(const char* key) const;           // given, and not null
  bool is_null(const char* key) const;       // given as null
  const Json& value(const char* key) const;  // of a setting that is given
  const Json& table() const { return table_; }
  const std::string& where() const { return where_; }

  // Within least..largest. Error where the setting is left out and `otherwise` is not given;
  // `otherwise` itself may lie outside.
  int64_t whole(const char* key, int64_t least, int64_t largest) const;
  int64_t whole(const char* key, int64_t least, int64_t largest, int64_t otherwise) const;
  double number(const char* key, double least, double largest) const;
  double number(const char* key, double least, double largest, double otherwise) const;
  bool truth(const char* key, bool otherwise) const;
  std::string text(const char* key, const std::string& otherwise) const;

  // "WHERE: PREFIX+KEY: WHAT"
  [[noreturn]] void fail(const std::string& key, const std::string& what) const;

 private:
  const Json& table_;
  std::string where_, prefix_;
};

}  // namespace bitlaw::hf
