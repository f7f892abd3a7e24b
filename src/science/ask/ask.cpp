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
#include "ask/asking.h"
#include "ask/described_runs.h"
#include "ask/predictions.h"
#include "ask/table_words.h"
#include "ask/unused_options.h"
#include "base/config.h"
#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
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

Json ask_fit(const Asking& asking) {
  must_have_only(asking.question, {"table", "options", "formula", "law_file", "freeze_from"});
  AskedFit fit(asking);
  const Table table = fit.table(asking.question);
  return fit_table(table, fit.asked.name, *fit.law, fit.options, asking.parallel_for).document;
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
  if (const Law* own = law_of_formula(question, asked, known)) {
    if (options.laws.empty()) options.laws = {"all"};
    options.laws.emplace_back(own->name);
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

Json ask_options(const Asking& asking) {
  const Json& question = asking.question;
  must_have_only(question, {"of"});
  const std::string of = text_of(question, "of");
  if (of == "plan") return options_json<PlanRequest>();
  if (of == "fit") return options_json<FitOptions>();
  if (of == "compare") return options_json<CompareOptions>();
  if (of == "design") return options_json<DesignOptions>();
  if (of == "table") return options_json<TableWords>();
  if (Json found = options_of_studies(of); !found.is_null()) return found;
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

constexpr std::array kVerbs{Verb{"laws", ask_laws},       Verb{"table", ask_table},
                            Verb{"fit", ask_fit},         Verb{"compare", ask_compare},
                            Verb{"design", ask_design},   Verb{"predict", ask_predict},
                            Verb{"plan", ask_plan},       Verb{"landscape", ask_landscape},
                            Verb{"options", ask_options}, Verb{"devices", ask_devices}};

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
    std::vector<Verb> verbs(kVerbs.begin(), kVerbs.end());
    for (const Verb& verb : verbs_of_studies()) verbs.push_back(verb);
    for (const Verb& verb : verbs) {
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
