// Products of codes without any rounding: sums of integers of at most 2^24 in magnitude are exact
// in float in every order, so the result is integer arithmetic, then the two roundings of the
// scales, bit for bit, on every engine. (Zeros may have either sign.)
//
//   y[t,n] = float(sum_k a[t,k] b[n,k]) * (s_x[t] * s_w[n])      while max|a| max|b| K <= 2^24
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/attention.h"
#include "ops/glu.h"
#include "ops/linear.h"
#include "ops/swiglu.h"
#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

constexpr int64_t kExactSum = int64_t{1} << 24;

// A matrix of codes in whole steps: code = step * integer.
struct Codes {
  Operand operand;                // BF16 codes, scales [rows]
  std::vector<int64_t> integers;  // [rows, columns]
};

enum class Draw { kUniform, kExtremes, kEqual, kQuantized };
constexpr Draw kDraws[] = {Draw::kUniform, Draw::kExtremes, Draw::kEqual, Draw::kQuantized};
const char* name_of(Draw draw) {
  switch (draw) {
    case Draw::kUniform:
      return "uniform codes";
    case Draw::kExtremes:
      return "largest codes of both signs";
    case Draw::kEqual:
      return "largest codes";
    case Draw::kQuantized:
      return "quantized normal numbers";
  }
  return "?";
}

// Scales that are no powers of two, one a row or all the same.
Tensor some_scales(int64_t rows, bool equal, uint64_t stream) {
  const Tensor scales = Tensor::empty(DType::kF32, {rows});
  for (int64_t r = 0; r < rows; ++r) {
    scales.set(r, 0.01 + random_uniform(5, stream, equal ? 0 : static_cast<uint64_t>(r)));
  }
  return scales;
}

Codes codes_of(const Format& format, double step, int64_t rows, int64_t columns, Draw draw,
               uint64_t stream) {
  Codes out;
  if (draw == Draw::kQuantized) {
    const ScaleAxis axis = stream % 2 == 0 ? ScaleAxis::kRow : ScaleAxis::kTensor;
    out.operand = rounded({format, axis}, cases::normal({rows, columns}, stream));
  } else {
    out.operand = {Tensor::empty(DType::kBF16, {rows, columns}),
                   some_scales(rows, stream % 2 == 0, stream)};
    const std::vector<float> all = all_codes(format);
    for (int64_t i = 0; i < rows * columns; ++i) {
      const uint64_t place = random_below(5, stream, static_cast<uint64_t>(i), all.size());
      float code = std::clamp(all[place], -format.max_code, format.max_code);
      if (draw == Draw::kExtremes) code = place % 2 == 0 ? format.max_code : -format.max_code;
      if (draw == Draw::kEqual) code = format.max_code;
      out.operand.codes.set(i, code);
    }
  }
  for (int64_t i = 0; i < rows * columns; ++i) {
    out.integers.push_back(std::llround(out.operand.codes.at(i) / step));
    EXPECT_EQ(static_cast<double>(out.integers.back()) * step, out.operand.codes.at(i));
  }
  return out;
}

// The sums sum_k a[t,k] b[n,k], [T, N], in units of the two steps.
std::vector<int64_t> integer_products(const Codes& a, const Codes& b, int64_t T, int64_t N,
                                      int64_t K) {
  std::vector<int64_t> sums(static_cast<size_t>(T * N));
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t n = 0; n < N; ++n) {
      int64_t sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += a.integers[t * K + k] * b.integers[n * K + k];
      sums[t * N + n] = sum;
    }
  }
  return sums;
}

// Contexts of everything that this process can multiply with, and the reference.
std::vector<Context> engines() {
  std::vector<Context> all;
  all.push_back(reference());
  for (Isa isa : machine_isas()) all.push_back(cpu(isa));
  return all;
}
std::string name_of(const Context& c) {
  return c.backend == &kReferenceBackend ? "reference" : bitlaw::name_of(c.isa);
}

struct Factors {
  Format format;
  double step;      // every code is a whole multiple of it
  int64_t largest;  // max_code / step
};
Factors factors(const Format& format, double step) {
  return {format, step, std::llround(format.max_code / step)};
}

// Weights packed for both directions, packed for forward only, and not packed; y written and added
// to.
void expect_exact(std::vector<Context>& contexts, const Factors& fx, const Factors& fw, int64_t T,
                  int64_t N, int64_t K, Draw draw, uint64_t stream) {
  SCOPED_TRACE(testing::Message() << fx.format.name() << " * " << fw.format.name() << ", " << T
                                  << "x" << N << "x" << K << ", " << name_of(draw));
  const Codes x = codes_of(fx.format, fx.step, T, K, draw, 2 * stream);
  const Codes w = codes_of(fw.format, fw.step, N, K, draw, 2 * stream + 1);
  const std::vector<int64_t> sums = integer_products(x, w, T, N, K);
  std::vector<float> products(sums.size());
  for (int64_t i = 0; i < T * N; ++i) {
    const float scale = x.operand.scales.f32()[i / N] * w.operand.scales.f32()[i % N];
    products[i] = static_cast<float>(static_cast<double>(sums[i]) * fx.step * fw.step) * scale;
  }
  const Tensor y0 = cases::normal({T, N}, stream);
  for (Context& c : contexts) {
    enum class Packing { kTraining, kForward, kNone };
    for (Packing packing : {Packing::kTraining, Packing::kForward, Packing::kNone}) {
      Weight weight{w.operand, nullptr};
      if (packing != Packing::kNone) pack_weight(c, packing == Packing::kTraining, weight);
      for (bool accumulate : {false, true}) {
        if (accumulate && c.backend == &kReferenceBackend) continue;  // adds in double
        Tensor y = copy(y0);
        linear_forward(c, x.operand, weight, accumulate, y);
        for (int64_t i = 0; i < T * N; ++i) {
          ASSERT_EQ(y.f32()[i], accumulate ? y0.f32()[i] + products[i] : products[i])
              << name_of(c) << ", packing " << static_cast<int>(packing) << ", accumulate "
              << accumulate << ", at " << i / N << ", " << i % N << ": sum " << sums[i];
        }
      }
      if (c.backend == &kReferenceBackend) continue;
      Tensor y = Tensor::empty(DType::kF32, {T, N});
      linear_forward_add(c, y0, x.operand, weight, y);
      for (int64_t i = 0; i < T * N; ++i) {
        ASSERT_EQ(y.f32()[i], y0.f32()[i] + products[i])
            << name_of(c) << ", added, at " << i / N << ", " << i % N;
      }
    }
  }
}

int64_t draw_below(uint64_t stream, uint64_t index, int64_t limit) {
  return static_cast<int64_t>(random_below(11, stream, index, static_cast<uint64_t>(limit)));
}

TEST(ExactProducts, LinearIsIntegerArithmeticOnRandomShapes) {
  std::vector<Context> contexts = engines();
  uint64_t stream = 0;
  for (int bits = 2; bits <= 8; ++bits) {
    const Factors f = factors(integer_format(bits), 1);
    for (int round = 0; round < 24; ++round) {
      ++stream;
      const int64_t T = 1 + draw_below(stream, 0, 70), N = 1 + draw_below(stream, 1, 140);
      const int64_t longest = std::min<int64_t>(kExactSum / (f.largest * f.largest), 1100);
      const int64_t K = 1 + draw_below(stream, 2, longest);
      expect_exact(contexts, f, f, T, N, K, kDraws[round % 4], stream);
    }
  }
}

TEST(ExactProducts, WeightsAndActivationsMayHaveDifferentBits) {
  std::vector<Context> contexts = engines();
  uint64_t stream = 1000;
  for (int x_bits = 2; x_bits <= 9; ++x_bits) {
    for (int w_bits = 2; w_bits <= 9; ++w_bits) {
      const Factors fx = factors(integer_format(x_bits), 1),
                    fw = factors(integer_format(w_bits), 1);
      const int64_t longest = std::min<int64_t>(kExactSum / (fx.largest * fw.largest), 300);
      ++stream;
      expect_exact(contexts, fx, fw, 1 + draw_below(stream, 0, 40), 1 + draw_below(stream, 1, 40),
                   longest, kDraws[stream % 4], stream);
    }
  }
}

// At the bound itself: the longest K of each width, with sums of all signs up to 2^24.
TEST(ExactProducts, LinearIsIntegerArithmeticUpToTheBound) {
  std::vector<Context> contexts = engines();
  uint64_t stream = 2000;
  for (int bits = 4; bits <= 9; ++bits) {
    const Factors f = factors(integer_format(bits), 1);
    const int64_t longest = std::min<int64_t>(kExactSum / (f.largest * f.largest), 4227);
    for (Draw draw : kDraws) expect_exact(contexts, f, f, 5, 33, longest, draw, ++stream);
  }
}

// The codes of small floats are whole multiples of their smallest: the same argument.
TEST(ExactProducts, SmallFloatsAreIntegersOfTheirSmallestCode) {
  std::vector<Context> contexts = engines();
  uint64_t stream = 3000;
  for (const auto& [exponent, mantissa] : {std::pair{2, 0}, {2, 1}, {3, 0}, {2, 3}, {3, 2}}) {
    const Format format = float_format(exponent, mantissa);
    const Factors f = factors(format, format.smallest_positive());
    const int64_t longest = std::min<int64_t>(kExactSum / (f.largest * f.largest), 700);
    for (Draw draw : kDraws) expect_exact(contexts, f, f, 17, 40, longest, draw, ++stream);
  }
}

// What the gated unit keeps of its product, and the gate of it.
TEST(ExactProducts, GatedUnitsAreIntegerArithmeticThenTheGate) {
  std::vector<Context> contexts = engines();
  uint64_t stream = 5000;
  for (int bits : {2, 4, 6, 8}) {
    for (const auto& [T, F, K] :
         {std::array<int64_t, 3>{1, 1, 16}, {17, 33, 65}, {64, 176, 64}, {130, 272, 96}}) {
      SCOPED_TRACE(testing::Message() << bits << " bits, " << T << "x" << 2 * F << "x" << K);
      const Format format = integer_format(bits);
      const Codes x = codes_of(format, 1, T, K, Draw::kUniform, ++stream);
      const Codes w = codes_of(format, 1, 2 * F, K, Draw::kUniform, ++stream);
      const std::vector<int64_t> sums = integer_products(x, w, T, 2 * F, K);
      const Tensor expected = Tensor::empty(DType::kF32, {T, 2 * F});
      for (int64_t i = 0; i < expected.elements(); ++i) {
        const float scale =
            x.operand.scales.f32()[i / (2 * F)] * w.operand.scales.f32()[i % (2 * F)];
        expected.f32()[i] = static_cast<float>(sums[i]) * scale;
      }
      Context plain = cpu(Isa::kPlain);
      Tensor gated = Tensor::empty(DType::kF32, {T, F});
      swiglu(plain, expected, gated);
      for (Context& c : contexts) {
        SCOPED_TRACE(name_of(c));
        Weight weight{w.operand, nullptr};
        pack_weight(c, true, weight);
        Tensor kept = Tensor::empty(DType::kF32, {T, 2 * F}),
               y = Tensor::empty(DType::kF32, {T, F});
        Tensor rounded_kept = Tensor::empty(DType::kBF16, {T, 2 * F});
        glu_forward(c, x.operand, weight, kept, y);
        glu_forward(c, x.operand, weight, rounded_kept, y);
        for (int64_t i = 0; i < expected.elements(); ++i) {
          ASSERT_EQ(kept.at(i), expected.at(i)) << i;
          ASSERT_EQ(rounded_kept.at(i), round_to_bf16(expected.f32()[i])) << i;
        }
        if (c.backend == &kCpuBackend) expect_same_bits(y, gated, "y");
      }
    }
  }
}

// Scores of attention, seen through lse. All scales are powers of two, so that a score is an
// integer times 32: where a row's largest is alone, the others' exponentials are below e^-32 each,
// their sum is lost beside 1, and lse is the largest score itself.
TEST(ExactProducts, ScoresAreIntegerArithmetic) {
  std::vector<Context> contexts = engines();
  uint64_t stream = 4000;
  int64_t rows_seen = 0, rows = 0;
  for (const HeadShape& h :
       {HeadShape{1, 2, 1, 4}, HeadShape{7, 4, 2, 16}, HeadShape{65, 1, 1, 64},
        HeadShape{130, 2, 1, 64}, HeadShape{33, 4, 4, 256}, HeadShape{200, 2, 2, 16}}) {
    for (int bits = 2; bits <= 8; ++bits) {
      SCOPED_TRACE(testing::Message() << bits << " bits, T " << h.T << ", dim " << h.dim);
      ++stream;
      const Format format = integer_format(bits);
      Codes q = codes_of(format, 1, h.heads * h.T, h.dim, Draw::kUniform, 2 * stream);
      Codes k = codes_of(format, 1, h.kv_heads * h.T, h.dim, Draw::kUniform, 2 * stream + 1);
      const Operand v = rounded({format}, cases::normal({h.kv_heads * h.T, h.dim}, stream));
      for (int64_t r = 0; r < h.heads * h.T; ++r)
        q.operand.scales.set(r, 32 << draw_below(stream, r, 3));
      for (int64_t r = 0; r < h.kv_heads * h.T; ++r) {
        k.operand.scales.set(r, std::sqrt(static_cast<double>(h.dim)) *
                                    static_cast<double>(1 << draw_below(stream + 1, r, 2)));
      }
      std::vector<double> expected(static_cast<size_t>(h.heads * h.T));
      std::vector<bool> alone(expected.size());
      for (int64_t head = 0; head < h.heads; ++head) {
        for (int64_t i = 0; i < h.T; ++i) {
          const int64_t row = head * h.T + i, first_key = head / (h.heads / h.kv_heads) * h.T;
          double largest = -INFINITY, second = -INFINITY;
          for (int64_t j = 0; j <= i; ++j) {
            int64_t sum = 0;
            for (int64_t e = 0; e < h.dim; ++e) {
              sum += q.integers[row * h.dim + e] * k.integers[(first_key + j) * h.dim + e];
            }
            const double score = static_cast<double>(sum) * q.operand.scales.at(row) *
                                 k.operand.scales.at(first_key + j) /
                                 std::sqrt(static_cast<double>(h.dim));
            second = std::max(second, std::min(score, largest));
            largest = std::max(largest, score);
          }
          expected[row] = largest;
          alone[row] = largest > second;
          rows_seen += alone[row], ++rows;
        }
      }
      for (Context& c : contexts) {
        Tensor out = Tensor::empty(DType::kF32, {h.T, h.heads * h.dim}),
               lse = Tensor::empty(DType::kF32, {h.heads, h.T});
        attention(c, h, q.operand, k.operand, v, out, lse);
        for (int64_t row = 0; row < h.heads * h.T; ++row) {
          if (!alone[row]) continue;
          ASSERT_EQ(lse.at(row), expected[row]) << name_of(c) << ", row " << row;
        }
      }
    }
  }
  EXPECT_GT(rows_seen, rows * 3 / 4);
}

}  // namespace
}  // namespace bitlaw
