#include "base/config.h"

#include <toml++/toml.h>

#include <sstream>

#include "base/input_file.h"
#include "base/names.h"
#include "base/nesting.h"

namespace bitlaw {
namespace {

Json from_toml(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: {
      Json object = Json::object();
      for (const auto& [key, value] : *node.as_table())
        object[std::string(key.str())] = from_toml(value);
      return object;
    }
    case toml::node_type::array: {
      Json array = Json::array();
      for (const auto& value : *node.as_array()) array.push_back(from_toml(value));
      return array;
    }
    case toml::node_type::string:
      return node.as_string()->get();
    case toml::node_type::integer:
      return node.as_integer()->get();
    case toml::node_type::floating_point:
      return node.as_floating_point()->get();
    case toml::node_type::boolean:
      return node.as_boolean()->get();
    default: {
      std::ostringstream text;
      text << node.as_date();
      return text.str();
    }
  }
}

void print_section(const Json& object, const std::string& prefix, std::string& out) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) out += fmt::format("{} = {}\n", key, dump_json(value));
  }
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) continue;
    out += fmt::format("\n[{}{}]\n", prefix, key);
    print_section(value, prefix + key + ".", out);
  }
}

}  // namespace

Json parse_toml(const std::string& text, const std::string& where) {
  if (toml_nesting(text) > kDeepestNesting) {
    throw Error(
        fmt::format("{}: is nested more than {} levels deep (each part of a dotted key "
                    "is a level)",
                    where, kDeepestNesting));
  }
  try {
    return from_toml(toml::parse(text));
  } catch (const toml::parse_error& error) {
    throw Error(
        fmt::format("{}: line {}: {}", where, error.source().begin.line, error.description()));
  }
}

Json read_toml(const std::filesystem::path& path) {
  const std::string text = read_input_file(path);
  return path.extension() == ".json" ? parse_json(text, path.string())
                                     : parse_toml(text, path.string());
}

void apply_override(Json& document, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(fmt::format(
        "'{}' is not an option: expected a file or KEY=VALUE, for example train.lr=1e-3",
        assignment));
  }
  const std::string text = assignment.substr(equals + 1);
  Json value;
  try {
    value = parse_toml("value = " + text, "").at("value");
  } catch (const Error&) {
    value = text;
  }
  const std::vector<std::string> parts = split(assignment.substr(0, equals), '.');
  if (parts.size() > kDeepestNesting) {
    throw Error(fmt::format("{}...: a key of {} parts is nested more than {} levels deep",
                            assignment.substr(0, 40), parts.size(), kDeepestNesting));
  }
  Json* place = &document;
  for (const std::string& part : parts) {
    if (!place->is_object()) *place = Json::object();
    place = &(*place)[part];
  }
  *place = value;
}

std::string dump_toml(const Json& document) {
  std::string out;
  print_section(document, "", out);
  return out;
}

namespace config_detail {

void wrong_type(const std::string& where, const std::string& key, const char* expected,
                const Json& value) {
  throw Error(fmt::format("{}: {} must be {}, not {}", where, key, expected, dump_json(value)));
}

void Fill::reject_unknown() const {
  for (const auto& [key, value] : document.items()) {
    bool known = false;
    for (const std::string& name : seen) known = known || name == key;
    if (known) continue;
    std::vector<std::string> all;
    for (const std::string& name : seen) all.push_back(prefix + name);
    throw Error(fmt::format("{}: {}", where, unknown_name("key", prefix + key, all)));
  }
}

}  // namespace config_detail
}  // namespace bitlaw
