// What the rows of a study can tell, and what they cannot. Before a fit: constants that no row
// depends on, or that one distinct value of their quantity cannot separate, are frozen. After it:
// the condition number of the Jacobian, and the flat directions in words.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"
#include "solve/solver.h"

namespace bitlaw {

struct Frozen {
  int parameter;       // its position in the law
  std::string reason;  // "1 KV precision below 16, 2 are needed"
};

// Constants of this stage that `rows` cannot tell.
std::vector<Frozen> unidentifiable(const Law& law, Stage stage,
                                   const std::vector<Observation>& rows);

// The largest singular value over the least, of the Jacobian with its columns scaled to unit
// length. Infinite where a column is zero. names: of the columns.
struct Conditioning {
  double number = kUnknown;
  std::string
      flat;  // a sentence on the flattest direction; "" where the condition number is below 1000
};
Conditioning conditioning(const Matrix& jacobian, const std::vector<std::string>& names,
                          const std::vector<Observation>& rows);

}  // namespace bitlaw
