// Between the constants of a law, as its authors write them, and the coordinates x in which a fit
// walks: logarithms of what is positive, products for offsets, nothing for what is frozen, one
// coordinate for what is tied (laws/parameter.h, Scale).
//
// Positive constants that sensible fits agree on within a factor of about 20 walk as they are: E,
// exponents, bits per factor e. They stand in exponents, where a straight line for them and for
// the logarithm of the factor before is a valley without a bend (1000 runs, kumar: half the
// evaluations).
#pragma once

#include <string>
#include <vector>

#include "laws/registry.h"
#include "solve/solver.h"

namespace bitlaw {

class Coordinates {
 public:
  // `values`: the law's, of which those in `free` (positions) are walked along and the rest stay.
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
  // The j-th coordinate of a value, where that depends on no other constant (not kTimesLast).
  double coordinate(int j, double value) const;
  // x of given constants, moved into the box.
  Vector from_values(const std::vector<double>& values) const;

  const Vector& low() const { return low_; }
  const Vector& high() const { return high_; }

  // Free constants whose coordinate lies on an end of its range.
  std::vector<std::string> at_bounds(const Vector& x) const;

 private:
  const Law* law_;
  std::vector<double> values_;
  std::vector<int> free_, tied_to_;
  Vector low_, high_;
};

}  // namespace bitlaw
