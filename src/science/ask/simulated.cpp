#include "ask/simulated.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "fit/fit.h"
#include "laws/bind.h"
#include "record/factor_names.h"
#include "table/table.h"
#include "table/table_inputs.h"

namespace bitlaw {
namespace {

// Where the runs are in N, D and bits; what else differs between them does not matter here.
std::vector<Observation> runs_like(RawTable raw, const std::string& name, const Law& law) {
  TableOptions options;
  options.inputs = inputs_of({&law});
  options.may_differ.modelled = factors_named({"all"});
  options.keep_3bit = true;
  return table_of(std::move(raw), name, options).runs;
}

// --constants E=1.8,k=0.1 are the formula's; --inputs name its inputs with their values.
const Law& law_of_words(const SimulateWords& words, const std::optional<RawTable>& like,
                        KnownLaws& known, const std::string& dashes) {
  std::vector<std::string> inputs;
  for (const std::string& text : words.study.inputs) {
    if (const size_t sign = text.find('='); sign != std::string::npos)
      inputs.push_back(trim(text.substr(0, sign)));
  }
  if (like) inputs.insert(inputs.end(), like->columns().begin(), like->columns().end());
  FormulaWords formula = words.formula;
  formula.constants = fmt::format("{}", fmt::join(words.constants, ","));
  formula.inputs.clear();
  const Law& law = known.add(formula_law(formula_of(formula, inputs, dashes)));
  for (const Parameter& each : law.parameters) {
    if (each.low == each.high) continue;
    throw Error(
        fmt::format("{0}formula: a study needs a value of {1}; give {0}constants {1}=NUMBER",
                    dashes, each.name));
  }
  return law;
}

}  // namespace

SimulatedTable simulate_table(const SimulateWords& words, std::optional<RawTable> like,
                              const std::string& like_name, KnownLaws& known,
                              const IsGiven& is_given, const std::string& dashes) {
  const bool has_formula = words.formula.is_given(dashes);
  BoundLaw of_fit;
  std::optional<Fit> fit;
  if (!words.fit.is_null()) {
    fit = fit_from_json(words.fit, words.fit_name);
    of_fit = law_of_fit(words.fit, words.fit_name);
  }
  if (fit && !words.set.empty())
    throw Error(
        fmt::format("{0}set: {0}fit has constants of its own; leave out one of the two", dashes));
  if (fit && has_formula)
    throw Error(
        fmt::format("{0}formula: {0}fit has a law of its own; leave out one of the two", dashes));
  const Law& law = fit                 ? of_fit.law()
                   : has_formula       ? law_of_words(words, like, known, dashes)
                   : words.law.empty() ? default_law()
                                       : law_named(words.law);
  if (!words.law.empty() && law.name != words.law)
    throw Error(fmt::format("{0}law {1}: {2}; leave out {0}law", dashes, words.law,
                            fit ? fmt::format("{} is a fit of {}", words.fit_name, law.name)
                                : dashes + "formula is a law of its own"));
  refuse_unused_of_simulate(law, like.has_value(), has_formula, is_given);
  const std::vector<Observation> runs =
      like ? runs_like(std::move(*like), like_name, law) : design_runs(law, words.study);
  const Truth truth = truth_for(law, runs, words.set, fit ? &*fit : nullptr, words.constants);
  SimulatedTable out;
  out.law = law.name;
  out.study = draw_study(truth, runs, words.study);
  if (out.study.rows.empty()) throw Error("every run diverged; raise --diverged, or the bits");
  out.document = study_json(truth, out.study, words.study);
  return out;
}

}  // namespace bitlaw
