#include "report/fitted_law.h"

#include <cmath>

#include "base/error.h"
#include "laws/effective.h"
#include "laws/formula_law.h"
#include "report/fields.h"

namespace bitlaw {
namespace {

// p_post: 0 for as trained.
Observation plain_run(double n, double d, double p_w, double p_a, double p_kv, double p_post) {
  Observation run;
  run.params = n;
  run.tokens = d;
  run.bits_weights = p_w;
  run.bits_activations = p_a;
  run.bits_kv = p_kv;
  run.bits_post = p_post;
  return run;
}

}  // namespace

Observation FittedLaw::run_of(double n, double d, double p_w, double p_a, double p_kv,
                              double p_post) const {
  Observation run = plain_run(n, d, p_w, p_a, p_kv, p_post);
  if (!total) return run;
  run.params_total = fixed.total(n);
  count_all_params(run);
  return run;
}

bool FittedLaw::has_curves() const {
  return models_bits() && feels_bits(*law, values.data());
}

double FittedLaw::loss(double n, double d, double p_w, double p_a, double p_kv,
                       double p_post) const {
  return predict(*law, values.data(), run_of(n, d, p_w, p_a, p_kv, p_post >= 16 ? 0 : p_post));
}

double FittedLaw::delta(double n, double d, double p_w, double p_a, double p_kv,
                        double p_post) const {
  return predict_delta(*law, values.data(), run_of(n, d, p_w, p_a, p_kv, p_post));
}

Observation as_counted(Observation row, const Json& fit) {
  if (fit.is_object() && text(fit, "params") == "flops") {
    count_params_by_compute(row);
    return row;
  }
  if (!fit.is_object() || text(fit, "params") != "total" || !(row.params_total > 0)) return row;
  // Fits that did not tell what is fixed shrank all parameters.
  if (fixed_params_from(fit.value("fixed_params", Json())).is_known())
    count_all_params(row);
  else
    row.params = row.params_total;
  return row;
}

BoundLaw bound_law(const Law& law, const Json& fit) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : fit["parameters"].items()) names.push_back(name);
  return bind_names(law, names);
}

std::optional<BoundLaw> known_law_of(const Json& fit) {
  try {
    return law_of_fit(fit, "fit");
  } catch (const Error&) {  // of another version
    return std::nullopt;
  }
}

bool is_fit_of_others(const Json& fit, const std::string& runs_hash) {
  const Json table = fit.is_object() ? fit.value("table", Json()) : Json();
  const std::string hash = table.is_object() ? text(table, "hash") : "";
  return !hash.empty() && !runs_hash.empty() && hash != runs_hash;
}

FittedLaw fitted_law(const Json& fit) {
  FittedLaw out;
  if (!fit.is_object() || !fit.contains("parameters")) return out;
  const std::optional<BoundLaw> unbound = known_law_of(fit);
  if (!unbound) return out;
  out.bound = bound_law(unbound->law(), fit);
  const Law* law = &out.bound->law();
  for (const Parameter& parameter : law->parameters) {
    const auto found = fit["parameters"].find(std::string(parameter.name));
    out.values.push_back(found == fit["parameters"].end() ? std::nan("") : number(*found, "value"));
  }
  out.law = law;
  out.fixed = fixed_params_from(fit.value("fixed_params", Json()));
  out.total = fit.value("params", Json()) == "total" && out.fixed.is_known();
  return out;
}

FittedLaw published_law(const Json& fit) {
  FittedLaw out;
  const Law* law = fit.is_object() ? find_law(text(fit, "law")) : nullptr;
  if (law == nullptr || !law->constants[0].is_published()) return out;
  out.law = law;
  out.values.assign(law->constants[0].values.begin(), law->constants[0].values.end());
  return out;
}

}  // namespace bitlaw
