// Further results of a fit: derived quantities and profiles.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fit/allowed.h"
#include "fit/fit.h"
#include "fit/setup.h"

namespace bitlaw {

struct DerivedQuantity {
  Derived about;     // its value at the fitted constants, no interval yet
  bool of_training;  // depends only on constants of the training law
  std::function<double(const double* p)> of;
};

// The quantities (laws/effective.h) that the rows inform:
//
//   a of N* ~ C^a, b of D* ~ C^b    compute-optimal exponents, for laws with A/N^alpha and B/D^beta
//   N_eff/N                         at every precision of the training rows
//   P*                              of each part that some row quantizes, and of all together
//   D_crit                          at the sizes and post-training precisions of the quantized rows
//
// If they depend on N, D or the budget, their name says for which (Middle). The law must outlive
// them.
std::vector<DerivedQuantity> derived_quantities(const Law& law, const StageRows& rows,
                                                const std::vector<double>& values);

// A finished fit's stages; `free` of a stage is empty if it was not fitted.
struct FittedStages {
  const StageRows* rows;
  const ParameterChoice* choice;
  const StageSetup *training, *post;
  const FitAllowed* allowed;
};

// Fills fit.derived, with intervals from fit.draws.
void add_derived(const FittedStages& stages, const std::vector<double>& values,
                 const FitOptions& options, const ParallelFor& parallel_for, Fit& fit);

// Fills fit.profiles as options.profile requests; a note lists intervals without an end. Error if a
// name is unknown, or is a constant that was not fitted.
void add_profiles(const FittedStages& stages, const std::vector<double>& values,
                  const FitOptions& options, const ParallelFor& parallel_for, Fit& fit);

// .derived and .profiles of a fit's document, and their text.
void uncertainty_to_json(const Fit& fit, Json& document);
void uncertainty_from_json(const Json& document, Fit& fit);
std::string uncertainty_text(const Fit& fit);

}  // namespace bitlaw
