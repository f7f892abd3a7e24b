#include "sweep/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "base/text.h"
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
