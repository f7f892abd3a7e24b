// How the best hyperparameters move: each as  value = a (N / N0)^n (D / D0)^d, fitted to the best
// values of several fleets of one precision, with their errors; and what fewer bits change.
#pragma once

#include <string>
#include <vector>

#include "tune/surface.h"

namespace bitlaw {

struct TunedFleet {
  TuneFleet fleet;
  Surface surface;
};

struct AxisRule {
  std::string key;
  double N0 = kNoNumber, D0 = kNoNumber;  // geometric means
  TuneEstimate at_middle;                 // a
  TuneEstimate of_N, of_D;                // the exponents; NaN where N or D does not vary
  int64_t fleets = 0;
  std::string missing;  // why there is no rule; empty if there is one

  template <class V>
  void visit(V& v) {
    v("key", key);
    v("N0", N0);
    v("D0", D0);
    v("at_middle", at_middle);
    v("of_N", of_N);
    v("of_D", of_D);
    v("fleets", fleets);
    v.known("missing", missing);
  }
};

// The best value at fewer bits over that of BF16 at the same N and D.
struct BitsShift {
  std::string key, precision;
  double N = 0, D = 0;
  TuneEstimate ratio;

  template <class V>
  void visit(V& v) {
    v("key", key);
    v("precision", precision);
    v("N", N);
    v("D", D);
    v("ratio", ratio);
  }
};

// One for each axis that all fleets of the precision have. Axes that are not on a logarithmic scale
// have no rule.
std::vector<AxisRule> tuning_rules(const std::vector<TunedFleet>& fleets,
                                   const std::string& precision);

std::vector<BitsShift> bits_shifts(const std::vector<TunedFleet>& fleets,
                                   const std::string& full_precision);

}  // namespace bitlaw
