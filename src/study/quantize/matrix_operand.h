// A rounded matrix as our engine multiplies with it.
#pragma once

#include <cstdint>

#include "ops/quantize.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

// The operand of a product. If the matrix is plain: codes minus zero, in BF16 if they fit, else F32,
// with scales. If not plain: the effective matrix as F32 codes with scales of one, each weight
// rounded to 16 significant bits (by at most 2^-16 of itself, hundreds of times less than rounding
// to eight bits). The tile unit multiplies such codes exactly, as two BF16 terms.
//
// If the inputs are rotated, in blocks of `basis`, so is the matrix: the codes of one that is
// rotated in the same blocks are its operand; others are the effective matrix times R.
Operand operand_of(const QuantizedMatrix& quantized, ThreadPool& pool, int64_t basis = 1);

}  // namespace bitlaw
