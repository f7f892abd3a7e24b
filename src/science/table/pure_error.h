// Pure error: how much the loss varies between runs that differ in nothing but the seed. It is what a
// difference of losses is held against, and what no law can explain.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "table/factors.h"

namespace bitlaw {

// Cells are the settings (N, D, precision and every factor) that have several runs. Their squared
// deviations from the mean of their cell add up, over one degree of freedom less than it has runs.
struct PureErrorPart {
  double params = kUnknown;  // of all cells of the part; NaN for the total
  std::string label;         // of their precision, "W4"; "" for the total
  int cells = 0, runs = 0;
  double squares = 0;      // of deviations, nats^2
  double log_squares = 0;  // of deviations of the loss's logarithm
  bool seeded = true;      // the seed of every run is known

  int freedom() const { return runs - cells; }
  double deviation() const;  // nats per token; NaN without replicates
  // "between seeds", or "between repeated rows"
  const char* between() const { return seeded ? "between seeds" : "between repeated rows"; }
};

struct PureError {
  // Degrees of freedom that a verdict needs: with fewer, a deviation is itself too uncertain.
  static constexpr int kFewestFreedom = 4;

  PureErrorPart all;
  std::vector<PureErrorPart> parts;  // by size and precision

  // For runs of this size and precision: theirs if it has at least four degrees of freedom, else
  // that of all. NaN without replicates.
  double deviation(double params, const std::string& label) const;
};

// Of rows that have a loss. Rows whose seed is known count once for each seed. Rows whose seed is
// not known count as different seeds if their factors are known to be alike: at least one factor of
// training is known, and every one that any row of the table tells. Rows without a seed that have
// the same loss to the last bit count once.
PureError pure_error(const std::vector<FactorRow>& rows);

// .deviation .freedom .cells .runs .seeded .parts[].{N,precision,...}; null without replicates.
Json pure_error_json(const PureError& error);

// "1 degree of freedom"
std::string degrees_of_freedom(int freedom);

// A line for the total and one for each part; "" without replicates.
std::string pure_error_text(const PureError& error);

}  // namespace bitlaw
