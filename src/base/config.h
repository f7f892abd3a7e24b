// Options as plain structs. A struct lists its fields once,
//
//   struct OptimizerConfig {
//     double lr = 1e-2;  // peak learning rate
//     template <class V> void visit(V& v) { v("lr", lr, "peak learning rate"); }
//   };
//
// and this header provides JSON and TOML input and output, dotted overrides (`train.lr=1e-3`), the
// list of keys with their help, and errors that suggest the nearest known key. Fields may be bool,
// integers, double, std::string, std::vector of those, or another such struct.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace bitlaw {

Json read_toml(const std::filesystem::path& path);  // also takes a .json file
Json parse_toml(const std::string& text, const std::string& where);

// Sets `document.a.b` from "a.b=value"; the value is read as TOML (true, 3, 1e-3, "text", [1, 2]),
// or as plain text if it is not TOML.
void apply_override(Json& document, const std::string& assignment);

std::string dump_toml(const Json& document);  // nested objects become [sections]

struct ConfigKey {
  std::string name;  // dotted
  std::string help;
  Json value;  // in the object that was visited
};

namespace config_detail {

template <class T>
concept Struct = requires(T& t, int& v) {
  t.visit(v);
}
|| std::is_class_v<T>;

template <class T>
inline constexpr bool is_leaf = std::is_arithmetic_v<T> || std::is_same_v<T, std::string>;
template <class T>
inline constexpr bool is_leaf<std::vector<T>> = is_leaf<T>;

[[noreturn]] void wrong_type(const std::string& where, const std::string& key, const char* expected,
                             const Json& value);

template <class T>
void read_leaf(T& out, const Json& value, const std::string& where, const std::string& key) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_boolean()) wrong_type(where, key, "true or false", value);
    out = value.get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    const bool whole =
        value.is_number_integer() ||
        (value.is_number_float() && std::floor(value.get<double>()) == value.get<double>());
    if (!whole) wrong_type(where, key, "a whole number", value);
    // Both ends of T are whole powers of two (or 0), exact as doubles; the upper one is past the
    // end.
    const double low = static_cast<double>(std::numeric_limits<T>::min());
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    const auto number = value.get<double>();
    if (!(number >= low &&
          (number < end || (value.is_number_integer() && value == std::numeric_limits<T>::max()))))
      wrong_type(where, key, number < low ? "a larger number" : "a smaller number", value);
    out = value.is_number_integer() ? value.get<T>() : static_cast<T>(number);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!value.is_number()) wrong_type(where, key, "a number", value);
    out = value.get<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (value.is_number_integer()) {  // `recipe.weights=4` without quotes
      out = value.dump();
    } else {
      if (!value.is_string()) wrong_type(where, key, "text", value);
      out = value.get<std::string>();
    }
  } else {  // vector: a single value means a list of one
    out.clear();
    const Json list = value.is_array() ? value : Json::array({value});
    for (const Json& item : list) {
      typename T::value_type element{};
      read_leaf(element, item, where, key);
      out.push_back(element);
    }
  }
}

struct ToJson {
  Json document = Json::object();
  template <class T>
  void operator()(const char* name, T& field, const char*) {
    if constexpr (is_leaf<T>) {
      document[name] = field;
    } else {
      ToJson inner;
      field.visit(inner);
      document[name] = inner.document;
    }
  }
};

struct Keys {
  std::string prefix;
  std::vector<ConfigKey>* keys;
  template <class T>
  void operator()(const char* name, T& field, const char* help) {
    if constexpr (is_leaf<T>) {
      keys->push_back({prefix + name, help, Json(field)});
    } else {
      Keys inner{prefix + name + ".", keys};
      field.visit(inner);
    }
  }
};

struct Fill {
  const Json& document;
  const std::string& where;
  std::string prefix;
  std::vector<std::string> seen;
  template <class T>
  void operator()(const char* name, T& field, const char*) {
    seen.push_back(name);
    const auto found = document.find(name);
    if (found == document.end()) return;
    if constexpr (is_leaf<T>) {
      read_leaf(field, *found, where, prefix + name);
    } else {
      if (!found->is_object()) wrong_type(where, prefix + name, "a section", *found);
      Fill inner{*found, where, prefix + name + ".", {}};
      field.visit(inner);
      inner.reject_unknown();
    }
  }
  void reject_unknown() const;
};

}  // namespace config_detail

template <class T>
Json to_json(const T& config) {
  config_detail::ToJson visitor;
  const_cast<T&>(config).visit(visitor);
  return visitor.document;
}

template <class T>
std::vector<ConfigKey> config_keys(const T& config = {}) {
  std::vector<ConfigKey> keys;
  config_detail::Keys visitor{"", &keys};
  const_cast<T&>(config).visit(visitor);
  return keys;
}

// Overwrites the fields that `document` names; an unknown key or a wrong type is an Error that
// names `where` (the file, or "the command line").
template <class T>
void fill(T& config, const Json& document, const std::string& where) {
  if (!document.is_object()) throw Error(fmt::format("{}: expected a table of options", where));
  config_detail::Fill visitor{document, where, "", {}};
  config.visit(visitor);
  visitor.reject_unknown();
}

}  // namespace bitlaw
