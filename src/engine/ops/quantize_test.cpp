#include "ops/quantize.h"

#include "formats/block_grid.h"
#include "formats/e8m0.h"
#include "formats/gaussian_scale.h"
#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

// Rows of very different sizes, whole blocks of zeros, exact ties, -0, the extremes of float and
// blocks whose scale would be below 2^-126.
Tensor awkward(int64_t rows, int64_t columns, uint64_t stream) {
  const Tensor x = cases::normal({rows, columns}, stream);
  float* data = x.f32();
  for (int64_t r = 0; r < rows; ++r) {
    const float size = std::ldexp(1.0f, static_cast<int>(r * 7 % 23) - 11);
    for (int64_t c = 0; c < columns; ++c) {
      float& entry = data[r * columns + c];
      entry *= size;
      if (r % 5 == 3) entry = std::round(entry * 8) / 16;
      if (r % 11 == 6) entry *= 0x1p-120f;
      if (r % 13 == 9) entry *= 0x1p110f;
      if (r % 7 == 4) entry = c % 2 == 0 ? 0.0f : -0.0f;
      if (c % 19 == 18) entry = -0.0f;
      if (c % 29 == 11) entry = 0x1p-140f;
    }
  }
  return x;
}

// Every backend's codes and scales, or values, are quantize_reference's bit for bit.
void expect_is_definition(std::vector<Context>& contexts, const Rounding& rounding,
                          const Tensor& x) {
  const int64_t columns = x.extent(1);
  const int64_t rows = x.extent(0) / rounding.row_blocks;
  const bool is_e4m3 = rounding.scales == ScaleRule::kE4M3;
  const float elsewhere = is_e4m3 ? absmax(contexts.front(), x) : 0;  // one tensor for all blocks
  std::vector<float> entries, scales;
  for (int64_t block = 0; block < rounding.row_blocks; ++block) {
    const QuantizedReference expected = quantize_reference(
        rounding.format, rounding.axis, rounding.group, x.f32() + block * rows * columns, rows,
        columns, elsewhere, rounding.scales);
    std::vector<float> chosen =
        rounding.has_scales() || rounding.bf16_codes() ? expected.codes : expected.values;
    if (rounding.folds()) {
      for (size_t i = 0; i < chosen.size(); ++i)
        chosen[i] = folded_number(expected.codes[i], expected.blocks[i]);
    }
    entries.insert(entries.end(), chosen.begin(), chosen.end());
    const int64_t step = rounding.scaled_group() == 0 ? columns : rounding.group;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; c += step)
        scales.push_back(rounding.folds() ? expected.tensor_scale
                                          : expected.scales[r * columns + c]);
    }
  }
  for (Context& c : contexts) {
    Operand got = make_operand(rounding, x.extent(0), columns);
    quantize(c, rounding, x, got);
    for (int64_t i = 0; i < x.elements(); ++i) {
      const float have = static_cast<float>(got.codes.at(i));
      ASSERT_EQ(std::bit_cast<uint32_t>(have), std::bit_cast<uint32_t>(entries[i]))
          << name_of(c.isa) << " entry " << i << ": " << have << " instead of " << entries[i]
          << " for " << x.at(i);
    }
    if (!got.scales.defined()) continue;
    ASSERT_EQ(got.scales.elements(), static_cast<int64_t>(scales.size()));
    for (int64_t i = 0; i < got.scales.elements(); ++i)
      ASSERT_EQ(got.scales.at(i), scales[i]) << name_of(c.isa) << " scale " << i;
  }
}

void expect_all_are_definition(std::vector<Context> contexts) {
  uint64_t stream = 0;
  for (const auto& [rows, columns] : cases::kMatrices) {
    const Tensor x = awkward(rows, columns, ++stream);
    for (Rounding rounding : cases::roundings()) {
      SCOPED_TRACE(testing::Message() << cases::text(rounding) << " " << rows << "x" << columns);
      expect_is_definition(contexts, rounding, x);
      if (rounding.axis != ScaleAxis::kColumn || rows % 2 != 0) continue;
      rounding.row_blocks = 2;
      expect_is_definition(contexts, rounding, x);
    }
  }
}

TEST(Quantize, ReferenceIsTheDefinition) {
  expect_all_are_definition({reference()});
}

TEST(Quantize, CpuIsTheDefinitionBitForBit) {
  std::vector<Context> contexts;
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  expect_all_are_definition(contexts);
}

// A scale per batch: the definition is one matrix, the sequences one below another.
TEST(Quantize, PiecesThatShareAScaleAreTheWholeMatrixBitForBit) {
  std::vector<Context> contexts{reference()};
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  constexpr int64_t kPieces = 3, kRows = 20, kColumns = 33;
  const Tensor whole = awkward(kPieces * kRows, kColumns, 77);
  for (Rounding rounding : cases::roundings()) {
    if (rounding.axis != ScaleAxis::kTensor || !rounding.format.scaled()) continue;
    SCOPED_TRACE(cases::text(rounding));
    const QuantizedReference expected =
        quantize_reference(rounding.format, ScaleAxis::kTensor, 0, whole.f32(), kPieces * kRows,
                           kColumns, 0, rounding.scales);
    const bool codes = rounding.has_scales() || rounding.bf16_codes();
    for (Context& c : contexts) {
      rounding.absmax_elsewhere = 0;
      for (int64_t piece = 0; piece < kPieces; ++piece) {
        const Tensor x = whole.rows(piece * kRows, (piece + 1) * kRows);
        rounding.absmax_elsewhere = std::max(rounding.absmax_elsewhere, absmax(c, x));
      }
      for (int64_t piece = 0; piece < kPieces; ++piece) {
        const Tensor x = whole.rows(piece * kRows, (piece + 1) * kRows);
        Operand got = make_operand(rounding, kRows, kColumns);
        quantize(c, rounding, x, got);
        for (int64_t i = 0; i < x.elements(); ++i) {
          const auto at = static_cast<size_t>(piece * kRows * kColumns + i);
          const float have = static_cast<float>(got.codes.at(i));
          ASSERT_EQ(std::bit_cast<uint32_t>(have),
                    std::bit_cast<uint32_t>(codes ? expected.codes[at] : expected.values[at]))
              << name_of(c.isa) << " piece " << piece << " entry " << i;
          if (got.scales.defined()) {
            ASSERT_EQ(got.scales.at(i / kColumns), expected.scales[at]);
          }
        }
      }
    }
  }
}

// Ranges that are fitted to their block, on every axis whose blocks are consecutive numbers.
std::vector<Rounding> fitted_roundings() {
  std::vector<Rounding> out;
  for (const Format& format : {integer_format(2), integer_format(4), integer_format(12),
                               float_format(2, 1), float_format(4, 3)}) {
    for (Rounding rounding : {Rounding{format, ScaleAxis::kTensor},
                              {format, ScaleAxis::kRow},
                              {format, ScaleAxis::kGroup, 5},
                              {format, ScaleAxis::kGroup, 32}}) {
      for (const ScaleRule scales : {ScaleRule::kFloat32, ScaleRule::kE8M0, ScaleRule::kE4M3}) {
        for (const bool keeps_codes : {false, true}) {
          for (const bool clip : {false, true}) {
            rounding.scales = scales;
            rounding.keeps_codes = keeps_codes;
            rounding.options.clip = clip;
            rounding.options.gauss = !clip;
            out.push_back(rounding);
          }
        }
      }
    }
  }
  return out;
}

// formats/weight_scheme.h; a matrix with one scale is one row of it.
WeightReference definition_of(const Rounding& rounding, const Tensor& x) {
  const bool one_row = rounding.axis == ScaleAxis::kTensor;
  WeightReference out = quantize_reference(rounding.scheme(), x.f32(), one_row ? 1 : x.extent(0),
                                           one_row ? x.elements() : x.extent(1));
  for (size_t i = 0; i < out.codes.size(); ++i) {
    if (out.scales[i] < 0x1p-126f) out.codes[i] = out.scales[i] = out.values[i] = 0;
  }
  return out;
}

TEST(Quantize, FittedRangesAreTheDefinitionBitForBit) {
  std::vector<Context> contexts{reference()};
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  for (const auto& [rows, columns] : {cases::MatrixCase{1, 1}, {3, 17}, {17, 33}, {12, 64}}) {
    const Tensor x = awkward(rows, columns, 5);
    for (const Rounding& rounding : fitted_roundings()) {
      SCOPED_TRACE(testing::Message()
                   << cases::text(rounding) << (rounding.options.clip ? " clip " : " ") << rows
                   << "x" << columns);
      const WeightReference expected = definition_of(rounding, x);
      const bool codes = rounding.has_scales();
      for (Context& c : contexts) {
        Operand got = make_operand(rounding, rows, columns);
        quantize(c, rounding, x, got);
        for (int64_t i = 0; i < x.elements(); ++i) {
          const auto at = static_cast<size_t>(i);
          const float tensor = expected.tensor_scale;
          const float block = without_tensor(rounding.scales, tensor, expected.scales[at]);
          const float wanted = rounding.folds() ? folded_number(expected.codes[at], block)
                               : codes          ? expected.codes[at]
                                                : expected.values[at];
          // Of blocks that count as zeros, the sign of the zero does not matter.
          ASSERT_EQ(got.codes.at(i), wanted)
              << name_of(c.isa) << " entry " << i << " of " << x.at(i);
          if (codes) {
            ASSERT_EQ(entry_scale(got, i), rounding.folds() ? tensor : expected.scales[at]);
          }
        }
      }
    }
  }
}

// Trusted is what lies in the trusted range of its format, in units of the scale it was rounded
// with.
TEST(Quantize, MarksWhatIsTrusted) {
  std::vector<Context> contexts{reference()};
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  const Tensor x = cases::normal({20, 48}, 9);
  for (int64_t i = 0; i < x.elements(); i += 7) x.set(i, 3 * x.at(i));
  int64_t cut_off = 0;
  for (Rounding rounding : fitted_roundings()) {
    if (!rounding.keeps_codes) continue;
    if (rounding.scales == ScaleRule::kE8M0)
      rounding.options.gauss = rounding.options.clip;  // and the plain rule
    rounding.options.clip = rounding.options.clip && !rounding.options.gauss;
    rounding.marks_trusted = true;
    SCOPED_TRACE(cases::text(rounding));
    const WeightReference expected = definition_of(rounding, x);
    const TrustedRange range = trusted_range(rounding.format);
    for (Context& c : contexts) {
      Operand got = make_operand(rounding, 20, 48);
      quantize(c, rounding, x, got);
      for (int64_t i = 0; i < x.elements(); ++i) {
        const float scale = expected.scales[static_cast<size_t>(i)];
        const bool trusted = range.holds(x.f32()[i] * (1 / scale));
        ASSERT_EQ(got.trusted.at(i), trusted ? 1 : 0) << name_of(c.isa) << " " << i;
        cut_off += trusted ? 0 : 1;
      }
    }
  }
  EXPECT_GT(cut_off, 0);
}

TEST(Quantize, UnroundedDoublesStay) {
  Context c = reference();
  const Rounding none{fp32_format()};
  const Tensor x = cases::normal({3, 5}, 1, 1, DType::kF64);
  Operand out = make_operand(none, 3, 5, DType::kF64);
  quantize(c, none, x, out);
  expect_same_bits(out.codes, x, "codes");
}

TEST(Quantize, OperandBytesAreWhatMakeOperandTakes) {
  for (const Rounding& rounding : cases::roundings()) {
    const Operand operand = make_operand(rounding, 17, 33);
    const size_t scales = operand.scales.defined() ? operand.scales.bytes() : 0;
    EXPECT_EQ(operand_bytes(rounding, 17, 33), operand.codes.bytes() + scales)
        << cases::text(rounding);
  }
}

TEST(QuantizeDeathTest, MemoryOfAnotherRoundingIsRefused) {
  Context c = reference();
  const Tensor x = cases::normal({4, 8}, 1);
  const Rounding int4{integer_format(4), ScaleAxis::kRow},
      group{integer_format(4), ScaleAxis::kGroup, 4};
  Operand out = make_operand(group, 4, 8), wrong_shape = make_operand(int4, 8, 4);
  EXPECT_DEATH(quantize(c, int4, x, out), "check failed");
  EXPECT_DEATH(quantize(c, int4, x, wrong_shape), "check failed");
}

TEST(Isa, EveryInstructionSetIsTested) {
  if (machine_isas().size() < 3) {
    GTEST_SKIP() << "this machine (or BITLAW_ISA) stops at " << name_of(best_isa());
  }
  EXPECT_EQ(machine_isas().back(), Isa::kAvx512);
}

}  // namespace
}  // namespace bitlaw
