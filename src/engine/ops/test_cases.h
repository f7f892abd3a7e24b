// The cases of tests and benchmarks of ops: odd sizes, so that every tail of every vector loop
// runs, and the sizes of a small model.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "ops/attention.h"
#include "ops/linear.h"
#include "ops/quantize.h"

namespace bitlaw::cases {

struct MatrixCase {
  int64_t rows, columns;
};
inline constexpr MatrixCase kMatrices[] = {
    {1, 1},   {1, 16},  {1, 97},   {3, 17},  {17, 33}, {64, 48},
    {64, 64}, {100, 7}, {100, 96}, {4, 255}, {2, 512}, {40, 256},
};

struct LinearCase {  // y [T, N] = x [T, K] w [N, K]^T
  int64_t T, N, K;
};
inline constexpr LinearCase kLinears[] = {
    {1, 1, 1},     {1, 16, 16},  {3, 17, 33},   {17, 48, 16},  {64, 96, 48},
    {100, 33, 17}, {64, 64, 64}, {65, 130, 97}, {7, 256, 683}, {256, 192, 128},
};

// H/G 1/1, 2/1, 4/2; the last one is a layer of a small model.
inline constexpr HeadShape kHeads[] = {
    {1, 1, 1, 2},    {2, 2, 1, 8},    {7, 1, 1, 16},    {7, 4, 2, 34},
    {65, 4, 2, 8},   {65, 2, 1, 64},  {130, 1, 1, 34},  {130, 4, 2, 16},
    {128, 2, 2, 32}, {256, 2, 1, 64}, {1024, 1, 1, 16},
};

struct HeadLossCase {  // x [T, d], head [V, d]
  int64_t T, V, d;
};
inline constexpr HeadLossCase kHeadLosses[] = {
    {1, 3, 16},     {3, 257, 17}, {17, 1000, 33}, {100, 257, 96},
    {64, 1000, 48}, {130, 3, 64}, {3, 65536, 16}, {33, 32768, 16},
};

inline std::string text(const Rounding& rounding) {
  static constexpr const char* kAxes[] = {"tensor", "row", "column", "group"};
  return rounding.format.name() + std::string(ending_of(rounding.scales)) + "/" +
         kAxes[static_cast<int>(rounding.axis)] +
         (rounding.axis == ScaleAxis::kGroup ? std::to_string(rounding.group) : "") +
         (rounding.keeps_codes ? " codes" : "");
}

// Every kind of format on every axis: all integers, floats with and without subnormals, with codes
// that fit BF16 and codes that do not.
inline std::vector<Rounding> roundings() {
  std::vector<Rounding> all{{bf16_format()}, {fp32_format()}};
  std::vector<Format> formats;
  for (int bits = 2; bits <= 16; ++bits) formats.push_back(integer_format(bits));
  for (auto [exponent, mantissa] : {std::pair{2, 0},
                                    {2, 1},
                                    {3, 0},
                                    {2, 3},
                                    {3, 2},
                                    {4, 3},
                                    {5, 2},
                                    {3, 7},
                                    {2, 8},
                                    {5, 10},
                                    {7, 0}}) {
    formats.push_back(float_format(exponent, mantissa));
  }
  for (const Format& format : formats) {
    all.push_back({format, ScaleAxis::kTensor});
    all.push_back({format, ScaleAxis::kRow});
    all.push_back({format, ScaleAxis::kColumn});
    all.push_back({format, ScaleAxis::kGroup, 5});
    all.push_back({format, ScaleAxis::kGroup, 16});
    all.push_back({format, ScaleAxis::kGroup, 32});
  }
  for (const Format& format : formats) {
    for (const ScaleRule scales : {ScaleRule::kE8M0, ScaleRule::kE4M3}) {
      for (const Rounding& rounding : {Rounding{format, ScaleAxis::kTensor},
                                       {format, ScaleAxis::kRow},
                                       {format, ScaleAxis::kColumn},
                                       {format, ScaleAxis::kGroup, 5},
                                       {format, ScaleAxis::kGroup, 16},
                                       {format, ScaleAxis::kGroup, 32}}) {
        all.push_back(rounding);
        all.back().scales = scales;
      }
    }
  }
  for (size_t i = 0, count = all.size(); i < count;
       ++i) {  // and in the form for products with weights
    Rounding codes = all[i];
    codes.keeps_codes = true;
    if (codes.has_scales() != all[i].has_scales()) all.push_back(codes);
  }
  return all;
}

// Groups with rounded scales: mxfp4, nvfp4, mxint8 and so on.
inline Rounding rounded_groups(const Format& format, int group, ScaleRule scales) {
  Rounding rounding{format, ScaleAxis::kGroup, group};
  rounding.scales = scales;
  return rounding;
}

// A few that cover every path of a product: BF16 codes without a scale, with one, and with one per
// row; FP32 values; no rounding; BF16 numbers with their block scales in them.
inline std::vector<Rounding> product_roundings() {
  return {{bf16_format()},
          rounded_groups(float_format(2, 1), 32, ScaleRule::kE8M0),
          rounded_groups(float_format(2, 1), 16, ScaleRule::kE4M3),
          {fp32_format()},
          {integer_format(4), ScaleAxis::kTensor},
          {integer_format(8), ScaleAxis::kRow},
          {integer_format(3), ScaleAxis::kColumn},
          {integer_format(12), ScaleAxis::kRow},
          {float_format(2, 1), ScaleAxis::kGroup, 16}};
}

// Further cases for products with weights: codes of more than eight bits, and codes in groups.
// Groups fill steps of the tile unit or leave them partly empty, and divide one another or do not;
// the last one is too short for the tile unit.
inline std::vector<Rounding> linear_roundings() {
  std::vector<Rounding> all = product_roundings();
  for (const Rounding& rounding : {Rounding{integer_format(10), ScaleAxis::kTensor},
                                   {integer_format(16), ScaleAxis::kRow},
                                   {float_format(5, 10), ScaleAxis::kRow},
                                   {integer_format(4), ScaleAxis::kGroup, 32},
                                   {float_format(4, 3), ScaleAxis::kGroup, 64},
                                   {integer_format(8), ScaleAxis::kGroup, 24},
                                   {integer_format(12), ScaleAxis::kGroup, 32},
                                   {integer_format(2), ScaleAxis::kGroup, 5},
                                   rounded_groups(integer_format(8), 16, ScaleRule::kE4M3)}) {
    all.push_back(rounding);
    all.back().keeps_codes = true;
  }
  return all;
}

// Standard normal numbers times `size`; a pure function of the stream.
inline Tensor normal(Shape shape, uint64_t stream, double size = 1, DType dtype = DType::kF32) {
  const Tensor x = Tensor::empty(dtype, shape);
  for (int64_t i = 0; i < x.elements(); ++i) {
    x.set(i, size * random_normal(7, stream, static_cast<uint64_t>(i)));
  }
  return x;
}

inline std::vector<uint16_t> tokens(int64_t count, int64_t V, uint64_t stream) {
  std::vector<uint16_t> out(static_cast<size_t>(count));
  for (size_t t = 0; t < out.size(); ++t) {
    out[t] = static_cast<uint16_t>(random_below(7, stream, t, static_cast<uint64_t>(V)));
  }
  return out;
}

}  // namespace bitlaw::cases
