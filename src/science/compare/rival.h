// Whether another form describes the rows better than the law that was fitted. Effective parameters and
// additive errors fit many tables nearly alike, but their constants differ: data that are additive gave
// kumar an alpha of .079 +- .002 where the truth is .26.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"
#include "laws/observation.h"

namespace bitlaw {

struct Rival {
  std::string law;
  double aicc_lower = 0;       // by how much its AICc is lower; above kClear
  std::vector<double> values;  // its constants, in the order of its parameters
  std::string sentence;

  // Ten and more are essentially no support for the other model (Burnham and Anderson 2002, section 2.6).
  static constexpr double kClear = 10;
};

// The law of additive errors (laws/registry.h) against one of effective parameters, fitted to the same rows (a sketch of large
// tables). Nothing for other laws, for rows without bits in training, and where it is not clearly better.
std::optional<Rival> better_form(const Fit& fit, const std::vector<Observation>& runs,
                                 const FitOptions& options, const ParallelFor& parallel_for = {});

}  // namespace bitlaw
