// The options of laws that are made from formulas: one on the command line, or a file of them.
#pragma once

#include <string>
#include <vector>

#include "ask/formula_words.h"
#include "cli/app.h"
#include "laws/registry.h"

namespace bitlaw::cli {

class FormulaFlags {
 public:
  // --law-file.
  void add_file(App* verb);
  // Also --formula, --delta-formula, --constants and --inputs.
  void add(App* verb);

  // Makes the laws of --law-file, and of the file that the environment variable BITLAW_LAWS names, known
  // by their names.
  void register_files() const;
  // The laws of --law-file, after register_files(); and the only one, "" without the option. Error if it
  // has several.
  const std::vector<std::string>& laws_of_file() const { return in_file_; }
  std::string only_law_of_file() const;

  // Error if another option of a formula is given without one.
  bool is_given() const;
  // The law of --formula, which law_named() then finds, too. Names that nothing else explains may be any
  // of `columns`. Error if there is also a `named` law, that of --law.
  const Law& law(const std::vector<std::string>& columns, const std::string& named = "") const;
  // L = E + A x^-a, x being N, D, C or a column; `column` of the table has it, "" = it is 6 N D.
  static const Law& power_law(const std::string& x, const std::string& column);
  const FormulaWords& words() const { return words_; }
  void add_formulas(App* verb);  // --formula and --delta-formula alone

 private:
  Option* formula_option_ = nullptr;
  mutable std::vector<std::string> in_file_;
  FormulaWords words_;
  std::string file_;
};

}  // namespace bitlaw::cli
