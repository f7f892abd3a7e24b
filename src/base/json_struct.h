// Structs as JSON objects. A struct lists its fields once,
//
//   struct Validation {
//     double loss_nats = kNoNumber;
//     std::optional<std::string> text_hash;
//     template <class V>
//     void visit(V& v) {
//       v("loss_nats", loss_nats);
//       v.known("text_hash", text_hash);
//     }
//   };
//
// and is written and read by that list. NaN and an empty optional are written as null; a field
// passed to known() is omitted instead. Fields may be bool, integers, double, std::string, Json,
// another such struct, std::optional of those, and std::vector of text, numbers or structs. Keys
// that the struct does not list are ignored, because a later version may have written them. (For
// options, where an unknown key is a mistake, see base/config.h.)
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/json_fields.h"

namespace bitlaw {

inline constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

template <class T>
Json struct_to_json(const T& object);
template <class T>
T struct_from_json(const JsonFields& fields);

namespace json_struct {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
inline constexpr bool is_leaf =
    std::is_arithmetic_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, Json>;

template <class T>
bool is_known(const T& field) {
  if constexpr (is_optional<T>) {
    return field.has_value();
  } else if constexpr (std::is_floating_point_v<T>) {
    return !std::isnan(field);
  } else {
    return !field.empty();  // text, a list, JSON
  }
}

template <class T>
Json value_of(const T& field) {
  if constexpr (is_optional<T>) {
    return field ? value_of(*field) : Json(nullptr);
  } else if constexpr (is_list<T>) {
    Json list = Json::array();
    for (const auto& item : field) list.push_back(value_of(item));
    return list;
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(field) ? Json(nullptr) : Json(field);
  } else if constexpr (is_leaf<T>) {
    return field;
  } else {
    return struct_to_json(field);
  }
}

struct Write {
  Json document = Json::object();
  template <class T>
  void operator()(const char* key, const T& field) {
    document[key] = value_of(field);
  }
  template <class T>
  void known(const char* key, const T& field) {
    if (is_known(field)) document[key] = value_of(field);
  }
};

template <class T>
void read(const JsonFields& fields, const std::string& key, T& field) {
  if constexpr (is_optional<T>) {
    field.reset();
    if (fields.has(key)) read(fields, key, field.emplace());
  } else if constexpr (std::is_same_v<T, bool>) {
    field = fields.truth(key);
  } else if constexpr (std::is_integral_v<T>) {
    field = static_cast<T>(fields.whole(key, std::numeric_limits<T>::min(),
                                        static_cast<int64_t>(std::numeric_limits<T>::max())));
  } else if constexpr (std::is_floating_point_v<T>) {
    field = fields.is_null(key) ? kNoNumber : fields.number(key);
  } else if constexpr (std::is_same_v<T, std::string>) {
    field = fields.text(key);
  } else if constexpr (std::is_same_v<T, Json>) {
    field = fields.at(key);
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    field = fields.texts(key);
  } else if constexpr (std::is_same_v<T, std::vector<double>>) {
    field = fields.numbers(key);
  } else if constexpr (is_list<T>) {
    field.clear();
    for (size_t i = 0; i < fields.list(key).size(); ++i)
      field.push_back(struct_from_json<typename T::value_type>(fields.item(key, i)));
  } else {
    field = struct_from_json<T>(fields.object(key));
  }
}

struct Read {
  const JsonFields& fields;
  template <class T>
  void operator()(const char* key, T& field) {
    read(fields, key, field);
  }
  template <class T>
  void known(const char* key, T& field) {
    if (fields.has(key)) read(fields, key, field);
  }
};

}  // namespace json_struct

template <class T>
Json struct_to_json(const T& object) {
  json_struct::Write write;
  const_cast<T&>(object).visit(write);
  return write.document;
}

// Error, as in JsonFields, if a field is missing or of another type.
template <class T>
T struct_from_json(const JsonFields& fields) {
  T object;
  json_struct::Read read{fields};
  object.visit(read);
  return object;
}
template <class T>
T struct_from_json(const Json& document, const std::string& where) {
  return struct_from_json<T>(JsonFields(document, where));
}

}  // namespace bitlaw
