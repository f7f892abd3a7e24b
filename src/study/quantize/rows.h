// Fills the record of a cell (record/cell.h): the request, the results of its matrices, and the
// comparison with the unquantized model and with round-to-nearest.
#pragma once

#include <string>
#include <vector>

#include "model/config.h"
#include "quantize/cell.h"
#include "quantize/paired.h"
#include "record/cell.h"

namespace bitlaw {

struct MatrixReport : MatrixRecord {
  double storage_bits = 0;  // of one weight; a cell has their mean
};
MatrixReport matrix_report(int64_t layer, const std::string& matrix, const MatrixResult& result,
                           double relative_error);

// Bits per weight of a matrix: the code, and its share of the scale (FP32, or 8 bits if the scheme
// rounds it), of the zero point, and of the FP32 scale of its input (AWQ).
double storage_bits(const WeightScheme& scheme, int64_t rows, int64_t columns, bool scaled_inputs);

// The same of a whole model, before it is quantized. AWQ counts with the scales of its inputs, which a
// matrix may turn out to have no use for.
double storage_bits(const MatrixCell& cell, const ModelConfig& model);

// The key of a cell on texts of these lengths.
CellKey requested_cell(const PtqCell& cell, int64_t calibration_tokens, int64_t evaluation_tokens);

void add_comparison(CellRecord& row, const PairedComparison& paired,
                    const std::string& clustered_by, bool no_difference_by_definition);

void add_matrices(CellRecord& row, const std::vector<MatrixReport>& reports);

// Sets rtn_delta, flagged and flags; `rtn` is the finished row of round-to-nearest, or null.
void compare_with_rtn(CellRecord& row, const CellRecord* rtn);

}  // namespace bitlaw
