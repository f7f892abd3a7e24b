// Which constants the rows of a study identify. Before a fit, constants are frozen if no row
// depends on them, or if their quantity takes too few distinct values. After it: the condition
// number of the Jacobian, and a sentence on the flattest direction.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"
#include "solve/solver.h"

namespace bitlaw {

struct Frozen {
  int parameter;       // its position in the law
  std::string reason;  // "the rows have 1 KV precisions below 16, 2 are needed"
  // The rows depend on it, and have values that inform it, but too few: it trades off against others.
  bool depends = false;
};

// Constants of this stage that `rows` do not identify.
std::vector<Frozen> unidentifiable(const Law& law, Stage stage,
                                   const std::vector<Observation>& rows);

// The largest singular value over the least, of the Jacobian with its columns scaled to unit
// length. Infinite if a column is zero. names: of the columns.
struct Conditioning {
  double number = kUnknown;
  std::string flat;  // a sentence on the flattest direction; "" if `number` is below 1000
};
Conditioning conditioning(const Matrix& jacobian, const std::vector<std::string>& names,
                          const std::vector<Observation>& rows);

}  // namespace bitlaw
