// Every law's formula as functions over the rows of a table, compiled once per instruction set.
// Plain data only: no inline function here may be shared between those files.
#pragma once

#include <cstddef>

namespace bitlaw {

struct RowsView {
  const double* columns;  // in the order of Inputs, `stride` apart
  const int* positions;   // of class parameters, `stride` apart (Rows::positions)
  size_t size, stride;
  int class_count;     // number of class parameters of the law,
  int first_of_class;  // and the position of the first
  bool has_fixed;      // some row has a share of parameters that no precision shrinks
};

// values: stride results. jacobian: null, or columns `stride` apart.
using Evaluate = void (*)(const double* p, const RowsView& rows, double* values, double* jacobian);

struct Formulas {
  Evaluate loss;
  Evaluate delta;  // null if the law has none
};

// In the order of the registry.
const Formulas* formulas_plain();
const Formulas* formulas_avx2();
const Formulas* formulas_avx512();

}  // namespace bitlaw
