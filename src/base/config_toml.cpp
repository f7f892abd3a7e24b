// TOML and overrides as JSON: what options read from files and the command line.
#include <toml++/toml.h>

#include <sstream>

#include "base/config.h"
#include "base/input_file.h"
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

}  // namespace bitlaw
