#include "ask/ask.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "ask/answers.h"
#include "ask/described_runs.h"
#include "ask/formula_words.h"
#include "ask/predictions.h"
#include "ask/simulated.h"
#include "ask/table_words.h"
#include "ask/unused_options.h"
#include "base/config.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/names.h"
#include "base/text.h"
#include "fit/freeze_from.h"
#include "fit/row_residuals.h"
#include "laws/describe.h"
#include "laws/registry.h"
#include "plan/devices.h"
#include "plan/frontier.h"
#include "plan/landscape.h"
#include "plan/plan.h"
#include "plan/unused.h"
#include "table/candidates.h"
#include "table/table_inputs.h"

namespace bitlaw {
namespace {

// A part of the question; null if it is not there.
Json part(const Json& question, const char* name) {
  const auto found = question.find(name);
  return found == question.end() ? Json() : *found;
}

std::string text_of(const Json& question, const char* name) {
  const Json value = part(question, name);
  if (value.is_null()) return "";
  if (!value.is_string()) throw Error(fmt::format("question: {} must be text", name));
  return value.get<std::string>();
}

void must_have_only(const Json& question, std::vector<std::string> names) {
  names.emplace_back("verb");
  for (const auto& [key, unused] : question.items()) {
    if (std::find(names.begin(), names.end(), key) == names.end())
      throw Error("question: " + unknown_name("key", key, names));
  }
}

template <class Options>
Options options_of(const Json& question) {
  Options out;
  if (const Json given = part(question, "options"); !given.is_null()) fill(out, given, "options");
  return out;
}

bool names_option(const Json& question, const char* name) {
  const Json given = part(question, "options");
  return given.is_object() && given.contains(name);
}

IsGiven given_options(const Json& question) {
  return [&question](const std::string& key) { return names_option(question, key.c_str()); };
}

// The laws of a file, known until the question is answered; their names.
std::vector<std::string> know_laws(const Json& question, const char* key, KnownLaws& known) {
  const Json file = part(question, key);
  if (file.is_null()) return {};
  if (!file.is_object() || !file.contains("text"))
    throw Error(fmt::format(
        "question: {} must have the text of a file of laws, {{\"text\": \"...\"}}", key));
  std::string path = text_of(file, "name");
  if (path.empty()) path = key;
  std::vector<std::string> names;
  for (const BoundLaw& law : laws_in_file(parse_toml(text_of(file, "text"), path), path, key))
    names.emplace_back(known.add(law).name);
  return names;
}

// Those that the question is about.
std::vector<std::string> know_laws_of_file(const Json& question, KnownLaws& known) {
  return know_laws(question, "law_file", known);
}

FormulaWords formula_words(const Json& question) {
  FormulaWords out;
  if (const Json given = part(question, "formula"); !given.is_null()) fill(out, given, "formula");
  return out;
}

// ---- tables ----

// A question, and the table that came with it in memory; null: the question has its text.
struct Asking {
  const Json& question;
  RawTable* table;
  const ParallelFor& parallel_for;
  mutable bool took_table = false;
};

struct AskedTable {
  RawTable raw;
  std::string name, hash;
  TableWords words;

  Table read(const std::vector<const Law*>& laws) {
    Table out = table_for(laws, std::move(raw), name, words);
    out.hash = hash;
    return out;
  }
};

AskedTable table_of_question(const Asking& asking) {
  Json given = part(asking.question, "table");
  if (asking.table && given.is_null()) given = Json::object();
  const bool has_text = given.is_object() && given.contains("text");
  if (asking.table && has_text) throw Error("question: the table is in memory; leave out its text");
  if (!given.is_object() || (!has_text && !asking.table))
    throw Error("question: table must have the text of a table, {\"text\": \"N,D,loss...\"}");
  AskedTable out;
  const std::string text = text_of(given, "text");
  out.name = text_of(given, "name");
  if (out.name.empty()) out.name = "table";
  given.erase("text");
  given.erase("name");
  const std::string hash = asking.table ? text_of(given, "hash") : "";
  if (asking.table) given.erase("hash");
  fill(out.words, given, "table");
  if (asking.table) {
    out.hash = hash;
    out.raw = std::move(*asking.table);
    asking.took_table = true;
  } else {
    out.raw = read_raw_table(text, out.name, out.words.format);
    out.hash = hash_hex(text);
  }
  return out;
}

// What the table calls its columns, with computed ones.
std::vector<std::string> columns_of(const AskedTable& table) {
  std::vector<std::string> out = table.raw.columns();
  for (const std::string& assignment : table.words.set)
    out.push_back(trim(assignment.substr(0, assignment.find('='))));
  return out;
}

// The law of a formula, or that the options name, or the only one of a file, or the usual one of the table.
const Law& law_for(const Json& question, std::string& option, const AskedTable& table,
                   std::string& note, KnownLaws& known) {
  const std::vector<std::string> of_file = know_laws_of_file(question, known);
  const FormulaWords formula = formula_words(question);
  const bool named = names_option(question, "law");
  if (formula.is_given("")) {
    if (named)
      throw Error(
          fmt::format("formula: is a law of its own; leave out law {}, or formula", option));
    option = known.add(formula_law(formula_of(formula, columns_of(table), ""))).name;
  } else if (!named && of_file.size() > 1) {
    throw Error(fmt::format("law_file: has {} laws; law names one: {}", of_file.size(),
                            fmt::join(of_file, ", ")));
  } else if (!named && !of_file.empty()) {
    option = of_file[0];
  } else if (!named) {
    const UsualLaw usual = usual_law(table.raw, table.name, table.words);
    option = usual.name, note = usual.note;
  }
  return law_named(option);
}

Table read_with(AskedTable& asked, const Law& law, const std::string& note) {
  Table out = asked.read({&law});
  if (!note.empty()) out.notes.insert(out.notes.begin(), note);
  return out;
}

// ---- verbs ----

Json ask_laws(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"name"});
  const std::string name = text_of(question, "name");
  return name.empty() ? laws_json() : law_json(law_named(name));
}

Json ask_table(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"table", "options", "formula", "law_file"});
  AskedTable asked = table_of_question(asking);
  FitOptions options = options_of<FitOptions>(question);
  std::string note;
  KnownLaws known;
  const Json columns = asked.raw.columns();
  const Law& law = law_for(question, options.law, asked, note, known);
  Json out = table_json(read_with(asked, law, note), asked.name);
  out["law"] = law.name;
  out["columns"] = columns;
  return out;
}

// "freeze_from": {"fit": FIT, "name": "fit.json", "constants": ["E"]}: its constants are kept fixed.
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

// A table, a law and options: what a fit is made of.
struct AskedFit {
  AskedTable asked;
  FitOptions options;
  KnownLaws known;
  std::string note;
  const Law* law;

  explicit AskedFit(const Asking& asking)
      : asked(table_of_question(asking)), options(options_of<FitOptions>(asking.question)) {
    refuse_unused_of_fit(options, given_options(asking.question));
    law = &law_for(asking.question, options.law, asked, note, known);
    refuse_unused_of_fit(*law, given_options(asking.question));
  }
  Table table(const Json& question) {
    Table out = read_with(asked, *law, note);
    freeze_from_question(question, *law, out, options);
    return out;
  }
};

Json ask_fit(const Asking& asking) {
  must_have_only(asking.question, {"table", "options", "formula", "law_file", "freeze_from"});
  AskedFit fit(asking);
  const Table table = fit.table(asking.question);
  return fit_table(table, fit.asked.name, *fit.law, fit.options, asking.parallel_for).document;
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

Json ask_compare(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"table", "options", "formula", "law_file"});
  AskedTable asked = table_of_question(asking);
  CompareOptions options = options_of<CompareOptions>(question);
  refuse_unused_of_compare(options, given_options(question));
  KnownLaws known;
  if (std::vector<std::string> of_file = know_laws_of_file(question, known);
      options.laws.empty() && !of_file.empty()) {
    options.laws = std::move(of_file);
    options.laws.emplace_back("all");
  }
  if (const FormulaWords formula = formula_words(question); formula.is_given("")) {
    if (options.laws.empty()) options.laws = {"all"};
    options.laws.emplace_back(
        known.add(formula_law(formula_of(formula, columns_of(asked), ""))).name);
  }
  options.gaps = asked.words.takes_gaps();
  std::vector<std::string> said_later;
  const Table table = asked.read(laws_to_compare(options, said_later));
  return compare_table(table, asked.name, options, asking.parallel_for).document;
}

Json ask_design(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"table", "options", "formula", "law_file", "candidates"});
  AskedTable asked = table_of_question(asking);
  DesignOptions options = options_of<DesignOptions>(question);
  if (asked.words.takes_gaps())
    throw Error(
        "gap_to: design chooses runs by what their losses tell; leave out gap_to, and name a law "
        "of "
        "losses");
  std::string note;
  KnownLaws known;
  const Law& law = law_for(question, options.law, asked, note, known);
  refuse_unused_of_design(law, given_options(question));
  const Table table = read_with(asked, law, note);
  std::vector<Observation> candidates;
  if (const Json listed = part(question, "candidates"); !listed.is_null()) {
    TableOptions planned;
    planned.reference = table.reference;
    planned.gaussian_error = table.gaussian_error;
    planned.inputs = inputs_of({&law});
    candidates = read_candidates(text_of(listed, "text"), text_of(listed, "name"), planned);
  }
  return design_table(table, asked.name, options, candidates, asking.parallel_for).document;
}

std::vector<Predicting> laws_to_predict_with(const Json& question) {
  std::vector<Predicting> out;
  const std::string constants = text_of(question, "constants");
  for (const Json& each : part(question, "fits")) {
    const Json fit = each.is_object() ? part(each, "fit") : Json();
    if (!fit.is_object()) throw Error("question: fits must be a list of {\"name\", \"fit\"}");
    out.push_back(predicting(text_of(each, "name"), "", constants, fit));
  }
  std::vector<std::string> laws;
  for (const Json& each : part(question, "laws")) {
    if (!each.is_string()) throw Error("question: laws must be a list of names");
    laws.push_back(each.get<std::string>());
  }
  if (laws.empty() && out.empty()) laws.emplace_back(default_law().name);
  for (const std::string& law : laws)
    out.push_back(predicting(law_named(law).name, law, constants, nullptr));
  return out;
}

Json ask_predict(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question,
                 {"runs", "table", "described", "fits", "laws", "constants", "level", "law_file"});
  KnownLaws known;
  know_laws_of_file(question, known);
  const Json level = part(question, "level");
  const double wanted = level.is_number() ? level.get<double>() : level.is_null() ? 0.9 : kUnknown;
  if (!(wanted > 0 && wanted < 1))
    throw Error("question: level must be between 0 and 1, such as 0.9");
  const std::vector<Predicting> by = laws_to_predict_with(question);
  const Json runs = part(question, "runs");
  const bool has_table = asking.table || !part(question, "table").is_null();
  if (runs.is_null() != has_table) throw Error("question: give either runs or a table to predict");
  std::vector<Observation> rows;
  if (!runs.is_null()) {
    if (!runs.is_array() || runs.empty())
      throw Error("question: runs must be a list, [{\"N\": 1e9, \"D\": 2e10}]");
    rows = described_runs(read_raw_table(dump_json(runs), "runs", "json"), "runs", by,
                          options_for_predictions(by, "", "", {}));
  } else {
    AskedTable asked = table_of_question(asking);
    const TableOptions reading =
        options_for_predictions(by, asked.words.columns, asked.words.scale, asked.words.where);
    rows = part(question, "described") == true
               ? described_runs(std::move(asked.raw), asked.name, by, reading)
               : table_of(std::move(asked.raw), asked.name, reading).runs;
  }
  refuse_contradictions(rows);
  return predictions_document(by, rows, predict_rows(by, rows, wanted), wanted);
}

template <class Answer>
Json document_of(const Answer& answer, Json (*json)(const Answer&)) {
  if (!answer.error.empty()) throw Error("plan: " + answer.error);
  return json(answer);
}

Json ask_plan(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"options", "fits", "devices", "law_file", "refuse_unused"});
  KnownLaws known;
  know_laws_of_file(question, known);
  const PlanRequest request = options_of<PlanRequest>(question);
  std::vector<Json> fits;
  for (const Json& each : part(question, "fits")) fits.push_back(each);
  if (part(question, "refuse_unused") == true && request.laws.empty() && fits.size() < 2) {
    const std::string unused = check_surroundings(request, fits.empty() ? Json() : fits[0]);
    if (!unused.empty()) throw Error("plan: " + unused);
  }
  const Json devices = part(question, "devices");
  if (!request.frontier.empty())
    return document_of(make_frontiers(request, fits, devices), frontier_json);
  if (!request.laws.empty() || fits.size() > 1)
    return document_of(compare_plans(request, fits, devices), plan_json);
  return document_of(make_plan(request, fits.empty() ? Json() : fits[0], devices), plan_json);
}

Json ask_landscape(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"options", "axes", "fits", "devices"});
  const PlanRequest request = options_of<PlanRequest>(question);
  std::vector<LandscapeAxis> axes;
  for (const Json& each : part(question, "axes")) {
    LandscapeAxis& axis = axes.emplace_back();
    const Json values = each.is_object() ? part(each, "values") : Json();
    if (!values.is_array()) throw Error("question: axes must be a list of {\"name\", \"values\"}");
    axis.name = text_of(each, "name");
    for (const Json& value : values)
      axis.values.push_back(value.is_number() ? value.get<double>() : kUnknown);
  }
  const Json fits = part(question, "fits");
  if (fits.size() > 1) throw Error("question: a landscape is of one fit");
  const Landscape made =
      make_landscape(request, axes, fits.empty() ? Json() : fits[0], part(question, "devices"));
  if (!made.error.empty()) throw Error("landscape: " + made.error);
  return landscape_json(made);
}

template <class Options>
Json options_json() {
  Json out = Json::array();
  for (const ConfigKey& key : config_keys(Options{}))
    out.push_back({{"name", key.name}, {"help", key.help}, {"value", key.value}});
  return out;
}

Json ask_options(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"of"});
  const std::string of = text_of(question, "of");
  if (of == "plan") return options_json<PlanRequest>();
  if (of == "fit") return options_json<FitOptions>();
  if (of == "compare") return options_json<CompareOptions>();
  if (of == "design") return options_json<DesignOptions>();
  if (of == "table") return options_json<TableWords>();
  if (of == "simulate") return options_json<StudyOptions>();
  if (of == "approach") return options_json<ApproachOptions>();
  if (of == "formula") return options_json<FormulaWords>();
  throw Error("question: " + unknown_name("verb", of,
                                          {"plan", "fit", "compare", "design", "simulate",
                                           "approach", "table", "formula"}));
}

Json ask_devices(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {});
  Json out = Json::array();
  for (const Device& each : known_devices()) {
    Json flops = Json::object();  // FLOP/s by bits, of the widths that it has
    for (const auto& [bits, rate] :
         {std::pair{"16", each.flops_16}, {"8", each.flops_8}, {"4", each.flops_4}}) {
      if (rate > 0) flops[bits] = rate;
    }
    out.push_back({{"name", each.name},
                   {"source", each.source},
                   {"flops", flops},
                   {"memory_bytes", each.memory_bytes}});
  }
  return out;
}

struct Verb {
  const char* name;
  Json (*answer)(const Asking& asking);
};
constexpr std::array kVerbs{Verb{"laws", ask_laws},
                            Verb{"table", ask_table},
                            Verb{"fit", ask_fit},
                            Verb{"residuals", ask_residuals},
                            Verb{"compare", ask_compare},
                            Verb{"design", ask_design},
                            Verb{"approach", ask_approach},
                            Verb{"simulate", ask_simulate},
                            Verb{"predict", ask_predict},
                            Verb{"plan", ask_plan},
                            Verb{"landscape", ask_landscape},
                            Verb{"options", ask_options},
                            Verb{"devices", ask_devices}};

Json error_json(const std::string& sentence) {
  return {{"error", sentence}};
}

Json answer(const Asking& asked) {
  try {
    if (!asked.question.is_object())
      throw Error("question: must be an object, {\"verb\": \"plan\"}");
    KnownLaws known;
    Json question = asked.question;
    know_laws(question, "known_laws", known);
    question.erase("known_laws");
    const Asking asking{
        .question = question, .table = asked.table, .parallel_for = asked.parallel_for};
    const std::string name = text_of(question, "verb");
    std::vector<std::string> names;
    for (const Verb& verb : kVerbs) {
      if (name == verb.name) {
        Json out = verb.answer(asking);
        if (asking.table && !asking.took_table)
          throw Error(fmt::format("question: {} takes no table", name));
        return out;
      }
      names.emplace_back(verb.name);
    }
    throw Error("question: " + unknown_name("verb", name, names));
  } catch (const Error& error) {
    return error_json(error.what());
  }
}

}  // namespace

Json ask(const Json& question, const ParallelFor& parallel_for) {
  return answer({.question = question, .table = nullptr, .parallel_for = parallel_for});
}

Json ask(const Json& question, RawTable table, const ParallelFor& parallel_for) {
  return answer({.question = question, .table = &table, .parallel_for = parallel_for});
}

std::string ask_text(const std::string& question, const ParallelFor& parallel_for) {
  try {
    return dump_json(ask(parse_json(question, "question"), parallel_for));
  } catch (const Error& error) {
    return dump_json(error_json(error.what()));
  }
}

}  // namespace bitlaw
