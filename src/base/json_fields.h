// Typed access to the fields of a JSON object. Every Error names the place, the expected type and
// the value found:
//
//   DIR/config.json: rope_parameters.factor must be a number, not "two"
//
// Options as structs are in base/config.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitlaw {

class JsonFields {
 public:
  // `object` must outlive this. `where` is the file, `path` the place of the object in it. Error
  // unless it is an object.
  JsonFields(const Json& object, std::string where, std::string path = "");

  bool has(const std::string& key) const;      // given, and not null
  bool is_null(const std::string& key) const;  // given as null
  const std::string& type() const { return text("type"); }

  // Error if the field is missing or of another type; null counts as missing. With `otherwise` the
  // field may be missing; `otherwise` itself may be outside of the range.
  const Json& at(const std::string& key) const;
  const std::string& text(const std::string& key) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  bool truth(const std::string& key) const;
  bool truth(const std::string& key, bool otherwise) const;
  int64_t whole(const std::string& key) const;
  int64_t whole(const std::string& key, int64_t least, int64_t largest) const;
  int64_t whole(const std::string& key, int64_t least, int64_t largest, int64_t otherwise) const;
  double number(const std::string& key) const;
  double number(const std::string& key, double least, double largest) const;
  double number(const std::string& key, double least, double largest, double otherwise) const;
  const Json& list(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;
  std::vector<double> numbers(const std::string& key) const;
  JsonFields object(const std::string& key) const;
  JsonFields item(const std::string& key, size_t index) const;  // an object in a list

  const Json& document() const { return object_; }
  const std::string& where() const { return where_; }
  std::string place() const;  // "WHERE: PATH"

  // Throws Error "WHERE: PATH SENTENCE"; SENTENCE continues after the name of the object or field.
  [[noreturn]] void fail(const std::string& sentence) const;
  [[noreturn]] void fail(const std::string& key, const std::string& sentence) const;
  // Throws Error "WHERE: PATH must be EXPECTED, not VALUE".
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

 private:
  std::string name_of(const std::string& key) const;

  const Json& object_;
  std::string where_, path_;
};

// A number that is not finite becomes null, and null or a missing field becomes NaN.
Json json_number(double value);
double number_in(const Json& object, const char* key);

// "must be a whole number, not 64.5"; a long value is abbreviated.
std::string must_be(const std::string& expected, const Json& value);

}  // namespace bitlaw
