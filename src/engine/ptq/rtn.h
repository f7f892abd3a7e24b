// Round-to-nearest: every weight independently.
#pragma once

#include "ptq/method.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

// weights [rows, columns], row-major and finite. Equals quantize_reference() of
// formats/weight_scheme.h bit for bit.
QuantizedMatrix quantize_rtn(const WeightScheme& scheme, const float* weights, int64_t rows,
                             int64_t columns, ThreadPool& pool);

// The same for rows [begin, end) with weights [end - begin, columns], into `out`, whose tensor
// scale must be set.
void round_rows(const float* weights, int64_t begin, int64_t end, QuantizedMatrix& out);

MatrixResult round_by_rtn(const MatrixTask& task);  // the method `rtn`

}  // namespace bitlaw
