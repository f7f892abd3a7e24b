#include "sweep/paths.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/names.h"
#include "base/nesting.h"
#include "base/text.h"

namespace bitlaw {
namespace {

// `depth`: of the place in its document.
void set_below(Json& document, const std::string& dotted, const Json& value, int depth) {
  Json* place = &document;
  for (const std::string& part : split(dotted, '.')) {
    if (++depth > kDeepestNesting) {
      throw Error(
          fmt::format("{}...: is nested more than {} levels deep (each part of a key with "
                      "dots is a level)",
                      printable(dotted.substr(0, 40)), kDeepestNesting));
    }
    if (!place->is_object()) *place = Json::object();
    place = &(*place)[part];
  }
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) set_below(*place, key, inner, depth);
  } else {
    *place = value;
  }
}

}  // namespace

void set_path(Json& document, const std::string& dotted, const Json& value) {
  set_below(document, dotted, value, 0);
}

void merge(Json& document, const Json& keys) {
  for (const auto& [key, value] : keys.items()) set_path(document, key, value);
}

const Json* find_path(const Json& document, const std::string& dotted) {
  const Json* place = &document;
  for (const std::string& part : split(dotted, '.')) {
    if (!place->is_object() || !place->contains(part)) return nullptr;
    place = &(*place)[part];
  }
  return place;
}

void flatten(const Json& document, const std::string& prefix,
             std::vector<std::pair<std::string, Json>>& out) {
  for (const auto& [key, value] : document.items()) {
    if (value.is_object())
      flatten(value, prefix + key + ".", out);
    else
      out.emplace_back(prefix + key, value);
  }
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:g}", value.get<double>());
  return dump_json(value);
}

}  // namespace bitlaw
