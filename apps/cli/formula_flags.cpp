#include "cli/formula_flags.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>

#include "base/config.h"
#include "base/error.h"
#include "laws/formula_law.h"

namespace bitlaw::cli {
namespace {

// The names of its laws.
std::vector<std::string> register_file(const std::string& path, const std::string& option) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw Error(fmt::format("{}: {} is not there", option, path));
  std::vector<std::string> names;
  for (const BoundLaw& law : laws_in_file(read_toml(path), path, option)) {
    register_law(law);
    names.emplace_back(law.law().name);
  }
  return names;
}

// As options of the command line: delta_formula is --delta-formula.
std::map<std::string, std::string> formula_help() {
  std::map<std::string, std::string> out;
  for (const ConfigKey& key : config_keys(FormulaWords{})) out[key.name] = key.help;
  return out;
}

}  // namespace

void FormulaFlags::add_file(App* verb) {
  verb->add_option("--law-file", file_,
                   "a TOML file of laws of your own: [law.NAME] formula = ..., constants = ..., "
                   "inputs = ... (docs/fitting.md); the variable BITLAW_LAWS names one, too");
}

void FormulaFlags::add_formulas(App* verb) {
  std::map<std::string, std::string> help = formula_help();
  formula_option_ = verb->add_option("--formula", words_.formula, help["formula"]);
  verb->add_option("--delta-formula", words_.delta_formula, help["delta_formula"]);
}

void FormulaFlags::add(App* verb) {
  std::map<std::string, std::string> help = formula_help();
  add_formulas(verb);
  verb->add_option("--constants", words_.constants, help["constants"]);
  verb->add_option("--inputs", words_.inputs, help["inputs"]);
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
  if (words_.formula.empty() && formula_option_ != nullptr && formula_option_->count() > 0)
    throw Error("--formula: is empty; give the law, as in 'E + A/N^alpha + B/D^beta'");
  return words_.is_given("--");
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
  return registered(formula_of(words_, columns, "--"));
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
