// Where the best hyperparameters are: a quadratic through the better half of a fleet's losses, in the
// places of its axes, with a bootstrap over configurations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tune/fleet.h"
#include "tune/tail.h"

namespace bitlaw {

struct AxisOptimum {
  std::string key;
  TuneEstimate best;  // of the quadratic within the ranges; with a 90 % interval
  double flat_low = kNoNumber, flat_high = kNoNumber;  // the loss rises by less than .01 nats there
  // "" or why there is no number: the loss does not depend on it, or is best at an end of its range.
  std::string missing;

  template <class V>
  void visit(V& v) {
    v("key", key);
    v("best", best);
    v("flat_low", flat_low);
    v("flat_high", flat_high);
    v.known("missing", missing);
  }
};

struct Surface {
  int64_t points = 0;           // that it was fitted to
  double residual = kNoNumber;  // deviation of the losses from it, nats
  std::vector<AxisOptimum> axes;
  std::string missing;  // why there is none; empty if there is one

  template <class V>
  void visit(V& v) {
    v("points", points);
    v("residual", residual);
    v("axes", axes);
    v.known("missing", missing);
  }
};

struct SurfaceOptions {
  double rise = 0.01;  // nats: what counts as flat
  int64_t draws = 200;
  uint64_t seed = 1;
};

Surface fit_surface(const TuneFleet& fleet, const SurfaceOptions& options = {});

}  // namespace bitlaw
