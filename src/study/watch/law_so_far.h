// The law as the runs that have finished so far have it, and what the last of them changed. It is a
// fit of a moment: without intervals, from a few starts. `bitlaw fit` says what is certain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "fit/fit.h"
#include "record/tidy_row.h"

namespace bitlaw {

struct ConstantSoFar {
  std::string name;
  double value = kNoNumber;
  // Since the fit before; NaN: it was not known then.
  double change = kNoNumber;

  template <class V>
  void visit(V& v) {
    v("name", name);
    v("value", value);
    v("change", change);
  }
};

struct LawSoFar {
  std::string law;
  // Rows that were fitted.
  int runs = 0;
  // Those that the runs identify, in the law's order; "P*" is the best precision of the weights in
  // bits, at eight times the compute of the middle run.
  std::vector<ConstantSoFar> constants;

  template <class V>
  void visit(V& v) {
    v("law", law);
    v("runs", runs);
    v("constants", constants);
  }
};

// Empty if the rows cannot be fitted together, are too few, or identify no constant.
std::optional<LawSoFar> law_so_far(const std::vector<TidyRow>& rows, const std::string& law,
                                   const ParallelFor& parallel_for = {});

// Sets the changes since `before`.
void compare(LawSoFar& now, const LawSoFar& before);

// "kumar on 41 runs: alpha 0.291 (+0.004), beta 0.40 (-0.02), E 2.41, best precision 5.9 bits"
std::string text_of(const LawSoFar& law);

}  // namespace bitlaw
