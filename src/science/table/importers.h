// Public tables that need more than their column names to be read.
//
// QuEST (Panferov et al., arXiv 2502.05003; IST-DASLab/QuEST, for_plots/runs_for_scaling.json): a
// list of runs with non_embedding_parameters, tokens, w_bits, a_bits, w_quant, a_quant, loss and
// args. Its precision classes follow from the quantizer names, as in notebooks/plots.ipynb:
//
//   FourEight in the weights' name      2.5   4 bits, half of the weights zero
//   FP4 in the weights' name            fp4
//   only weights quantized              2WO
//   both, with a Hadamard transform     2
//   both, without one                   2NOH
//   neither                             16
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

bool is_quest(const RawTable& table);

// Adds the columns precision, seed and schedule if the file has none. Error if a field needed for
// the class is missing.
void import_quest(RawTable& table, const std::string& where);

}  // namespace bitlaw
