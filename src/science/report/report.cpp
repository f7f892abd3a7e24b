#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "base/version.h"
#include "report/answer.h"
#include "report/drawing.h"
#include "report/drawing_data.h"
#include "report/fields.h"
#include "report/figures.h"
#include "report/fitted_law.h"
#include "report/isoflop_figure.h"
#include "report/penalties.h"
#include "report/post_bit.h"
#include "report/residuals.h"
#include "report/rows.h"
#include "table/doubtful_factors.h"

namespace bitlaw {
namespace {

// The one with the most parameters, and of those the one with the most tokens.
Observation largest(const std::vector<Observation>& runs) {
  const auto smaller = [](const Observation& a, const Observation& b) {
    return std::pair(a.params, a.tokens) < std::pair(b.params, b.tokens);
  };
  const auto found = std::max_element(runs.begin(), runs.end(), smaller);
  return found == runs.end() ? Observation{} : *found;
}

Json constants_table(const Json& fit) {
  Json table = Json::array();
  if (!fit.is_object() || !fit.contains("parameters")) return table;
  const std::optional<BoundLaw> unbound = known_law_of(fit);
  if (!unbound) return table;
  const BoundLaw bound = bound_law(unbound->law(), fit);
  const Law* law = &bound.law();
  for (const Parameter& parameter : law->parameters) {
    const std::string name(parameter.name);
    const auto found = fit["parameters"].find(name);
    if (found == fit["parameters"].end()) continue;
    Json line = *found;
    line["name"] = name;
    line["at_edge"] = at_edge(parameter, number(*found, "value"));
    const double published = published_value(unbound->law(), name);
    line["published"] = std::isfinite(published) ? Json(published) : Json(nullptr);
    table.push_back(line);
  }
  return table;
}

Json summary_of(const std::vector<TidyRow>& rows, const Json& effort) {
  std::set<double> sizes;
  std::set<std::string> made_by;
  int runs = 0, diverged = 0, unfinished = 0, cells = 0;
  double least = 1e300, most = 0, seconds = 0;
  for (const TidyRow& row : rows) {
    if (!row.is_run()) {
      ++cells;
      continue;
    }
    ++runs;
    diverged += row.status == "diverged";
    unfinished += row.status == "started";
    if (!row.bitlaw_version.empty()) made_by.insert(row.bitlaw_version);
    if (std::isfinite(whole(row.N))) sizes.insert(whole(row.N));
    if (std::isfinite(whole(row.D))) {
      least = std::min(least, whole(row.D));
      most = std::max(most, whole(row.D));
    }
    if (std::isfinite(row.seconds)) seconds += row.seconds;
  }
  Json out{{"runs", runs},         {"diverged", diverged},        {"cells", cells},
           {"sizes", Json(sizes)}, {"training_seconds", seconds}, {"effort", effort}};
  out["unfinished"] = unfinished;
  out["version"] = kVersion;
  out["made_by"] = made_by;
  if (runs > 0) out["tokens"] = {least, most};
  return out;
}

// What the intervals say, in words.
std::string identified_sentence(const Json& constants, bool is_of_others) {
  std::vector<std::string> well, poorly, frozen;
  for (const Json& line : constants) {
    const std::string name = text(line, "name");
    const double value = number(line, "value"), low = number(line, "low"),
                 high = number(line, "high");
    if (!text(line, "frozen").empty())
      frozen.push_back(name);
    else if (!line.value("identified", true))
      poorly.push_back(name + " (any value of its range fits as well)");
    else if (line.value("at_edge", false))
      poorly.push_back(name + " (ended at the edge of its range)");
    else if (!std::isfinite(low) || !std::isfinite(high))
      poorly.push_back(name);
    else if ((high - low) < 0.5 * std::abs(value))
      well.push_back(name);
    else
      poorly.push_back(name);
  }
  const auto list = [](const std::vector<std::string>& names) {
    return fmt::format("{}", fmt::join(names, ", "));
  };
  const char* data = is_of_others ? "The data of the fit" : "These data";
  std::string out;
  if (!well.empty())
    out += fmt::format("{} identify {} (interval narrower than half the value)", data, list(well));
  if (!poorly.empty()) {
    out += out.empty() ? fmt::format("{} do not identify {}", data, list(poorly))
                       : fmt::format("; they do not pin down {}", list(poorly));
  }
  if (!frozen.empty()) {
    out += out.empty() ? fmt::format("{} leave {} at fixed values", data, list(frozen))
                       : fmt::format("; they leave {} at fixed values", list(frozen));
  }
  return out.empty() ? "There is no fit." : out + ".";
}

// "", or a sentence if the fit was made from a table that is not that of these runs.
std::string fit_of_others(const Json& fit, const std::string& runs_hash) {
  if (!is_fit_of_others(fit, runs_hash)) return "";
  const Json& table = fit["table"];
  return fmt::format(
      "The fit is not of these runs as they are now: it was made from {} rows of {}. What follows "
      "from its constants is about those; `bitlaw fit` fits these runs.",
      number(table, "rows"), text(table, "path"));
}

// "", or a sentence if the fit used rows together that differ in a factor.
std::string fit_of_pooled(const Json& fit) {
  const Json table = fit.is_object() ? fit.value("table", Json()) : Json();
  const Json pooled = table.is_object() ? table.value("pooled", Json()) : Json();
  return pooled.is_string() ? fmt::format("The fit: {}", pooled.get<std::string>()) : "";
}

// Lines of at most 100 characters, cut at spaces.
std::string wrapped(const std::string& sentence) {
  std::string out, line;
  for (const std::string& word : split(sentence, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > 100) {
      out += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + line + "\n";
}

// Of all factors in which rows differ, whether or not they may: whoever must not pool has been
// refused before (must_not_pool).
std::vector<std::string> pooling_notes(const ReportInput& input) {
  std::vector<std::string> notes;
  const std::vector<FactorRow> rows =
      input.factors.empty() ? rows_to_pool(input.rows) : input.factors;
  must_not_pool(rows, {factors_named({"all"}), {}}, "", "", notes);
  note_doubtful_factors(rows, {input.pooled, {}}, notes);
  return notes;
}

// What the fit identifies, and what is noise.
std::string end_of(const Json& document) {
  const std::string noise = text(document["summary"], "noise");
  return wrapped(text(document["summary"], "sentence")) + (noise.empty() ? "" : wrapped(noise));
}

// How far the objective rises along each constant that the fit profiled.
Json profiles_figure(const Json& fit) {
  Json out = Json::array();
  const Json profiles = fit.is_object() ? fit.value("profiles", Json::object()) : Json::object();
  if (!profiles.is_object()) return out;
  for (const auto& [name, profile] : profiles.items()) {
    Json points = Json::array();
    for (const Json& point : profile.value("points", Json::array())) {
      const double value = number(point, "value"), rise = number(point, "rise");
      if (std::isfinite(value) && std::isfinite(rise))
        points.push_back({{"x", value}, {"y", rise}});
    }
    if (points.size() < 3) continue;
    out.push_back({{"name", name},
                   {"low", profile.value("low", Json())},
                   {"high", profile.value("high", Json())},
                   {"points", std::move(points)}});
  }
  return out;
}

}  // namespace

void must_be_comparison(const Json& comparison, const std::string& where) {
  if (comparison.is_null()) return;
  if (!comparison.is_object() || !comparison.contains("laws") || !comparison["laws"].is_array())
    throw Error(where + ": expected a document of `bitlaw compare --out`");
}

Json comparison_table(const Json& comparison) {
  const Json& part = comparison;
  if (!part.is_object() || !part.contains("laws") || part["laws"].empty()) return nullptr;
  Json laws = Json::array();
  for (const Json& law : part["laws"]) {
    const Json held = law.value("held_out", Json::object());
    laws.push_back({{"name", text(law, "name")},
                    {"k", law.value("k", Json())},
                    {"rms_log", law.value("rms_log", Json())},
                    {"r2", law.value("r2", Json())},
                    {"aicc", law.value("aicc", Json())},
                    {"held_out", held.value("rms_log", Json())},
                    {"held_out_error", held.value("standard_error", Json())},
                    {"tied", law.value("tied_with_best", false)},
                    {"note", !text(law, "same_as").empty() ? "the same as " + text(law, "same_as")
                                                           : text(law, "note")}});
  }
  return {{"verdict", text(part, "verdict")},
          {"hold_out", text(part, "hold_out")},
          {"laws", std::move(laws)}};
}

std::vector<FactorRow> rows_to_pool(const std::vector<TidyRow>& rows) {
  std::vector<FactorRow> out;
  for (const TidyRow& row : rows) {
    if (row.status != "diverged" && (std::isfinite(row.loss) || std::isfinite(row.delta)))
      out.push_back(factor_row(row));
  }
  return out;
}

Json make_report(const ReportInput& input) {
  const References references(input.rows, input.pooled, input.factors);
  const PureError noise = pure_error(references.rows());
  Json document{{"title", input.title},
                {"schema", 1},
                {"rows", tidy_to_json(input.rows)},
                {"summary", summary_of(input.rows, input.effort)}};
  if (!input.runs_hash.empty()) document["summary"]["data_hash"] = input.runs_hash;
  document["constants"] = constants_table(input.fit);
  document["summary"]["sentence"] =
      identified_sentence(document["constants"], is_fit_of_others(input.fit, input.runs_hash));
  document["notes"] =
      input.fit.is_object() ? input.fit.value("notes", Json::array()) : Json::array();
  for (const std::string& note : pooling_notes(input)) document["notes"].push_back(note);
  if (const FittedLaw law = fitted_law(input.fit);
      law && law.law->predicts == Predicts::kGap && !input.observations.empty())
    document["notes"].push_back(
        "The fit is of gaps: figures of residuals and of predicted losses are not drawn; `bitlaw "
        "fit "
        "--residuals` writes every gap beside its prediction.");
  document["pure_error"] = pure_error_json(noise);
  document["penalties"] = penalties(input.rows, references, noise);
  document["summary"]["noise"] =
      noise_sentence(document["penalties"], noise, references.unmatched());
  document["held_out"] =
      input.fit.is_object() ? input.fit.value("held_out", Json::array()) : Json::array();
  document["training"] = input.fit.is_object() ? input.fit.value("training", Json()) : Json();
  document["post"] = input.fit.is_object() ? input.fit.value("post", Json()) : Json();
  document["figures"] = figures_of(input.rows, references, input.fit);
  Json& figures = document["figures"];
  if (input.is_table) figures["predicted"] = predicted_of_table(input.observations, input.fit);
  figures["residuals"] = residual_figure(input.observations, input.fit);
  figures["isoflop"] = isoflop_figure(input.observations, input.fit);
  figures["profiles"] = profiles_figure(input.fit);
  document["comparison"] = comparison_table(input.comparison);
  document["post_bit"] = post_bit(input.fit, largest(sizes_of(input.rows)));
  std::vector<std::string> about_fit;
  for (std::string& sentence :
       std::vector{fit_of_others(input.fit, input.runs_hash), fit_of_pooled(input.fit)}) {
    if (!sentence.empty()) about_fit.push_back(std::move(sentence));
  }
  document["answer"] =
      answer_sentences(document, input.rows, fmt::format("{}", fmt::join(about_fit, " ")));
  Json drawings = Json::array();
  for (const Drawing& drawing : drawings_of({input, references, noise, document}))
    drawings.push_back(drawing_json(drawing));
  document["drawings"] = std::move(drawings);
  return document;
}

std::string report_text(const Json& document) {
  std::string out;
  for (const Json& sentence : document["answer"])
    out += wrapped(sentence.get<std::string>()) + "\n";
  for (const char* figure : {"residuals", "isoflop"}) {
    if (!document["figures"][figure].is_object()) continue;
    for (const Json& sentence : document["figures"][figure]["sentences"])
      out += wrapped(sentence.get<std::string>());
    out += "\n";
  }
  if (document.value("constants", Json::array()).empty()) return out + end_of(document);
  out += fmt::format("{:<12} {:>12} {:>12} {:>12} {:>12}\n", "constant", "value", "low", "high",
                     "published");
  const auto cell = [](const Json& line, const char* key) {
    const double value = number(line, key);
    return std::isfinite(value) ? fmt::format("{:.5g}", value) : std::string("-");
  };
  for (const Json& line : document.value("constants", Json::array())) {
    const std::string frozen = text(line, "frozen");
    const bool open = frozen.empty() && !line.value("identified", true);
    out += fmt::format("{:<12} {:>12} {:>12} {:>12} {:>12}{}\n", text(line, "name"),
                       open ? "-" : cell(line, "value"), cell(line, "low"), cell(line, "high"),
                       cell(line, "published"),
                       open             ? "  not identified"
                       : frozen.empty() ? ""
                                        : "  not fitted: " + frozen);
  }
  return out + "\n" + end_of(document);
}

}  // namespace bitlaw
