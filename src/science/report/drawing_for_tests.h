// Made-up studies whose right numbers are known, for the tests of drawings.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "laws/registry.h"
#include "report/report.h"

namespace bitlaw {

// Kumar's published law as a fit would give it, with `draws` refits whose constants scatter by so much.
inline Json drawn_fit(int draws = 0, double scatter = 0) {
  const Law& kumar = *find_law("kumar");
  Json parameters = Json::object(), names = Json::array(), values = Json::array();
  for (size_t i = 0; i < kumar.parameters.size(); ++i) {
    const double value = kumar.constants[0].values[i];
    parameters[kumar.parameters[i].name] = {{"value", value}, {"low", value}, {"high", value}};
    names.push_back(kumar.parameters[i].name);
  }
  for (int draw = 0; draw < draws; ++draw) {
    Json row = Json::array();
    for (size_t i = 0; i < kumar.parameters.size(); ++i)
      row.push_back(kumar.constants[0].values[i] *
                    (1 + scatter * std::sin(1.7 * draw + 2.3 * static_cast<double>(i))));
    values.push_back(std::move(row));
  }
  Json out{{"law", "kumar"}, {"parameters", parameters}, {"points", 100}, {"method", "gptq"}};
  out["notes"] = out["held_out"] = Json::array();
  if (draws > 0) out["draws"] = {{"names", names}, {"values", values}};
  return out;
}

// Of kumar's published law; the weights alone are quantized.
inline double drawn_loss(double n, double d, double p_w, double p_post = 16) {
  Observation run;
  run.params = n, run.tokens = d, run.bits_weights = p_w;
  if (p_post < 16) run.bits_post = p_post;
  return predict(*find_law("kumar"), find_law("kumar")->constants[0].values.data(), run);
}

inline TidyRow drawn_run(double n, double d, double p_w, double loss) {
  TidyRow row;
  row.run = "run-" + std::to_string(n) + "-" + std::to_string(d) + "-" + std::to_string(p_w);
  row.status = "finished";
  row.N = std::llround(n), row.D = std::llround(d);
  row.P_w = p_w, row.P_a = row.P_kv = row.P_post = 16;
  row.loss = loss;
  row.method = "none";
  return row;
}

inline TidyRow drawn_cell(const TidyRow& run, double p_post, double delta, double error = 1e-5) {
  TidyRow row = run;
  row.method = "gptq", row.P_post = p_post;
  row.delta = delta, row.standard_error = error, row.loss = run.loss + delta;
  return row;
}

inline Json drawings_in(const std::vector<TidyRow>& rows, const Json& fit) {
  return make_report({"t", rows, fit, Json::array(), {"all"}})["drawings"];
}

// Null if there is none.
inline Json drawing_named(const Json& drawings, const std::string& id) {
  for (const Json& drawing : drawings) {
    if (drawing["id"] == id) return drawing;
  }
  return nullptr;
}

inline Json series_named(const Json& panel, const std::string& name) {
  for (const Json& series : panel.value("series", Json::array())) {
    if (series["name"] == name) return series;
  }
  return nullptr;
}

inline bool says(const Json& drawing, const std::string& words) {
  return drawing["says"].get<std::string>().find(words) != std::string::npos;
}

}  // namespace bitlaw
