#include "quantize/matrix_operand.h"

#include <algorithm>
#include <bit>

#include "ptq/rotation.h"

namespace bitlaw {
namespace {

// To 16 significant bits, ties to even: what products take as a sum of two BF16 numbers.
float round_to_sixteen_bits(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  bits += 0x7fu + (bits >> 8 & 1u);
  return std::bit_cast<float>(bits & ~0xffu);
}

}  // namespace

Operand operand_of(const QuantizedMatrix& quantized, ThreadPool& pool, int64_t basis) {
  const int64_t rows = quantized.rows, columns = quantized.columns;
  if (!quantized.column_scale.empty() || quantized.rotation != basis) {
    Operand out{Tensor::empty(DType::kF32, {rows, columns}), Tensor::empty(DType::kF32, {rows}), 0};
    std::vector<float> values = quantized.effective(pool);
    if (basis > 1) rotate_rows(values.data(), rows, columns, basis, values.data());
    std::transform(values.begin(), values.end(), out.codes.f32(), round_to_sixteen_bits);
    std::fill_n(out.scales.f32(), rows, 1.0f);
    return out;
  }
  const WeightScheme& scheme = quantized.scheme;
  Rounding rounding;
  rounding.format = scheme.format;
  rounding.axis = scheme.group == 0 ? ScaleAxis::kRow : ScaleAxis::kGroup;
  rounding.group = scheme.group;
  rounding.keeps_codes = true;
  Operand out = make_operand(rounding, rows, columns);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const auto i = static_cast<size_t>(r * columns + c);
      const auto block = static_cast<size_t>(quantized.block_of(r, c));
      const float zero = quantized.zeros.empty() ? 0 : quantized.zeros[block];
      out.codes.set(static_cast<int64_t>(i), quantized.codes[i] - zero);
    }
  }
  std::copy(quantized.scales.begin(), quantized.scales.end(), out.scales.f32());
  return out;
}

}  // namespace bitlaw
