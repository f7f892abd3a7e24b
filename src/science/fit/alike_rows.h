// Do rows of equal N and precision err alike? Points of one training run do, and a fit that counts
// them as runs gives intervals that exclude the truth; so do rows of a size whose loss the law misses.
// Few points at other tokens do not show it (table/curves.h), their residuals do:
//
//   F = [sum_g m_g mean_g^2 / (G - 1)] / [sum_g sum_i (r_i - mean_g)^2 / (n - G)]
//
// over G groups with m_g residuals r of log loss, less their mean. Constants that the fit has spent on
// the groups make F smaller than Fisher's.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

struct AlikeRows {
  double f = kUnknown, p = 1;
  int groups = 0, rows = 0;  // in groups of three or more

  static constexpr double kClear = 1e-4;
  bool is_clear() const { return p < kClear; }
};

// `residuals`: of log loss, one for each row. Groups of fewer than three rows are left out; nothing is
// found in fewer than four groups.
AlikeRows alike_rows(const std::vector<Observation>& rows, const std::vector<double>& residuals);

// What to do about it, if it is clear and nearly every row is its own cluster; else "".
std::string alike_rows_note(const std::vector<Observation>& rows,
                            const std::vector<double>& residuals);

}  // namespace bitlaw
