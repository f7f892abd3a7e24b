// Converts between the constants of a law, as its authors write them, and the coordinates x of a
// fit: logarithms of positive constants, products for offsets, none for frozen constants, one
// coordinate for tied ones (laws/parameter.h, Scale).
//
// Positive constants with a plausible range of at most a factor of about 20 are not transformed: E,
// exponents, bits per factor of e. They appear in exponents; used directly, together with the
// logarithm of the factor in front, they give straight valleys (1000 runs, kumar: half the
// evaluations).
#pragma once

#include <string>
#include <vector>

#include "laws/registry.h"
#include "solve/solver.h"

namespace bitlaw {

class Coordinates {
 public:
  // `values`: the law's; those in `free` (positions) vary, the others stay.
  // tied_to[i] >= 0: the i-th constant always equals that one, and is not in `free`.
  Coordinates(const Law& law, std::vector<double> values, std::vector<int> free,
              std::vector<int> tied_to);

  int size() const { return static_cast<int>(free_.size()); }
  const std::vector<int>& free() const { return free_; }
  const std::vector<double>& base() const { return values_; }

  // All the law's constants at x.
  std::vector<double> values(const Vector& x) const;
  // d constant / d x, a row for each of the law's constants.
  Matrix derivative(const Vector& values_at_x) const;
  // The j-th coordinate of a value; only if it depends on no other constant (not kTimesLast).
  double coordinate(int j, double value) const;
  // x of given constants, moved into the box.
  Vector from_values(const std::vector<double>& values) const;

  const Vector& low() const { return low_; }
  const Vector& high() const { return high_; }

  // Free constants whose coordinate is at an end of its range.
  std::vector<std::string> at_bounds(const Vector& x) const;

 private:
  const Law* law_;
  std::vector<double> values_;
  std::vector<int> free_, tied_to_;
  Vector low_, high_;
};

}  // namespace bitlaw
