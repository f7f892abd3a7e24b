// How far the runs reach that constants were fitted to. A prediction beyond them extrapolates; by how
// much is said, and widens its intervals.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "laws/fitted_on.h"
#include "laws/observation.h"

namespace bitlaw {

// The least and the most of a quantity; zeros = unknown.
struct Extent {
  double low = 0, high = 0;

  bool is_known() const { return high > 0; }
  void take(double value);
  // log(value / high) above it, log(low / value) below it; 0 inside, or if nothing is known.
  double beyond(double value) const;
};

struct Reach {
  Extent params, tokens, compute;        // N, D, C = 6 N D
  Extent weights, activations, kv;       // bits while training; 16 if not quantized
  Extent post;                           // bits of weights after training
  std::map<std::string, Extent> inputs;  // of laws made from formulas, by column; above 0 alone
  std::vector<std::string> classes;      // precision classes of the forward pass, by name

  bool is_known() const { return params.is_known() || !inputs.empty(); }
};

Reach reach_of(std::span<const Observation> runs);
// Of published constants. Bits below their least, and weights of more than their most, are beyond; their
// least N and D are not, because nobody plans below them.
Reach reach_of(const FittedOn& studied);

// How far a run is outside. `size`: the root of the summed squares of how many factors of e N, D,
// C and the inputs of a formula are beyond; `bits`: the same of the parts' bits and those after training.
struct Distance {
  double size = 0, bits = 0;
  bool is_outside() const { return size > 0 || bits > 0; }
};
Distance distance(const Reach& reach, const Observation& run);

// One phrase for each quantity that is outside: "N is 20 times their largest, 8 M".
std::vector<std::string> words_beyond(const Reach& reach, const Observation& run);

// .least_params .most_params and so on; null where unknown.
Json reach_json(const Reach& reach);
Reach reach_from(const Json& document);

}  // namespace bitlaw
