// A law with its constants, as figures need it: of a fit, or as its authors published it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "laws/bind.h"
#include "laws/fixed_params.h"

namespace bitlaw {

struct FittedLaw {
  std::optional<BoundLaw> bound;  // owns the law if it is bound to classes
  const Law* law = nullptr;
  std::vector<double> values;
  bool total = false;  // N_eff counts embeddings and head, which are ...
  FixedParams fixed;   // ... as large as in the fit's table

  explicit operator bool() const { return law != nullptr; }
  // Whether the law says what bits cost by a formula, so that there are curves over bits.
  bool models_bits() const {
    return law != nullptr && law->predicts == Predicts::kLoss && law->class_parameters.empty() &&
           law->uses_bits;
  }
  // Whether the law says what quantization after training costs.
  bool models_delta() const { return law != nullptr && law->has_delta; }
  // False also if no number of bits makes a difference with these constants.
  bool has_curves() const;
  // Nats per token; 16 bits after training: as trained.
  double loss(double n, double d, double p_w, double p_a, double p_kv, double p_post) const;
  double delta(double n, double d, double p_w, double p_a, double p_kv, double p_post) const;

 private:
  // n: without embeddings and head.
  Observation run_of(double n, double d, double p_w, double p_a, double p_kv, double p_post) const;
};

// A row of a table with N as the fit counts it.
Observation as_counted(Observation row, const Json& fit);

// The law of the document of a fit; none where this version does not know it.
std::optional<BoundLaw> known_law_of(const Json& fit);
// With the classes that the fit's constants name.
BoundLaw bound_law(const Law& law, const Json& fit);

// Whether the fit was made from a table other than that of these runs. False where nobody knows.
bool is_fit_of_others(const Json& fit, const std::string& runs_hash);

// `fit`: of fit_to_json, or null. Without a law if there is no fit.
FittedLaw fitted_law(const Json& fit);
// What the authors of the fitted law published for it; without a law if they did not.
FittedLaw published_law(const Json& fit);

}  // namespace bitlaw
