#include "sweep/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "base/text.h"
#include "formats/named_recipe.h"
#include "formats/recipe.h"
#include "sweep/grid.h"
#include "sweep/paths.h"

namespace bitlaw {
namespace {

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

// A condition, or a list of them.
std::vector<std::string> conditions_at(const Json& section, const char* key,
                                       const std::string& where) {
  std::vector<std::string> conditions;
  if (!section.contains(key)) return conditions;
  const Json& value = section[key];
  for (const Json& each : value.is_array() ? value : Json::array({value})) {
    if (!each.is_string())
      throw Error(
          fmt::format("{}: {} must be conditions in quotes, such as [\"N<2e6\"]", where, key));
    conditions.push_back(each.get<std::string>());
  }
  return conditions;
}

// Error unless it is a section.
const Json& require_section(const Json& value, const std::string& name, const std::string& where) {
  if (!value.is_object())
    throw Error(fmt::format("{}: {} {}", where, name, must_be("a section", value)));
  return value;
}

// {list: {choice: {key: value}}}; empty if there are none.
Json variants_of(const Json& document, const std::string& where) {
  if (!document.contains("variants")) return Json::object();
  const Json& variants = require_section(document["variants"], "variants", where);
  for (const auto& [list, choices] : variants.items()) {
    const std::string name = "variants." + list;
    for (const auto& [choice, keys] : require_section(choices, name, where).items())
      require_section(keys, name + "." + choice, where);
  }
  return variants;
}

std::string text_at(const Json& document, const char* key, const std::string& where) {
  return document.contains(key) ? JsonFields(document, where).text(key) : "";
}

// What a cell without some keys has at them: the defaults, with what a named recipe gives.
Json left_out_of(const Cell& cell, const std::string& where, Json defaults) {
  RecipeConfig recipe;
  fill(recipe, cell.config.at("recipe"), where);
  try {
    defaults["recipe"] = to_json(spelled_out(recipe));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", where, error.what()));
  }
  return defaults;
}

// Which cells a section of keys and values means.
void quantize_cells_with(const Json& values, const std::string& where, const Json& defaults,
                         std::vector<Cell>& cells) {
  Json condition = Json::object();
  merge(condition, values);
  std::vector<std::pair<std::string, Json>> wanted, all_keys;
  flatten(condition, "", wanted);
  flatten(defaults, "", all_keys);
  for (const auto& [key, value] : wanted) require_known(key, all_keys, where + " [ptq] where");
  for (Cell& cell : cells) {
    const bool named = find_path(cell.config, "recipe.named") != nullptr;
    const Json left_out = named ? left_out_of(cell, where, defaults) : Json();
    cell.quantize = std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
      const Json* value = find_path(cell.config, entry.first);
      return equal(value ? *value : *find_path(named ? left_out : defaults, entry.first),
                   entry.second);
    });
  }
}

void take_ptq(const Json& section, const std::string& where, const Json& defaults, Study& study) {
  study.ptq = section;
  if (!study.ptq.is_object()) throw Error(fmt::format("{}: ptq must be a section", where));
  const Json which = study.ptq.value("where", Json::object());
  if (!which.is_object()) study.quantize_where = conditions_at(section, "where", where + " [ptq]");
  study.ptq.erase("where");
  quantize_cells_with(which.is_object() ? which : Json::object(), where, defaults, study.cells);
}

}  // namespace

Study expand_study(const Json& document, const std::string& where, const Json& defaults,
                   size_t most_cells) {
  const std::vector<std::string> known{"name", "checkpoints", "require", "budget",
                                       "base", "variants",    "grid",    "ptq"};
  for (const auto& [key, value] : require_section(document, "a study file", where).items()) {
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
  if (document.contains("base")) merge(base, require_section(document["base"], "base", where));
  const Json variants = variants_of(document, where);
  Json grids = document.value("grid", Json::array({Json::object()}));
  if (grids.is_object()) grids = Json::array({grids});
  if (!grids.is_array())
    throw Error(fmt::format("{}: grid must be written as [[grid]] sections", where));
  for (const auto& [name, unused] : variants.items()) study.variants.push_back(name);
  study.budget = text_at(document, "budget", where);
  const std::vector<std::string> require = conditions_at(document, "require", where);
  std::vector<Cell> all;
  for (const Json& grid : grids) {
    const size_t before = all.size();
    study.ranges.push_back(expand_grid(grid, base, variants, where, most_cells, all));
    for (size_t i = before; i < all.size(); ++i) all[i].grid = study.require.size();
    study.require.push_back(require);
    for (const std::string& text : conditions_at(grid, "require", where + ": [[grid]]"))
      study.require.back().push_back(text);
  }
  std::set<std::string> seen;
  for (Cell& cell : all) {
    // Grids with other conditions may keep a cell that this one leaves out.
    const std::string cell_and_conditions =
        dump_json(Json::array({cell.config, study.require[cell.grid]}));
    if (seen.insert(cell_and_conditions).second) study.cells.push_back(std::move(cell));
  }
  if (study.cells.empty()) throw Error(fmt::format("{}: has no cell; give it a [[grid]]", where));
  if (document.contains("ptq")) take_ptq(document["ptq"], where, defaults, study);
  return study;
}

}  // namespace bitlaw
