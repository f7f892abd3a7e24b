// A fit as a document, and back. Numbers keep every digit; NaN is null.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json_fields.h"
#include "fit/derived.h"
#include "fit/fit.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

Json stage_json(const StageFit& stage) {
  return {{"objective", json_number(stage.objective)},
          {"sse", json_number(stage.sse)},
          {"r2", json_number(stage.r2)},
          {"r2_all", json_number(stage.r2_all)},
          {"judged", stage.judged},
          {"points", stage.points},
          {"free", stage.free},
          {"clusters", stage.clusters},
          {"starts", stage.starts},
          {"reached", stage.reached},
          {"converged", stage.converged},
          {"condition", json_number(stage.condition)},
          {"absorbed", stage.absorbed},
          {"scatter", stage.scatter.is_known() ? scatter_json(stage.scatter) : Json(nullptr)}};
}

StageFit stage_from(const Json& document) {
  StageFit out;
  out.objective = number_in(document, "objective");
  out.sse = number_in(document, "sse");
  out.r2 = number_in(document, "r2");
  if (document.contains("r2_all")) out.r2_all = number_in(document, "r2_all");
  out.judged = document.value("judged", 0);
  out.points = document.at("points");
  out.free = document.at("free");
  out.clusters = document.at("clusters");
  out.starts = document.at("starts");
  out.reached = document.at("reached");
  out.converged = document.at("converged");
  out.condition = number_in(document, "condition");
  out.absorbed = document.value("absorbed", 1);
  if (document.contains("scatter")) out.scatter = scatter_from(document["scatter"]);
  return out;
}

// A constant that was kept moves with those that the rows cannot tell it from.
bool varies(const std::vector<std::vector<double>>& draws, size_t parameter, double value) {
  return std::any_of(draws.begin(), draws.end(),
                     [&](const auto& draw) { return draw[parameter] != value; });
}

}  // namespace

Json fit_to_json(const Fit& fit) {
  Json out{{"law", fit.law},
           {"objective", json_number(fit.main().objective)},
           {"objective_name", fit.objective_name},
           {"r2", json_number(fit.main().r2)},
           {"points", fit.main().points},
           {"converged", fit.converged()},
           {"studied", reach_json(fit.reach)},
           {"params", fit.params},
           {"method", fit.method},
           {"fixed_params", fixed_params_json(fit.fixed)},
           {"threshold", json_number(fit.threshold)},
           {"censored", fit.censored},
           {"level", fit.level},
           {"notes", fit.notes}};
  if (fit.own) out["formula"] = law_formula_json(*fit.own);
  if (!fit.classes.bits.empty()) out["classes"] = classes_json(fit.classes);
  if (fit.training.points > 0) out["training"] = stage_json(fit.training);
  if (fit.post.points > 0) out["post"] = stage_json(fit.post);
  std::vector<size_t> moving;  // constants that the draws differ in
  Json names = Json::array();
  for (size_t i = 0; i < fit.parameters.size(); ++i) {
    const FittedParameter& p = fit.parameters[i];
    Json entry{{"value", json_number(p.value)},
               {"low", json_number(p.low)},
               {"high", json_number(p.high)}};
    if (!p.frozen.empty()) entry["frozen"] = p.frozen;
    if (!p.tied_to.empty()) entry["tied_to"] = p.tied_to;
    if (!p.identified) entry["identified"] = false;
    if (p.low_open) entry["low_open"] = true;
    if (p.high_open) entry["high_open"] = true;
    out["parameters"][p.name] = std::move(entry);
    if (p.frozen.empty() || varies(fit.draws, i, p.value)) {
      moving.push_back(i);
      names.push_back(p.name);
    }
  }
  out["held_out"] = Json::array();
  for (const HeldOut& held : fit.held_out) {
    out["held_out"].push_back({{"part", held.part},
                               {"split", held.split},
                               {"fitted", held.fitted},
                               {"points", held.points},
                               {"rms_log", json_number(held.rms_log)},
                               {"standard_error", json_number(held.standard_error)},
                               {"unclear", held.unclear},
                               {"rms_errors", json_number(held.rms_errors)},
                               {"all_points", held.all_points}});
  }
  if (fit.penalty.rows > 0) {
    out["penalty"] = {{"r2", json_number(fit.penalty.r2)},
                      {"rows", fit.penalty.rows},
                      {"without_reference", fit.penalty.without_reference}};
  }
  if (!fit.other_count.params.empty()) {
    Json& other = out["other_count"];
    other = {{"params", fit.other_count.params},
             {"objective", json_number(fit.other_count.objective)}};
    for (size_t i = 0; i < fit.parameters.size(); ++i) {
      other["parameters"][fit.parameters[i].name] = fit.other_count.values[i];
    }
  }
  if (!fit.draws.empty()) {
    Json values = Json::array();
    for (const std::vector<double>& draw : fit.draws) {
      Json row = Json::array();
      for (const size_t i : moving) row.push_back(draw[i]);
      values.push_back(std::move(row));
    }
    out["draws"] = {{"names", std::move(names)}, {"values", std::move(values)}};
  }
  uncertainty_to_json(fit, out);
  return out;
}

Fit fit_from_json(const Json& document, const std::string& where) {
  try {
    Fit fit;
    fit.law = document.at("law");
    const BoundLaw unbound = law_of_fit(document, where);
    if (const LawFormula* own = definition_of(unbound.law())) fit.own = *own;
    std::vector<std::string> constants;
    for (const auto& [name, unused] : document.at("parameters").items()) constants.push_back(name);
    const BoundLaw bound = bind_names(unbound.law(), constants);
    const Law* law = &bound.law();
    fit.objective_name = document.at("objective_name");
    if (document.contains("threshold")) fit.threshold = number_in(document, "threshold");
    fit.censored = document.at("censored");
    fit.level = document.at("level");
    fit.params = document.value("params", "non-embedding");
    fit.method = document.value("method", "");
    fit.fixed = fixed_params_from(document.value("fixed_params", Json()));
    fit.notes = document.at("notes");
    if (document.contains("studied")) fit.reach = reach_from(document["studied"]);
    fit.classes = classes_from_json(document.value("classes", Json()));
    if (document.contains("training")) fit.training = stage_from(document["training"]);
    if (document.contains("post")) fit.post = stage_from(document["post"]);
    for (const Parameter& p : law->parameters) {
      const Json& entry = document.at("parameters").at(p.name);
      FittedParameter out;
      out.name = p.name;
      out.value = entry.at("value");
      out.low = number_in(entry, "low");
      out.high = number_in(entry, "high");
      out.frozen = entry.value("frozen", "");
      out.tied_to = entry.value("tied_to", "");
      out.identified = entry.value("identified", true);
      out.low_open = entry.value("low_open", false);
      out.high_open = entry.value("high_open", false);
      fit.parameters.push_back(std::move(out));
    }
    for (const Json& held : document.at("held_out")) {
      HeldOut& out = fit.held_out.emplace_back();
      out = {held.at("part"),         held.at("split"),           held.at("fitted"),
             held.at("points"),       number_in(held, "rms_log"), number_in(held, "standard_error"),
             held.value("unclear", 0)};
      if (held.contains("rms_errors")) out.rms_errors = number_in(held, "rms_errors");
      out.all_points = held.value("all_points", 0);
    }
    if (document.contains("penalty")) {
      const Json& penalty = document["penalty"];
      fit.penalty = {number_in(penalty, "r2"), penalty.at("rows"), penalty.at("without_reference")};
    }
    if (document.contains("other_count")) {
      const Json& other = document["other_count"];
      fit.other_count = {other.at("params"), number_in(other, "objective"), {}};
      for (const Parameter& p : law->parameters) {
        fit.other_count.values.push_back(other.at("parameters").at(p.name));
      }
    }
    if (document.contains("draws")) {
      std::vector<int> column;
      for (const Json& name : document["draws"].at("names")) {
        const int i = parameter_index(*law, name.get<std::string>());
        if (i < 0)
          throw Error(
              fmt::format("{}: draws of {}, which {} does not have", where, name.dump(), fit.law));
        column.push_back(i);
      }
      for (const Json& row : document["draws"].at("values")) {
        std::vector<double> draw = fit.values();
        if (row.size() != column.size())
          throw Error(fmt::format("{}: ragged draws; fit again", where));
        for (size_t j = 0; j < column.size(); ++j) draw[column[j]] = row[j];
        fit.draws.push_back(std::move(draw));
      }
    }
    uncertainty_from_json(document, fit);
    return fit;
  } catch (const Json::exception&) {
    throw Error(
        fmt::format("{}: not a fit of this version; make it with `bitlaw fit --json`", where));
  }
}

}  // namespace bitlaw
