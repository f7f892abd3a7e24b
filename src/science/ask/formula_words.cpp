#include "ask/formula_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace bitlaw {
namespace {

std::string option_named(std::string name, const std::string& dashes) {
  if (!dashes.empty()) std::replace(name.begin(), name.end(), '_', '-');
  return dashes + name;
}

}  // namespace

bool FormulaWords::is_given(const std::string& dashes) const {
  if (!formula.empty()) return true;
  for (const auto& [name, text] : {std::pair{"delta_formula", &delta_formula},
                                   {"constants", &constants},
                                   {"inputs", &inputs}}) {
    if (text->empty()) continue;
    throw Error(fmt::format("{}: belongs to a {}, and none is given", option_named(name, dashes),
                            option_named("formula", dashes)));
  }
  return false;
}

LawFormula formula_of(const FormulaWords& words, const std::vector<std::string>& columns,
                      const std::string& dashes) {
  LawFormula given;
  given.formula = words.formula;
  given.delta = words.delta_formula;
  given.constants = parse_law_constants(words.constants, option_named("constants", dashes));
  given.inputs = parse_law_inputs(words.inputs, option_named("inputs", dashes));
  return with_columns(std::move(given), columns);
}

std::vector<BoundLaw> laws_in_file(const Json& document, const std::string& path,
                                   const std::string& option) {
  const Json laws = document.is_object() ? document.value("law", Json()) : Json();
  if (!laws.is_object() || laws.size() == 0) {
    throw Error(fmt::format("{}: {}: has no law; a law is a table [law.NAME] with its formula",
                            option, path));
  }
  std::vector<BoundLaw> out;
  for (const auto& [name, entry] : laws.items()) {
    const std::string where = fmt::format("{}: law {}", path, name);
    if (!entry.is_object()) throw Error(where + ": is no table with a formula");
    Json named = entry;
    named["name"] = name;
    try {
      out.push_back(formula_law(law_formula_from(named, where)));
    } catch (const Error& error) {
      const std::string problem = error.what();
      throw Error(problem.starts_with(path) ? problem : path + ": " + problem);
    }
  }
  return out;
}

}  // namespace bitlaw
