#include "predict/constants.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "laws/effective.h"
#include "laws/formula_law.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

// A number inside nested objects, or NaN: Json's own access would throw.
double number_at(const Json& document, const std::string& a, const std::string& b) {
  const auto outer = document.find(a);
  if (outer == document.end() || !outer->is_object()) return kUnknown;
  const auto inner = outer->find(b);
  return inner == outer->end() || !inner->is_number() ? kUnknown : inner->get<double>();
}

// The precision classes for which the authors of a set have a value.
std::vector<std::pair<int, std::string>> published_classes(const Law& law,
                                                           const ConstantSet& constants) {
  std::vector<std::pair<int, std::string>> out;
  for (size_t k = 0; k < law.class_parameters.size(); ++k) {
    for (const ClassValue& known : constants.classes) {
      if (std::string_view(known.parameter) == law.class_parameters[k].parameter.name) {
        out.emplace_back(static_cast<int>(k), known.name);
      }
    }
  }
  return out;
}

// Fits of version 0.2 have none. False if it is none that a fit writes.
bool read_scatter(const Json& fit, Constants& out) {
  for (const auto& [stage, scatter] :
       {std::pair{"training", &out.scatter}, {"post", &out.post_scatter}}) {
    const auto part = fit.find(stage);
    if (part == fit.end() || !part->is_object()) continue;
    const auto count = [&](const char* name, int least) {
      const double value = number_in(*part, name);
      return value >= least && value < 1e9 ? static_cast<int>(value) : least;
    };
    if (out.clusters == 0) out.clusters = count("clusters", 0), out.absorbed = count("absorbed", 1);
    const auto found = part->find("scatter");
    if (found == part->end() || found->is_null()) continue;
    if (!found->is_object() || !found->contains("quantiles") || !(*found)["quantiles"].is_array())
      return false;
    for (const Json& value : (*found)["quantiles"]) {
      if (!value.is_number()) return false;
    }
    *scatter = scatter_from(*found);
    const std::vector<double>& quantiles = scatter->quantiles;
    if (!std::is_sorted(quantiles.begin(), quantiles.end()) || scatter->deviation < 0 ||
        scatter->growth < 0 || scatter->growth_bits < 0)
      return false;
  }
  return true;
}

std::string read_error_source(const Json& fit, Constants& out) {
  const auto table = fit.find("table");
  if (table == fit.end() || !table->is_object()) return "";
  const Json rated = table->value("gaussian_error", Json());
  if (!rated.is_string() || !feels_gaussian_error(*out.law, out.values.data())) return "";
  try {
    out.gaussian_error = gaussian_error_source(rated.get<std::string>());
  } catch (const Error& error) {
    return fmt::format("the fit is damaged ({}); fit again", error.what());
  }
  if (out.gaussian_error != GaussianErrorSource::kLeast) {
    out.notes.push_back(
        fmt::format("The fit rates blocks by --gaussian-error {}, and so does this where a "
                    "precision says how many entries share a scale (mxfp4, W4A16g128); other bits "
                    "are rated by the best grid.",
                    rated.get<std::string>()));
  }
  return "";
}

std::string read_fit(const Json& fit, Constants& out) {
  const auto parameters = fit.find("parameters");
  if (parameters == fit.end() || !parameters->is_object()) {
    return "the fit has no .parameters; give the document that `bitlaw fit --json` prints";
  }
  std::vector<std::string> fitted;
  for (const auto& [name, entry] : parameters->items()) fitted.push_back(name);
  out.bound = bind_names(*out.law, fitted);
  out.law = &out.bound.law();
  std::vector<std::string> frozen, open;
  for (const Parameter& p : out.law->parameters) {
    const double value = number_at(*parameters, p.name, "value");
    if (std::isnan(value)) {
      return fmt::format("the fit has no value for {}; fit {} again", p.name, out.law->name);
    }
    out.values.push_back(value);
    if (const Json& entry = (*parameters)[p.name]; entry.contains("frozen")) {
      // What somebody asked for is no news.
      if (!entry["frozen"].is_string() ||
          entry["frozen"].get<std::string>().find("requested") == std::string::npos)
        frozen.push_back(p.name);
    } else if (entry.contains("identified") && entry["identified"] == false) {
      open.push_back(p.name);
    } else if (at_edge(p, value)) {
      out.notes.push_back(
          fmt::format("Do not rely on this: {} ended at the edge of its range in the fit, so the "
                      "study is too small to identify it.",
                      p.name));
    }
  }
  if (const auto classes = fit.find("classes"); classes != fit.end())
    out.classes = classes_from_json(*classes);
  if (const auto table = fit.find("table"); table != fit.end() && table->is_object()) {
    if (const Json pooled = table->value("pooled", Json()); pooled.is_string())
      out.notes.push_back(fmt::format("The fit: {}", pooled.get<std::string>()));
  }
  if (std::any_of(out.law->class_parameters.begin(), out.law->class_parameters.end(),
                  [](const ClassParameter& each) { return each.axis == ClassAxis::kOptimizer; }))
    out.notes.push_back("Answers are for AdamW, unless a run names its optimizer.");
  // Fits of version 0.2 do not have it.
  if (const auto studied = fit.find("studied"); studied != fit.end() && studied->is_object()) {
    out.reach = reach_from(*studied);
  } else {
    out.notes.push_back(
        "The fit does not say how far its runs reach, so nothing here says how far it "
        "extrapolates; fit again.");
  }
  if (!open.empty()) {
    out.notes.push_back(fmt::format(
        "The fit does not identify {}: a number that depends on {} is known only to its "
        "interval.",
        fmt::join(open, ", "), open.size() == 1 ? "it" : "them"));
  }
  if (!read_scatter(fit, out)) return "the scatter of the fit is damaged; fit again";
  out.total = fit.value("params", Json()) == "total";
  out.by_compute = fit.value("params", Json()) == "flops";
  out.fixed = fixed_params_from(fit.value("fixed_params", Json()));
  if (const Json method = fit.value("method", Json()); method.is_string())
    out.method = method.get<std::string>();
  const auto points = fit.find("points");
  const int64_t count = points != fit.end() && points->is_number() ? points->get<int64_t>() : 0;
  out.source = fmt::format("fit of {} to {} points", out.law->name, count);
  if (!frozen.empty()) {
    out.notes.push_back(fmt::format(
        "{} {} not fitted, because the study does not identify {}: {}.", fmt::join(frozen, ", "),
        frozen.size() == 1 ? "was" : "were", frozen.size() == 1 ? "it" : "them",
        frozen.size() == 1 ? "its value is fixed" : "their values are fixed"));
  }

  const auto draws = fit.find("draws");
  if (draws == fit.end() || !draws->is_object()) return "";
  const auto names = draws->find("names"), values = draws->find("values");
  if (names == draws->end() || values == draws->end() || !values->is_array()) return "";
  std::vector<int> column;  // of each draw -> position in the law
  for (const Json& name : *names) {
    const int i =
        name.is_string() ? parameter_index(*out.law, name.get_ref<const std::string&>()) : -1;
    if (i < 0) return "the fit's draws name a constant that its law does not have; fit again";
    column.push_back(i);
  }
  for (const Json& row : *values) {
    std::vector<double> draw = out.values;
    if (!row.is_array() || row.size() != column.size())
      return "the fit's draws are ragged; fit again";
    for (size_t i = 0; i < column.size(); ++i) {
      if (!row[i].is_number())
        return "the fit's draws contain something that is not a number; fit again";
      draw[column[i]] = row[i].get<double>();
    }
    out.draws.push_back(std::move(draw));
  }
  return "";
}

}  // namespace

double drawn_level(const Constants& constants, double level) {
  return constants.clusters > 1 ? expanded_level(level, constants.clusters, constants.absorbed)
                                : level;
}

std::string read_constants(const std::string& name, const std::string& set, const Json& fit,
                           Constants& out) {
  std::string law_name = name;
  if (fit.is_object()) {
    const auto law = fit.find("law");
    if (law == fit.end() || !law->is_string()) {
      return "the fit names no .law; give the document that `bitlaw fit --json` prints";
    }
    law_name = law->get_ref<const std::string&>();
  } else if (!fit.is_null()) {
    return "the fit is not a JSON object; give the document that `bitlaw fit --json` prints";
  }
  out.law = fit.is_object() ? nullptr : find_law(law_name);
  if (fit.is_object()) {
    out.published = false, out.fitted = true;
    std::string wrong;
    try {
      const BoundLaw unbound = law_of_fit(fit, "the fit");
      out.law = &unbound.law();
      wrong = read_fit(fit, out);
    } catch (const Error& error) {
      wrong = error.what();
    } catch (const Json::exception& error) {
      wrong = fmt::format("the fit is damaged ({}); fit again", error.what());
    }
    if (wrong.empty()) out.knows_bits = feels_bits(*out.law, out.values.data());
    if (wrong.empty()) wrong = read_error_source(fit, out);
    return wrong;
  }

  if (!out.law) return unknown_name("law", law_name, law_names());
  const ConstantSet* constants = find_constants(*out.law, set);
  if (!constants) {
    std::vector<std::string> known;
    for (const ConstantSet& each : out.law->constants) known.emplace_back(each.name);
    if (known.empty()) return fmt::format("{} has no published constants; give a fit", law_name);
    return unknown_name(fmt::format("set of {} constants", law_name), set, known);
  }
  out.published = constants->is_published();
  if (const FittedOn* studied = fitted_on(law_name, constants->name); studied && out.published)
    out.reach = reach_of(*studied);
  out.source = out.published ? fmt::format("published constants: {}", constants->source)
                             : constants->source;  // which says so
  if (!out.published) {
    out.notes.push_back(
        fmt::format("Do not rely on this: {} has no complete set of published constants, so "
                    "these are starting values of a fit; give a fit.",
                    law_name));
  }
  out.bound = bind_law(*out.law, published_classes(*out.law, *constants));
  out.law = &out.bound.law();
  constants = find_constants(*out.law, set);
  out.values.assign(constants->values.begin(), constants->values.end());
  out.knows_bits = feels_bits(*out.law, out.values.data());
  return "";
}

}  // namespace bitlaw
