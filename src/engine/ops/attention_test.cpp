#include "ops/attention.h"

#include <algorithm>

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

std::string text(const HeadShape& h) {
  return std::to_string(h.heads) + "/" + std::to_string(h.kv_heads) + " heads of " +
         std::to_string(h.dim) + ", T " + std::to_string(h.T);
}

struct Inputs {
  Operand q, k, v;
  Tensor dout;
};

struct Outputs {
  Tensor out, lse, dq, dk, dv;
};

Inputs inputs(const HeadShape& h, Rounding rounding, uint64_t stream) {
  const Tensor q = cases::normal({h.heads * h.T, h.dim}, stream, 1.5);
  const Tensor k = cases::normal({h.kv_heads * h.T, h.dim}, stream + 1, 1.5);
  const Tensor v = cases::normal({h.kv_heads * h.T, h.dim}, stream + 2);
  Rounding q_rounding = rounding;
  if (rounding.axis == ScaleAxis::kColumn) {
    rounding.row_blocks = static_cast<int>(h.kv_heads);
    q_rounding.row_blocks = static_cast<int>(h.heads);
  }
  return {rounded(q_rounding, q), rounded(rounding, k), rounded(rounding, v),
          cases::normal({h.T, h.heads * h.dim}, stream + 3, 0.1)};
}

Outputs empty_outputs(const HeadShape& h, DType real) {
  return {Tensor::empty(real, {h.T, h.heads * h.dim}), Tensor::empty(real, {h.heads, h.T}),
          Tensor::empty(real, {h.heads * h.T, h.dim}),
          Tensor::empty(real, {h.kv_heads * h.T, h.dim}),
          Tensor::empty(real, {h.kv_heads * h.T, h.dim})};
}

// Forward, and backward from the out and lse of `forward` if given, from its own if not.
Outputs run(Context c, const HeadShape& h, const Inputs& in, const Outputs* forward = nullptr) {
  Outputs o = empty_outputs(h, in.dout.dtype());
  attention(c, h, in.q, in.k, in.v, o.out, o.lse);
  const Outputs& from = forward != nullptr ? *forward : o;
  attention_backward(c, h, in.q, in.k, in.v, from.out, from.lse, in.dout, o.dq, o.dk, o.dv);
  return o;
}

// --- rotary positions ---------------------------------------------------------------------------

struct Split {
  Tensor q, k, v;
};

Split split(Context& c, const HeadShape& h, const Tensor& qkv, const Tensor& rope) {
  Split s{Tensor::empty(qkv.dtype(), {h.heads * h.T, h.dim}),
          Tensor::empty(qkv.dtype(), {h.kv_heads * h.T, h.dim}),
          Tensor::empty(qkv.dtype(), {h.kv_heads * h.T, h.dim})};
  split_heads(c, h, qkv, rope, s.q, s.k, s.v);
  return s;
}

int64_t qkv_columns(const HeadShape& h) {
  return (h.heads + 2 * h.kv_heads) * h.dim;
}

// A rotation's adjoint is its inverse.
void expect_merge_undoes_split(Context& c, DType real, double unit) {
  for (const HeadShape& h : cases::kHeads) {
    SCOPED_TRACE(text(h));
    const Tensor qkv = cases::normal({h.T, qkv_columns(h)}, 1, 1, real);
    const Tensor rope = rope_table(h.T, h.dim, 10000, real);
    const Split s = split(c, h, qkv, rope);
    Tensor back = Tensor::empty(real, qkv.shape());
    merge_heads(c, h, s.q, s.k, s.v, rope, back);
    // Two rotations of two products and a sum, by a sine and cosine rounded once, of numbers up to
    // |a| + |b| in size: 2 (2 + 1 + 1) roundings.
    std::vector<double> bound(static_cast<size_t>(qkv.elements()));
    for (int64_t i = 0; i < qkv.elements(); ++i) {
      const int64_t in_head = i % h.dim, pair = i - in_head + (in_head + h.dim / 2) % h.dim;
      bound[i] = 8 * unit * 2 * (std::fabs(qkv.at(i)) + std::fabs(qkv.at(pair)));
    }
    for (int64_t i = 0; i < qkv.elements(); ++i) ASSERT_NEAR(back.at(i), qkv.at(i), bound[i]) << i;
  }
}

TEST(RopeReference, MergeUndoesSplit) {
  Context c = reference();
  expect_merge_undoes_split(c, DType::kF64, 0x1p-53);
  expect_merge_undoes_split(c, DType::kF32, u);
}

TEST(RopeCpu, MergeUndoesSplit) {
  for (Isa isa : machine_isas()) {
    SCOPED_TRACE(name_of(isa));
    Context c = cpu(isa);
    expect_merge_undoes_split(c, DType::kF32, u);
  }
}

// The scores of rotated queries and keys depend on their distance, not on their positions.
TEST(RopeReference, ScoresDependOnTheDistanceAlone) {
  Context c = reference();
  const HeadShape h{9, 1, 1, 8};
  const Tensor qkv = Tensor::empty(DType::kF64, {h.T, qkv_columns(h)});
  const Tensor row = cases::normal({qkv_columns(h)}, 1, 1, DType::kF64);
  for (int64_t t = 0; t < h.T; ++t) qkv.rows(t, t + 1).copy_from(row);
  const Split s = split(c, h, qkv, rope_table(h.T, h.dim, 10000, DType::kF64));
  const auto score = [&](int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t e = 0; e < h.dim; ++e) sum += s.q.at(i * h.dim + e) * s.k.at(j * h.dim + e);
    return sum;
  };
  for (int64_t i = 1; i < h.T; ++i) {
    for (int64_t j = 1; j <= i; ++j) EXPECT_NEAR(score(i, j), score(i - 1, j - 1), 1e3 * 0x1p-53);
  }
  EXPECT_GT(std::fabs(score(1, 0) - score(2, 0)), 1e-3);
}

// <split(x), y> = <x, merge(y)>: merge is the derivative of split, which is linear.
TEST(RopeReference, MergeIsTheAdjoint) {
  Context c = reference();
  const HeadShape h{7, 4, 2, 6};
  const Tensor rope = rope_table(h.T, h.dim, 10000, DType::kF64);
  const Tensor x = cases::normal({h.T, qkv_columns(h)}, 1, 1, DType::kF64);
  const Split s = split(c, h, x, rope);
  const Split y{cases::normal(s.q.shape(), 2, 1, DType::kF64),
                cases::normal(s.k.shape(), 3, 1, DType::kF64),
                cases::normal(s.v.shape(), 4, 1, DType::kF64)};
  Tensor merged = Tensor::empty(DType::kF64, x.shape());
  merge_heads(c, h, y.q, y.k, y.v, rope, merged);
  const double left = weighted_sum(s.q, y.q) + weighted_sum(s.k, y.k) + weighted_sum(s.v, y.v);
  EXPECT_NEAR(left, weighted_sum(x, merged), 1e3 * 0x1p-53 * sum_of_magnitudes(x, merged));
}

TEST(RopeCpu, MatchesTheReference) {
  for (const HeadShape& h : cases::kHeads) {
    SCOPED_TRACE(text(h));
    const Tensor qkv = cases::normal({h.T, qkv_columns(h)}, 1),
                 rope = rope_table(h.T, h.dim, 10000);
    Context r = reference();
    const Split expected = split(r, h, qkv, rope);
    Tensor expected_merged = Tensor::empty(DType::kF32, qkv.shape());
    merge_heads(r, h, expected.q, expected.k, expected.v, rope, expected_merged);
    // Two products and a sum. Rotation leaves |(a, b)| alone: |a| + |b| <= sqrt 2 |(a, b)|.
    const auto bound = [&](const Tensor& x) {
      std::vector<double> out(static_cast<size_t>(x.elements()));
      for (int64_t i = 0; i < x.elements(); ++i) {
        const int64_t in_head = i % h.dim, pair = i - in_head + (in_head + h.dim / 2) % h.dim;
        out[i] = 2 * u * std::sqrt(2.0) * std::hypot(x.at(i), x.at(pair));
      }
      return out;
    };
    for (Isa isa : machine_isas()) {
      SCOPED_TRACE(name_of(isa));
      Context c = cpu(isa);
      const Split actual = split(c, h, qkv, rope);
      Tensor merged = Tensor::empty(DType::kF32, qkv.shape());
      merge_heads(c, h, expected.q, expected.k, expected.v, rope, merged);
      expect_within(actual.q, expected.q, bound(expected.q), "q");
      expect_within(actual.k, expected.k, bound(expected.k), "k");
      expect_same_bits(actual.v, expected.v, "v");
      expect_within(merged, expected_merged, bound(expected_merged), "merged");
    }
  }
}

// --- attention ----------------------------------------------------------------------------------

TEST(AttentionReference, BackwardIsTheDerivative) {
  for (const HeadShape& h : {HeadShape{1, 1, 1, 2}, HeadShape{5, 2, 1, 4}, HeadShape{4, 4, 2, 2}}) {
    SCOPED_TRACE(text(h));
    Context c = reference();
    const Inputs in{{cases::normal({h.heads * h.T, h.dim}, 1, 1, DType::kF64), {}},
                    {cases::normal({h.kv_heads * h.T, h.dim}, 2, 1, DType::kF64), {}},
                    {cases::normal({h.kv_heads * h.T, h.dim}, 3, 1, DType::kF64), {}},
                    cases::normal({h.T, h.heads * h.dim}, 4, 1, DType::kF64)};
    Outputs o = run(c, h, in);
    const double magnitude = sum_of_magnitudes(o.out, in.dout);
    const auto f = [&] {
      attention(c, h, in.q, in.k, in.v, o.out, o.lse);
      return weighted_sum(o.out, in.dout);
    };
    expect_gradient(f, in.q.codes, o.dq, magnitude, "dq");
    expect_gradient(f, in.k.codes, o.dk, magnitude, "dk");
    expect_gradient(f, in.v.codes, o.dv, magnitude, "dv");
  }
}

// Straight through: with unrounded gradients, the backward of codes and scales is that of the
// values of the codes (given the same out and lse).
TEST(AttentionReference, GradientsPassThroughTheRounding) {
  const HeadShape h{17, 4, 2, 10};
  for (const Rounding& rounding : cases::product_roundings()) {
    SCOPED_TRACE(cases::text(rounding));
    const Inputs in = inputs(h, rounding, 1);
    const Outputs o = run(reference(DType::kF32), h, in);
    Context c = reference(DType::kF32);
    Outputs exact = empty_outputs(h, DType::kF64);
    attention_backward(c, h, exact_values(in.q), exact_values(in.k), exact_values(in.v),
                       as(DType::kF64, o.out), as(DType::kF64, o.lse), as(DType::kF64, in.dout),
                       exact.dq, exact.dk, exact.dv);
    // Every term of a sum is rounded to float once. The largest |ds|, |p| and |dout| bound the
    // terms.
    const auto bound = [&](const Tensor& gradient, const Operand& other, double largest_factor) {
      double largest = 0;
      for (int64_t i = 0; i < other.codes.elements(); ++i) {
        largest = std::max(largest, std::fabs(other.codes.at(i)) * scale(other, i / h.dim));
      }
      const double terms = static_cast<double>(h.T * h.heads / h.kv_heads);
      return std::vector<double>(static_cast<size_t>(gradient.elements()),
                                 2 * u * terms * largest_factor * largest);
    };
    double largest_dout = 0, largest_v = 0;
    for (int64_t i = 0; i < in.dout.elements(); ++i) {
      largest_dout = std::max(largest_dout, std::fabs(in.dout.at(i)));
    }
    for (int64_t i = 0; i < in.v.codes.elements(); ++i) {
      largest_v = std::max(largest_v, std::fabs(in.v.codes.at(i)) * scale(in.v, i / h.dim));
    }
    const double dim = static_cast<double>(h.dim);
    const double largest_ds = 2 * dim * largest_dout * largest_v / std::sqrt(dim);
    expect_within(o.dq, exact.dq, bound(o.dq, in.k, largest_ds), "dq");
    expect_within(o.dk, exact.dk, bound(o.dk, in.q, largest_ds), "dk");
    expect_within(
        o.dv, exact.dv,
        std::vector<double>(static_cast<size_t>(o.dv.elements()),
                            2 * u * static_cast<double>(h.T * h.heads / h.kv_heads) * largest_dout),
        "dv");
  }
}

// Grouped queries are plain heads whose keys and values are repeated: the same outputs, and key
// gradients that add up.
TEST(AttentionReference, GroupedQueriesAreRepeatedHeads) {
  for (const HeadShape& h : cases::kHeads) {
    if (h.heads == h.kv_heads || h.T > 130) continue;
    SCOPED_TRACE(text(h));
    const int64_t group = h.heads / h.kv_heads;
    const HeadShape plain{h.T, h.heads, h.heads, h.dim};
    const Inputs in = inputs(h, {integer_format(4), ScaleAxis::kRow}, 1);
    const auto repeated = [&](const Operand& x) {
      Operand out = make_operand({integer_format(4), ScaleAxis::kRow}, h.heads * h.T, h.dim);
      for (int64_t head = 0; head < h.heads; ++head) {
        const int64_t from = head / group * h.T, to = head * h.T;
        out.codes.rows(to, to + h.T).copy_from(x.codes.rows(from, from + h.T));
        out.scales.rows(to, to + h.T).copy_from(x.scales.rows(from, from + h.T));
      }
      return out;
    };
    const Outputs grouped = run(reference(), h, in);
    const Outputs separate =
        run(reference(), plain, {in.q, repeated(in.k), repeated(in.v), in.dout});
    expect_same_bits(grouped.out, separate.out, "out");
    expect_same_bits(grouped.lse, separate.lse, "lse");
    expect_same_bits(grouped.dq, separate.dq, "dq");
    for (auto [together, alone] :
         {std::pair{&grouped.dk, &separate.dk}, std::pair{&grouped.dv, &separate.dv}}) {
      for (int64_t i = 0; i < together->elements(); ++i) {
        const int64_t kv_head = i / (h.T * h.dim), within = i % (h.T * h.dim);
        double sum = 0, magnitude = 0;
        for (int64_t member = 0; member < group; ++member) {
          const double part = alone->at((kv_head * group + member) * h.T * h.dim + within);
          sum += part, magnitude += std::fabs(part);
        }
        ASSERT_NEAR(together->at(i), sum, u * (magnitude + std::fabs(sum)) + kTiny);
      }
    }
  }
}

// Whatever comes later, in any of q, k, v, earlier outputs keep their bits.
void expect_causal(Context c) {
  for (const HeadShape& h : cases::kHeads) {
    if (h.T < 7 || h.T > 130) continue;
    for (const Rounding& rounding :
         {Rounding{bf16_format()}, Rounding{integer_format(4), ScaleAxis::kRow},
          Rounding{fp32_format()}}) {
      SCOPED_TRACE(text(h) + " " + cases::text(rounding));
      Inputs in = inputs(h, rounding, 1);
      Outputs before = empty_outputs(h, DType::kF32), after = empty_outputs(h, DType::kF32);
      attention(c, h, in.q, in.k, in.v, before.out, before.lse);
      for (int64_t changed : {h.T - 1, h.T / 2, int64_t{1}}) {
        Inputs other = inputs(h, rounding, 1);
        for (Operand* x : {&other.q, &other.k, &other.v}) {
          for (int64_t row = changed; row < x->codes.extent(0); row += h.T) {
            for (int64_t e = 0; e < h.dim; ++e)
              x->codes.set(row * h.dim + e, 3.0 - static_cast<double>(e % 5));
          }
        }
        attention(c, h, other.q, other.k, other.v, after.out, after.lse);
        expect_same_bits(after.out.rows(0, changed), before.out.rows(0, changed),
                         "earlier outputs");
        for (int64_t head = 0; head < h.heads; ++head) {
          for (int64_t t = 0; t < changed; ++t) {
            ASSERT_EQ(after.lse.at(head * h.T + t), before.lse.at(head * h.T + t));
          }
        }
        EXPECT_NE(after.lse.at(changed), before.lse.at(changed));
      }
    }
  }
}

TEST(AttentionReference, IsCausal) {
  expect_causal(reference());
}

TEST(AttentionCpu, IsCausal) {
  for (Isa isa : machine_isas()) {
    SCOPED_TRACE(name_of(isa));
    expect_causal(cpu(isa));
  }
}

// Backward and merging at once is backward, then merging.
TEST(AttentionCpu, MergesGradientsWithTheSameBits) {
  const std::vector<HeadShape> others{{33, 2, 2, 2},   {17, 4, 2, 34},  {100, 2, 1, 48},
                                      {256, 2, 2, 64}, {300, 2, 2, 16}, {600, 4, 2, 32}};
  std::vector<HeadShape> shapes(std::begin(cases::kHeads), std::end(cases::kHeads));
  shapes.insert(shapes.end(), others.begin(), others.end());
  uint64_t stream = 20000;
  for (const HeadShape& h : shapes) {
    for (const Rounding& rounding : {Rounding{bf16_format()},
                                     {integer_format(4), ScaleAxis::kRow},
                                     {integer_format(12), ScaleAxis::kRow}}) {
      const Inputs in = inputs(h, rounding, stream += 10);
      const Tensor rope = rope_table(h.T, h.dim, 10000);
      std::vector<Context> contexts;
      if (h.T < 100) contexts.push_back(reference());
      for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
      for (Context& c : contexts) {
        SCOPED_TRACE(text(h) + " " + cases::text(rounding) + " " + name_of(c.isa));
        Outputs apart = empty_outputs(h, DType::kF32);
        attention(c, h, in.q, in.k, in.v, apart.out, apart.lse);
        attention_backward(c, h, in.q, in.k, in.v, apart.out, apart.lse, in.dout, apart.dq,
                           apart.dk, apart.dv);
        Tensor expected = Tensor::empty(DType::kF32, {h.T, qkv_columns(h)});
        merge_heads(c, h, apart.dq, apart.dk, apart.dv, rope, expected);
        Tensor actual = Tensor::empty(DType::kF32, {h.T, qkv_columns(h)});
        attention_backward_merged(c, h, in.q, in.k, in.v, apart.out, apart.lse, in.dout, rope,
                                  actual);
        expect_same_bits(actual, expected, "dqkv");
      }
    }
  }
}

// How far floats and flipped BF16 roundings may carry a backend from the reference.
struct Bounds {
  std::vector<double> out, lse, dq, dk, dv;
};

Bounds bounds(const HeadShape& h, const Inputs& in, const Outputs& expected, bool bf16_gradients) {
  const auto doubles = [&](const Operand& x, bool with_scales) {
    std::vector<double> values(static_cast<size_t>(x.codes.elements()));
    for (int64_t i = 0; i < x.codes.elements(); ++i) {
      values[i] = x.codes.at(i) * (with_scales ? scale(x, i / h.dim) : 1);
    }
    return values;
  };
  const std::vector<double> q = doubles(in.q, true), k = doubles(in.k, true),
                            v = doubles(in.v, false);
  const auto gradient_codes = [&](const Operand& x) {
    std::vector<double> codes = numbers(x.codes);
    if (!bf16_gradients) return codes;
    for (double& code : codes) code = round_to_bf16(static_cast<float>(code));
    return codes;
  };
  const std::vector<double> q_codes = gradient_codes(in.q), k_codes = gradient_codes(in.k),
                            v_codes = gradient_codes(in.v);
  const double root = std::sqrt(static_cast<double>(h.dim)), dim = static_cast<double>(h.dim);
  const double terms = static_cast<double>(h.T * h.heads / h.kv_heads);
  Bounds b;
  b.out.resize(static_cast<size_t>(h.T * h.heads * h.dim));
  b.lse.resize(static_cast<size_t>(h.heads * h.T));
  b.dq.resize(q.size()), b.dk.resize(k.size()), b.dv.resize(v.size());
  std::vector<double> s(static_cast<size_t>(h.T)), s_error(s.size()),
      dout(static_cast<size_t>(h.dim));
  for (int64_t head = 0; head < h.heads; ++head) {
    const int64_t first_key = head / (h.heads / h.kv_heads) * h.T;
    for (int64_t i = 0; i < h.T; ++i) {
      const int64_t query = head * h.T + i;
      double largest = -1e30, smallest = 1e30, worst = 0, sum = 0;
      for (int64_t j = 0; j <= i; ++j) {
        double score = 0, magnitude = 0;
        for (int64_t e = 0; e < h.dim; ++e) {
          const double term = q[query * h.dim + e] * k[(first_key + j) * h.dim + e] / root;
          score += term, magnitude += std::fabs(term);
        }
        s[j] = score;
        // dim - 1 sums, product or values, two scales, the root, and a factor log2 e.
        s_error[j] = (dim + 8) * u * magnitude;
        worst = std::max(worst, s_error[j]);
        largest = std::max(largest, score), smallest = std::min(smallest, score);
      }
      for (int64_t j = 0; j <= i; ++j) sum += std::exp(s[j] - largest);
      const double log_sum = largest + std::log(sum);
      // Scores, distance to the largest, exponentials and their sum (with rescaling), logarithm.
      const double lse_error = worst + 2 * u * (largest - smallest) + 2 * kExp +
                               (static_cast<double>(i) + 8) * u + kExp * std::log(sum) +
                               2 * u * std::fabs(largest);
      b.lse[query] = lse_error;

      double delta = 0, delta_error = 0;
      for (int64_t e = 0; e < h.dim; ++e) {
        const int64_t at = (i * h.heads + head) * h.dim + e;
        const double term = in.dout.at(at) * expected.out.at(at);
        delta += term;
        delta_error += (dim + 2) * u * std::fabs(term);
        dout[e] = bf16_gradients ? round_to_bf16(in.dout.f32()[at]) : in.dout.at(at);
      }
      const double lse = expected.lse.at(query);
      for (int64_t j = 0; j <= i; ++j) {
        const int64_t key = first_key + j;
        // Forward: p' and how far it may be thrown.
        const double rounding_p = 2 * u * (std::fabs(s[j]) + std::fabs(log_sum)) + kExp + 4 * u;
        const double v_scale = scale(in.v, key);
        const double weight = std::exp(s[j] - log_sum) * v_scale;
        const double thrown =
            spread(weight, weight * (s_error[j] + lse_error + rounding_p), is_bf16(in.v));
        for (int64_t e = 0; e < h.dim; ++e) {
          b.out[(i * h.heads + head) * h.dim + e] +=
              std::fabs(v[key * h.dim + e]) *
              (thrown + (static_cast<double>(i) + 4) * u * (weight + thrown));
        }
        // Backward: p from the given lse, then dp and ds.
        double dp = 0, dp_error = 0;
        for (int64_t e = 0; e < h.dim; ++e) {
          const double term = dout[e] * v_codes[key * h.dim + e] * v_scale;
          dp += term, dp_error += (dim + 2) * u * std::fabs(term);
        }
        const double p = std::exp(s[j] - lse), p_error = p * (s_error[j] + rounding_p);
        const double ds = p * (dp - delta) / root;
        const double ds_error = (p + p_error) * (dp_error + delta_error) / root +
                                p_error * std::fabs(dp - delta) / root + 5 * u * std::fabs(ds);
        const auto carried = [&](double x, double error) {
          const double away = spread(x, error, bf16_gradients);
          return away + (terms + 4) * u * (std::fabs(x) * (1 + 0x1p-7) + away);
        };
        const double k_scale = scale(in.k, key), q_scale = scale(in.q, query);
        const double to_query = carried(ds * k_scale, ds_error * k_scale);
        const double to_key = carried(ds * q_scale, ds_error * q_scale);
        const double to_value = carried(p, p_error);
        for (int64_t e = 0; e < h.dim; ++e) {
          b.dq[query * h.dim + e] += to_query * std::fabs(k_codes[key * h.dim + e]);
          b.dk[key * h.dim + e] += to_key * std::fabs(q_codes[query * h.dim + e]);
          b.dv[key * h.dim + e] += to_value * std::fabs(dout[e]);
        }
      }
    }
  }
  return b;
}

TEST(AttentionCpu, MatchesTheReference) {
  uint64_t stream = 0;
  for (const HeadShape& h : cases::kHeads) {
    for (const Rounding& rounding : cases::product_roundings()) {
      // Large cases once on BF16 codes with scales and once on values.
      if (h.T > 65 && rounding.format != integer_format(4) &&
          rounding.format != float_format(2, 1)) {
        continue;
      }
      const Inputs in = inputs(h, rounding, stream += 10);
      for (DType gradient_dtype : {DType::kBF16, DType::kF32}) {
        SCOPED_TRACE(text(h) + " " + cases::text(rounding) + " gradients " +
                     name_of(gradient_dtype));
        const Outputs expected = run(reference(gradient_dtype), h, in);
        const Bounds b = bounds(h, in, expected, gradient_dtype == DType::kBF16);
        for (Isa isa : machine_isas()) {
          SCOPED_TRACE(name_of(isa));
          const Outputs actual = run(cpu(isa, gradient_dtype), h, in, &expected);
          expect_within(actual.out, expected.out, b.out, "out");
          expect_within(actual.lse, expected.lse, b.lse, "lse");
          expect_within(actual.dq, expected.dq, b.dq, "dq");
          expect_within(actual.dk, expected.dk, b.dk, "dk");
          expect_within(actual.dv, expected.dv, b.dv, "dv");
        }
      }
    }
  }
}

// Around the sizes of tiles (16 rows, 32 numbers), of blocks of queries (32), and where the numbers
// of queries that are treated at once change (above 256 and 384).
TEST(AttentionCpu, MatchesTheReferenceAroundTheSizesOfTiles) {
  const Rounding bf16{bf16_format()}, per_tensor{integer_format(4), ScaleAxis::kTensor},
      per_row{integer_format(4), ScaleAxis::kRow};
  std::vector<HeadShape> shapes;
  for (int64_t T : {1, 15, 16, 17, 32, 33, 100}) {
    for (int64_t dim : {2, 8, 16, 32, 48, 64, 96, 128}) shapes.push_back({T, 2, 1, dim});
  }
  for (int64_t dim : {8, 64}) shapes.push_back({256, 2, 2, dim});
  shapes.push_back({289, 3, 1, 16});
  shapes.push_back({385, 1, 1, 16});
  shapes.push_back({545, 2, 1, 32});
  uint64_t stream = 9000;
  for (const HeadShape& h : shapes) {
    for (const auto& [for_q, for_kv] :
         {std::pair{bf16, bf16}, {bf16, per_tensor}, {per_row, bf16}, {per_row, per_row}}) {
      if (h.T > 100 && for_q.axis != for_kv.axis) continue;
      SCOPED_TRACE(text(h) + " q " + cases::text(for_q) + " kv " + cases::text(for_kv));
      stream += 10;
      const Inputs queries = inputs(h, for_q, stream), others = inputs(h, for_kv, stream);
      const Inputs in{queries.q, others.k, others.v, others.dout};
      const Outputs expected = run(reference(), h, in);
      const Bounds b = bounds(h, in, expected, true);
      const Outputs actual = run(cpu(best_isa()), h, in, &expected);
      expect_within(actual.out, expected.out, b.out, "out");
      expect_within(actual.lse, expected.lse, b.lse, "lse");
      expect_within(actual.dq, expected.dq, b.dq, "dq");
      expect_within(actual.dk, expected.dk, b.dk, "dk");
      expect_within(actual.dv, expected.dv, b.dv, "dv");
    }
  }
}

// Queries, keys and values rounded each in their own way, as recipes do.
TEST(AttentionCpu, MixedRoundingsMatchTheReference) {
  const Rounding bf16{bf16_format()}, int4{integer_format(4), ScaleAxis::kTensor},
      int12{integer_format(12), ScaleAxis::kRow};
  uint64_t stream = 5000;
  for (const HeadShape& h : {HeadShape{7, 4, 2, 34}, HeadShape{65, 2, 1, 16}}) {
    for (const Rounding& for_q : {bf16, int4, int12}) {
      for (const Rounding& for_k : {bf16, int4, int12}) {
        for (const Rounding& for_v : {bf16, int4, int12}) {
          SCOPED_TRACE(text(h) + " q " + cases::text(for_q) + " k " + cases::text(for_k) + " v " +
                       cases::text(for_v));
          stream += 10;
          const Inputs in{inputs(h, for_q, stream).q, inputs(h, for_k, stream).k,
                          inputs(h, for_v, stream).v, inputs(h, bf16, stream).dout};
          const Outputs expected = run(reference(), h, in);
          const Bounds b = bounds(h, in, expected, true);
          for (Isa isa : machine_isas()) {
            SCOPED_TRACE(name_of(isa));
            const Outputs actual = run(cpu(isa), h, in, &expected);
            expect_within(actual.out, expected.out, b.out, "out");
            expect_within(actual.dq, expected.dq, b.dq, "dq");
            expect_within(actual.dk, expected.dk, b.dk, "dk");
            expect_within(actual.dv, expected.dv, b.dv, "dv");
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
