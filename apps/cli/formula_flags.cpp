#include "cli/formula_flags.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/config.h"
#include "base/error.h"
#include "laws/formula_law.h"

namespace bitlaw::cli {
namespace {

// The names of its laws.
std::vector<std::string> register_file(const std::string& path, const std::string& option) {
  std::vector<std::string> names;
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw Error(fmt::format("{}: {} is not there", option, path));
  const Json document = read_toml(path);
  const Json laws = document.is_object() ? document.value("law", Json()) : Json();
  if (!laws.is_object() || laws.size() == 0) {
    throw Error(fmt::format("{}: {}: has no law; a law is a table [law.NAME] with its formula",
                            option, path));
  }
  for (const auto& [name, entry] : laws.items()) {
    const std::string where = fmt::format("{}: law {}", path, name);
    if (!entry.is_object()) throw Error(where + ": is no table with a formula");
    Json named = entry;
    named["name"] = name;
    try {
      register_law(formula_law(law_formula_from(named, where)));
      names.push_back(name);
    } catch (const Error& error) {
      const std::string problem = error.what();
      throw Error(problem.starts_with(path) ? problem : path + ": " + problem);
    }
  }
  return names;
}

}  // namespace

void FormulaFlags::add_file(App* verb) {
  verb->add_option("--law-file", file_,
                   "a TOML file of laws of your own: [law.NAME] formula = ..., constants = ..., "
                   "inputs = ... (docs/fitting.md); the variable BITLAW_LAWS names one, too");
}

void FormulaFlags::add_formulas(App* verb) {
  formula_option_ = verb->add_option(
      "--formula", formula_,
      "a law of your own in N, D, C, U, P_w, P_a, P_kv, G and columns of the table: "
      "'E + A/N^alpha + B/D^beta*exp(-k*experts)'");
  verb->add_option("--delta-formula", delta_,
                   "its loss difference of quantization after training, with P_post");
}

void FormulaFlags::add(App* verb) {
  add_formulas(verb);
  verb->add_option("--constants", constants_,
                   "ranges of the formula's constants, 'k=0..5,q=-1..1', or a number that stays "
                   "fixed, k=0.5; E, A, B, alpha, beta and others have usual ones");
  verb->add_option("--inputs", inputs_,
                   "columns of the table in the formula: experts=num_experts; a column's own name "
                   "needs no --inputs");
  add_file(verb);
}

void FormulaFlags::register_files() const {
  if (const char* path = std::getenv("BITLAW_LAWS"); path != nullptr && *path != '\0')
    register_file(path, "BITLAW_LAWS");
  if (!file_.empty()) in_file_ = register_file(file_, "--law-file");
}

std::string FormulaFlags::only_law_of_file() const {
  if (in_file_.empty()) return "";
  if (in_file_.size() > 1) {
    throw Error(fmt::format("--law-file {}: has {} laws; --law names one: {}", file_,
                            in_file_.size(), fmt::join(in_file_, ", ")));
  }
  return in_file_[0];
}

bool FormulaFlags::is_given() const {
  if (!formula_.empty()) return true;
  if (formula_option_ != nullptr && formula_option_->count() > 0)
    throw Error("--formula: is empty; give the law, as in 'E + A/N^alpha + B/D^beta'");
  for (const auto& [option, text] : {std::pair{"--delta-formula", &delta_},
                                     {"--constants", &constants_},
                                     {"--inputs", &inputs_}}) {
    if (!text->empty())
      throw Error(fmt::format("{}: belongs to a --formula, and none is given", option));
  }
  return false;
}

namespace {

const Law& registered(const LawFormula& definition) {
  register_law(formula_law(definition));
  return law_named(definition.name);
}

}  // namespace

const Law& FormulaFlags::law(const std::vector<std::string>& columns,
                             const std::string& named) const {
  if (!named.empty()) {
    throw Error(
        fmt::format("--formula: is a law of its own; leave out --law {}, or --formula", named));
  }
  const LawFormula given{.formula = formula_,
                         .delta = delta_,
                         .constants = parse_law_constants(constants_, "--constants"),
                         .inputs = parse_law_inputs(inputs_, "--inputs")};
  return registered(with_columns(given, columns));
}

const Law& FormulaFlags::law_with(const std::string& constants,
                                  const std::vector<std::string>& inputs) const {
  LawFormula given{.formula = formula_,
                   .delta = delta_,
                   .constants = parse_law_constants(constants, "--constants")};
  return registered(with_columns(given, inputs));
}

const Law& FormulaFlags::power_law(const std::string& x, const std::string& column) {
  if (column.empty() && x != "C")
    throw Error(fmt::format("--power-law {}: the table has no such column", x));
  LawFormula law{.name = "power-law",
                 .title = "A power law with an offset in one quantity",
                 .formula = x == "C" ? "E + A/C^a" : "E + A/x^a",
                 .constants = {{.name = "a", .low = 1e-3, .high = 3},
                               {.name = "A", .low = 1e-12, .high = 1e30}}};
  if (!column.empty()) law.inputs = {{x == "C" ? "C" : "x", column}};
  return registered(law);
}

}  // namespace bitlaw::cli
