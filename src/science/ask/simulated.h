// A study drawn from a law, from words: what `bitlaw simulate` and the question "simulate" ask for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ask/formula_words.h"
#include "ask/unused_options.h"
#include "base/json.h"
#include "simulate/simulate.h"
#include "table/raw_table.h"

namespace bitlaw {

struct SimulateWords {
  std::string law;                     // "" = the default
  std::string set;                     // of published constants; "" = the first
  std::vector<std::string> constants;  // to override, E=1.8; or all those of a formula
  FormulaWords formula;                // .formula and .delta_formula
  Json fit;                            // a fit whose law and constants are taken; null = none
  std::string fit_name;                // for messages
  StudyOptions study;
};

struct SimulatedTable {
  std::string law;
  SimulatedStudy study;
  Json document;  // .law .constants .diverged .options .rows[]
};

// like: the table whose runs are simulated instead of the design. Laws of formulas are made known by
// `known` (laws/formula_law.h). `dashes`: before an option's name in messages.
SimulatedTable simulate_table(const SimulateWords& words, std::optional<RawTable> like,
                              const std::string& like_name, KnownLaws& known,
                              const IsGiven& is_given, const std::string& dashes);

}  // namespace bitlaw
