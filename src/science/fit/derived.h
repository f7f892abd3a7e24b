// What a fit says besides its constants: quantities that follow from them, and profiles.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fit/fit.h"
#include "fit/setup.h"

namespace bitlaw {

struct DerivedQuantity {
  Derived about;     // its value at the fitted constants, no interval yet
  bool of_training;  // it depends on constants of the training law alone
  std::function<double(const double* p)> of;
};

// The quantities (laws/effective.h) that the rows have something to say on:
//
//   a of N* ~ C^a, b of D* ~ C^b    compute-optimal exponents, for laws with A/N^alpha and B/D^beta
//   N_eff/N                         at every precision of the training rows
//   P*                              of each part that some row lowers, and of all of them together
//   D_crit                          at the sizes and post-training precisions of the quantized rows
//
// Where they depend on N, D or the budget, their name says for which (Middle). The law must outlive
// them.
std::vector<DerivedQuantity> derived_quantities(const Law& law, const StageRows& rows,
                                                const std::vector<double>& values);

// A finished fit's stages; `free` of a stage is empty where it was not fitted.
struct FittedStages {
  const StageRows* rows;
  const ParameterChoice* choice;
  const StageSetup *training, *post;
};

// Fills fit.derived, with intervals from fit.draws.
void add_derived(const FittedStages& stages, const std::vector<double>& values,
                 const FitOptions& options, const ParallelFor& parallel_for, Fit& fit);

// Fills fit.profiles with what options.profile asks for, and says in a note what has no end. Error
// where a name is unknown, or of a constant that was not fitted.
void add_profiles(const FittedStages& stages, const std::vector<double>& values,
                  const FitOptions& options, const ParallelFor& parallel_for, Fit& fit);

// .derived and .profiles of a fit's document, and lines for people.
void uncertainty_to_json(const Fit& fit, Json& document);
void uncertainty_from_json(const Json& document, Fit& fit);
std::string uncertainty_text(const Fit& fit);

}  // namespace bitlaw
