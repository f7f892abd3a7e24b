// Verbs about studies, which the page in the browser does not ask.
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "ask/answers.h"
#include "ask/asking.h"
#include "ask/simulated.h"
#include "base/error.h"
#include "base/names.h"
#include "fit/freeze_from.h"
#include "fit/row_residuals.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

FormulaWords formula_words(const Json& question) {
  FormulaWords out;
  if (const Json given = part(question, "formula"); !given.is_null()) fill(out, given, "formula");
  return out;
}

Json ask_residuals(const Asking& asking) {
  must_have_only(asking.question,
                 {"table", "options", "formula", "law_file", "freeze_from", "fit"});
  const Json document = part(asking.question, "fit");
  if (!document.is_object()) throw Error("question: residuals are of a fit, {\"fit\": FIT}");
  AskedFit fit(asking);
  std::map<int, size_t> index_of;  // from places in the text, such as lines
  for (const RawRow& row : fit.asked.raw.rows) index_of.emplace(row.place, index_of.size());
  const Table table = fit.table(asking.question);
  const Fit made = fit_from_json(document, "fit");
  Json out =
      residuals_document(table, row_residuals(*fit.law, table.runs, fit.options, made), made);
  for (Json& each : out["residuals"]) each["index"] = index_of.at(each["row"].get<int>());
  return out;
}

Json ask_approach(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"table", "options", "approach", "of_approach"});
  const std::string approach =
      part(question, "approach").is_null() ? "all" : text_of(question, "approach");
  std::vector<std::string> known(std::begin(kApproaches), std::end(kApproaches));
  known.emplace_back("all");
  if (std::find(known.begin(), known.end(), approach) == known.end())
    throw Error(unknown_name("approach", approach, known));
  AskedTable asked = table_of_question(asking);
  if (asked.words.takes_gaps())
    throw Error("gap_to: an approach is of losses; leave out one of the two");
  ApproachOptions options;
  const Json own = part(question, "of_approach");
  if (!own.is_null()) fill(options, own, "of_approach");
  refuse_unused_of_approach(approach, [&](const std::string& key) {
    return names_option(question, key.c_str()) || (own.is_object() && own.contains(key));
  });
  FitOptions fit = options_of<FitOptions>(question);
  refuse_unused_of_fit(fit, given_options(question));
  const Law& law =
      names_option(question, "law") ? law_named(fit.law) : law_named(law_without_bits().name);
  asked.words.tokens_by_step = asked.words.uses_compute = true;
  const Table table = asked.read({&law});
  return approach_table(table, asked.name, approach, options, law, fit, {}, asking.parallel_for)
      .document;
}

Json ask_simulate(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"law", "set", "constants", "fit", "fit_name", "formula", "law_file",
                            "options", "table"});
  SimulateWords words;
  words.law = text_of(question, "law");
  words.set = text_of(question, "set");
  for (const Json& each : part(question, "constants")) {
    if (!each.is_string()) throw Error("question: constants must be a list, [\"E=1.8\"]");
    words.constants.push_back(each.get<std::string>());
  }
  words.formula = formula_words(question);
  words.fit = part(question, "fit");
  words.fit_name = text_of(question, "fit_name");
  if (words.fit_name.empty()) words.fit_name = "fit";
  words.study = options_of<StudyOptions>(question);
  KnownLaws known;
  know_laws_of_file(question, known);
  std::optional<RawTable> like;
  std::string like_name;
  if (asking.table || !part(question, "table").is_null()) {
    AskedTable asked = table_of_question(asking);
    like = std::move(asked.raw), like_name = asked.name;
  }
  return simulate_table(words, std::move(like), like_name, known, given_options(question), "")
      .document;
}

constexpr std::array kVerbsOfStudies{Verb{"residuals", ask_residuals},
                                     Verb{"approach", ask_approach},
                                     Verb{"simulate", ask_simulate}};

}  // namespace

std::span<const Verb> verbs_of_studies() {
  return kVerbsOfStudies;
}

void freeze_from_question(const Json& question, const Law& law, const Table& table,
                          FitOptions& options) {
  const Json from = part(question, "freeze_from");
  if (from.is_null()) return;
  if (!from.is_object() || !part(from, "fit").is_object())
    throw Error("question: freeze_from must have a fit, {\"fit\": FIT, \"constants\": [\"E\"]}");
  std::string name = text_of(from, "name");
  if (name.empty()) name = "freeze_from";
  std::vector<std::string> wanted;
  for (const Json& each : part(from, "constants")) {
    if (!each.is_string()) throw Error("question: constants of freeze_from must be names");
    wanted.push_back(each.get<std::string>());
  }
  freeze_from(fit_from_json(part(from, "fit"), name), name, std::move(wanted), law, table.runs,
              options.freeze);
}

Json options_of_studies(const std::string& verb) {
  if (verb == "simulate") return options_json<StudyOptions>();
  if (verb == "approach") return options_json<ApproachOptions>();
  return verb == "formula" ? options_json<FormulaWords>() : Json();
}

const Law* law_of_formula(const Json& question, const AskedTable& table, KnownLaws& known) {
  const FormulaWords formula = formula_words(question);
  if (!formula.is_given("")) return nullptr;
  return &known.add(formula_law(formula_of(formula, columns_of(table), "")));
}

std::vector<BoundLaw> laws_of_file(const std::string& text, const std::string& path,
                                   const std::string& key) {
  return laws_in_file(parse_toml(text, path), path, key);
}

}  // namespace bitlaw
