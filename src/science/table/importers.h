// Public tables whose meaning is not in their columns alone.
//
// QuEST (Panferov et al., arXiv 2502.05003; IST-DASLab/QuEST, for_plots/runs_for_scaling.json): a
// list of runs with non_embedding_parameters, tokens, w_bits, a_bits, w_quant, a_quant, loss and
// args. Its precision classes are given by the names of the quantizers, as in notebooks/plots.ipynb:
//
//   FourEight in the weights' name      2.5   4 bits, half of the weights zero
//   FP4 in the weights' name            fp4
//   weights alone quantized             2WO
//   both, with a Hadamard transform     2
//   both, without one                   2NOH
//   neither                             16
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

bool is_quest(const RawTable& table);

// Adds the columns precision, seed and schedule where the file has none. Error where a field that
// the class needs is missing.
void import_quest(RawTable& table, const std::string& where);

}  // namespace bitlaw
