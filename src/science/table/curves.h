// Learning curves: rows that are points of one training run, at growing steps or tokens. They share the
// run's noise, so a fit must resample them together; counted as runs of their own they give intervals
// that exclude the truth.
//
// Rows are taken for the points of one run if they agree in N, in the precision, in the seed, in the
// factors that never vary and in every column of words, and there are
//
//   - five or more with growing values in a column of steps, or
//   - ten or more with growing D in equal steps (most increments within a tenth of their median), as a program
//     that evaluates every thousand steps gives, or
//   - thirty or more at growing D, in the order of the table.
//
// A grid of runs is none of these: its D are few, or in geometric steps.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bitlaw {

// What is known of a row.
struct CurvePoint {
  std::string key;    // what the points of one run agree in
  double tokens = 0;  // D
  double step = 0;    // NaN: there is no such column, or it is empty
};

struct Curves {
  std::vector<int> curve;    // of each row; -1: of none
  int count = 0;             // of curves
  int points = 0;            // rows in them
  bool same_tokens = false;  // some curve has one D at all its steps: it is the planned number
};

inline constexpr size_t kFewestCurvePoints = 5;

// Points in the order of the table.
Curves find_curves(const std::vector<CurvePoint>& points);

}  // namespace bitlaw
