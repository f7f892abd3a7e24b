#include "sweep/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "base/text.h"

namespace bitlaw {
namespace {

// "a.b" and nested objects come to the same: {a: {b: value}}.
void set_path(Json& document, const std::string& dotted, const Json& value) {
  Json* place = &document;
  for (const std::string& part : split(dotted, '.')) {
    if (!place->is_object()) *place = Json::object();
    place = &(*place)[part];
  }
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) set_path(*place, key, inner);
  } else {
    *place = value;
  }
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

// "4" and 4 are the same, and so are 1e6 and 1000000.
bool equal(const Json& a, const Json& b) {
  return (a.is_number() && b.is_number()) ? a.get<double>() == b.get<double>()
                                          : text_of(a) == text_of(b);
}

void require_known(const std::string& key, const std::vector<std::pair<std::string, Json>>& known,
                   const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) names.push_back(name);
  if (std::find(names.begin(), names.end(), key) != names.end()) return;
  throw Error(fmt::format("{}: {}", where,
                          unknown_name("key", key, names, "`bitlaw train --help` lists the keys")));
}

void expand_grid(const Json& grid, const Json& base, const Json& variants, const std::string& where,
                 std::vector<Cell>& cells) {
  std::vector<std::pair<std::string, Json>> axes;
  for (const auto& [key, value] : grid.items()) {
    if (value.is_object() && !variants.contains(key)) {
      std::vector<std::pair<std::string, Json>> inner;
      flatten(value, key + ".", inner);
      axes.insert(axes.end(), inner.begin(), inner.end());
    } else {
      axes.emplace_back(key, value);
    }
  }
  std::vector<size_t> sizes;
  for (auto& [key, values] : axes) {
    if (!values.is_array()) values = Json::array({values});
    if (values.empty())
      throw Error(fmt::format("{}: grid key '{}' has an empty list; give it at least one value",
                              where, key));
    sizes.push_back(values.size());
  }
  std::vector<size_t> place(axes.size(), 0);
  while (true) {
    Cell cell{base, "", false};
    for (size_t axis = 0; axis < axes.size(); ++axis) {
      const auto& [key, values] = axes[axis];
      const Json& value = values[place[axis]];
      if (variants.contains(key)) {
        const Json& options = variants[key];
        const std::string choice = text_of(value);
        if (!options.contains(choice)) {
          std::vector<std::string> known;
          for (const auto& [name, unused] : options.items()) known.push_back(name);
          throw Error(fmt::format("{}: [variants.{}]: {}", where, key,
                                  unknown_name("variant", choice, known)));
        }
        merge(cell.config, options[choice]);
      } else {
        set_path(cell.config, key, value);
      }
      cell.label += fmt::format("{}{}={}", axis ? " " : "", key, text_of(value));
    }
    cells.push_back(std::move(cell));
    size_t axis = axes.size();
    while (axis > 0 && ++place[axis - 1] == sizes[axis - 1]) place[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace

Study expand_study(const Json& document, const std::string& where, const Json& defaults) {
  const std::vector<std::string> known{"name", "checkpoints", "base", "variants", "grid", "ptq"};
  for (const auto& [key, value] : document.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw Error(fmt::format("{}: {}", where, unknown_name("key", key, known)));
  }
  if (!document.contains("name") || !document["name"].is_string()) {
    throw Error(fmt::format("{}: a study needs a name, for example name = \"demo\"", where));
  }
  Study study;
  study.name = document["name"].get<std::string>();
  // It becomes a directory below runs/.
  if (study.name.empty() || study.name == "." || study.name == ".." ||
      study.name.find_first_of("/ \t\n") != std::string::npos) {
    throw Error(fmt::format("{}: the name '{}' must be one word without '/', and not . or ..",
                            where, study.name));
  }
  if (document.contains("checkpoints"))
    study.checkpoints = JsonFields(document, where).whole("checkpoints", 0, 62);
  Json base = Json::object();
  if (document.contains("base")) merge(base, document["base"]);
  const Json variants = document.value("variants", Json::object());
  Json grids = document.value("grid", Json::array({Json::object()}));
  if (grids.is_object()) grids = Json::array({grids});
  if (!grids.is_array())
    throw Error(fmt::format("{}: grid must be written as [[grid]] sections", where));
  std::vector<Cell> all;
  for (const Json& grid : grids) expand_grid(grid, base, variants, where, all);
  std::set<std::string> seen;
  for (Cell& cell : all) {
    if (seen.insert(dump_json(cell.config)).second) study.cells.push_back(std::move(cell));
  }
  if (document.contains("ptq")) {
    study.ptq = document["ptq"];
    if (!study.ptq.is_object()) throw Error(fmt::format("{}: ptq must be a section", where));
    Json condition = Json::object();
    merge(condition, study.ptq.value("where", Json::object()));
    study.ptq.erase("where");
    std::vector<std::pair<std::string, Json>> wanted;
    flatten(condition, "", wanted);
    std::vector<std::pair<std::string, Json>> all_keys;
    flatten(defaults, "", all_keys);
    for (const auto& [key, value] : wanted) require_known(key, all_keys, where + " [ptq] where");
    for (Cell& cell : study.cells) {
      cell.quantize = std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
        const Json* value = find_path(cell.config, entry.first);
        return equal(value ? *value : *find_path(defaults, entry.first), entry.second);
      });
    }
  }
  return study;
}

}  // namespace bitlaw
