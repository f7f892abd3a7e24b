// A fleet of tuned runs: configurations of one size, token count and precision that differ in their
// hyperparameters alone, with the loss that each came to.
#pragma once

#include <string>
#include <vector>

namespace bitlaw {

// A hyperparameter that varies: its key, and the range that was searched.
struct TuneAxis {
  std::string key;
  double from = 0, to = 1;
  bool log = false;

  // Its place in the range: -1 at `from`, 1 at `to`; and back.
  double place_of(double value) const;
  double value_at(double place) const;
};

struct TunePoint {
  std::vector<double> values;  // one per axis
  double loss = 0;             // nats a token
};

struct TuneFleet {
  std::string label;      // "size=w32 recipe.weights=4"
  double N = 0, D = 0;    // parameters and tokens
  std::string precision;  // "W4A16KV16"
  std::vector<TuneAxis> axes;
  std::vector<TunePoint> points;  // those that reached D, in any order
  // Losses of all configurations that were begun, also of those that were given up before D. A loss
  // that is not known is infinite. Empty: those of `points`.
  std::vector<double> begun;
};

}  // namespace bitlaw
