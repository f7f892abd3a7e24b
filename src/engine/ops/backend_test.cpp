// An op that its backend does not have throws one sentence, for every op of ops.inc.
#include "ops/backend.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/error.h"
#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

const Backend kStubs{.name = "stubs", .device = Device::kCpu};
const Backend kCudaStubs{.name = "cuda-stubs", .device = Device::kCuda};

std::set<std::string> all_ops() {
  return {
#define OP(result, name, parameters) #name,
#include "ops/ops.inc"
#undef OP
  };
}

// Two tokens of a model of one head, by the CPU backend: arguments that every op takes.
struct Small {
  static constexpr int64_t T = 2, d = 4, F = 4, V = 8;
  Context maker;
  Rounding rounding;
  HeadShape heads{T, 1, 1, d};
  Tensor x = cases::normal({T, d}, 1), y = cases::normal({T, d}, 2), z = cases::normal({T, d}, 3);
  Tensor second = Tensor::zeros(DType::kF32, {T, d});
  Tensor gain = cases::normal({d}, 4), dgain = Tensor::zeros(DType::kF32, {d});
  Tensor per_token = Tensor::zeros(DType::kF32, {T}), lse = Tensor::zeros(DType::kF32, {1, T});
  Tensor gate_up = cases::normal({T, 2 * F}, 5), dgate_up = cases::normal({T, 2 * F}, 6);
  Tensor rope = rope_table(T, d, 10000), qkv = cases::normal({T, 3 * d}, 7);
  Tensor table = cases::normal({V, d}, 8), logits = Tensor::zeros(DType::kF32, {T, V});
  Tensor square = cases::normal({d, d}, 9), dsquare = Tensor::zeros(DType::kF32, {d, d});
  Tensor wide = cases::normal({2 * F, d}, 10), dwide = Tensor::zeros(DType::kF32, {2 * F, d});
  Tensor dtable = Tensor::zeros(DType::kF32, {V, d});
  Operand q = rounded(rounding, x), k = rounded(rounding, y), v = rounded(rounding, z);
  // Not packed, so that no backend refuses them as another's.
  Weight weight{rounded(rounding, square), nullptr}, gate{rounded(rounding, wide), nullptr},
      head{rounded(rounding, table), nullptr};
  std::vector<uint16_t> tokens{1, 7};
};

// Calls every op with a context of `backend`, in the order of ops.inc; returns what each threw, or
// "".
std::vector<std::string> call_every_op(const Backend& backend) {
  Small s;
  Context c;
  c.backend = &backend;
  const AdamW settings{1e-3, 0.9, 0.95, 1e-8, 0.1, 1, 1};
  Operand out = make_operand(s.rounding, s.T, s.d);
  Weight prepared{rounded(s.rounding, s.square), nullptr};
  const std::function<void()> calls[] = {
      [&] { quantize(c, s.rounding, s.x, out); },
      [&] { absmax(c, s.x); },
      [&] { rotate(c, 4, s.x, s.y); },
      [&] { keep_trusted(c, s.q.codes, s.y); },
      [&] { prepare_weight(c, s.rounding, s.square, true, prepared); },
      [&] { pack_weight(c, true, prepared); },
      [&] { linear_forward(c, s.q, s.weight, false, s.y); },
      [&] { linear_forward_add(c, s.x, s.q, s.weight, s.y); },
      [&] { linear_backward(c, s.x, s.q, s.weight, false, &s.y, &s.dsquare); },
      [&] { glu_forward(c, s.q, s.gate, s.gate_up, s.y); },
      [&] { glu_backward(c, s.x, s.gate_up, s.q, s.gate, s.y, &s.dwide); },
      [&] { rms_norm(c, s.x, s.gain, 1e-5, s.y, s.per_token); },
      [&] { rms_norm_backward(c, s.x, s.z, s.gain, s.per_token, false, s.y, s.dgain); },
      [&] { split_heads(c, s.heads, s.qkv, s.rope, s.x, s.y, s.z); },
      [&] { merge_heads(c, s.heads, s.x, s.y, s.z, s.rope, s.qkv); },
      [&] { attention(c, s.heads, s.q, s.k, s.v, s.y, s.lse); },
      [&] {
        Tensor dq = copy(s.x), dk = copy(s.x), dv = copy(s.x);
        attention_backward(c, s.heads, s.q, s.k, s.v, s.y, s.lse, s.x, dq, dk, dv);
      },
      [&] { attention_backward_merged(c, s.heads, s.q, s.k, s.v, s.y, s.lse, s.x, s.rope, s.qkv); },
      [&] { swiglu(c, s.gate_up, s.y); },
      [&] { swiglu_backward(c, s.x, s.gate_up, s.dgate_up); },
      [&] { embed(c, s.tokens, s.table, s.y); },
      [&] { embed_backward(c, s.tokens, s.x, s.dtable); },
      [&] { head_loss(c, s.q, s.head, s.tokens, s.per_token); },
      [&] { head_loss_backward(c, s.q, s.head, s.tokens, 1, s.per_token, s.y, &s.dtable); },
      [&] { head_logits(c, s.q, s.head, s.logits); },
      [&] { compare_logits(c, s.table.f32(), s.wide.f32(), s.V, 3); },
      [&] { add_in_place(c, s.x, s.y); },
      [&] { sum_of_squares(c, s.x); },
      [&] { adamw_update(c, settings, s.x, s.y, s.z, s.second); },
  };
  std::vector<std::string> thrown;
  for (const auto& call : calls) {
    try {
      call();
      thrown.emplace_back();
    } catch (const Error& error) {
      thrown.emplace_back(error.what());
    }
  }
  return thrown;
}

TEST(Backend, OfStubsRefusesEveryOpByItsName) {
  for (const Backend* backend : {&kStubs, &kCudaStubs}) {
    std::set<std::string> expected, seen;
    for (const std::string& name : all_ops())
      expected.insert(std::string("backend ") + backend->name + " does not implement " + name);
    for (const std::string& sentence : call_every_op(*backend)) seen.insert(sentence);
    EXPECT_EQ(seen, expected);
  }
}

TEST(Backend, ReferenceAndCpuHaveEveryOp) {
  for (const Backend* backend : {&kReferenceBackend, &kCpuBackend}) {
    const std::vector<std::string> thrown = call_every_op(*backend);
    EXPECT_EQ(thrown.size(), all_ops().size());
    for (const std::string& sentence : thrown) EXPECT_EQ(sentence, "") << backend->name;
  }
}

TEST(Backend, OfOneOpComputesThatOne) {
  const Backend norm_alone{
      .name = "norm-alone", .device = Device::kCpu, .rms_norm = kCpuBackend.rms_norm};
  Small s;
  Context alone, whole;
  alone.backend = &norm_alone;
  Tensor expected = copy(s.y);
  rms_norm(whole, s.x, s.gain, 1e-5, expected, s.per_token);
  rms_norm(alone, s.x, s.gain, 1e-5, s.y, s.per_token);
  expect_same_bits(s.y, expected, "norm");
  EXPECT_THROW(sum_of_squares(alone, s.x), Error);
}

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The same memory, labelled as another device's: it is refused in every argument.
TEST(Backend, RefusesTensorsOfAnotherDevice) {
  const auto elsewhere = [](const Tensor& x) {
    return Tensor::borrow(x.dtype(), x.shape(), x.raw(), Device::kCuda);
  };
  const std::string sentence =
      ": backend cpu works on CPU memory but was given a tensor in CUDA memory; copy it first";
  Small s;
  Context c;
  Tensor y = elsewhere(s.y), dw = elsewhere(s.dsquare);
  EXPECT_EQ(error_of([&] { add_in_place(c, elsewhere(s.x), s.y); }), "add_in_place" + sentence);
  EXPECT_EQ(error_of([&] { add_in_place(c, s.x, y); }), "add_in_place" + sentence);
  const Operand codes{elsewhere(s.q.codes), {}};
  EXPECT_EQ(error_of([&] { linear_forward(c, codes, s.weight, false, s.y); }),
            "linear_forward" + sentence);
  const Rounding scaled{integer_format(4), ScaleAxis::kRow};
  Operand scales = rounded(scaled, s.x);
  scales.scales = elsewhere(scales.scales);
  EXPECT_EQ(error_of([&] { linear_forward(c, scales, s.weight, false, s.y); }),
            "linear_forward" + sentence);
  const Weight weight{{elsewhere(s.weight.operand.codes), {}}, nullptr};
  EXPECT_EQ(error_of([&] { linear_forward(c, s.q, weight, false, s.y); }),
            "linear_forward" + sentence);
  EXPECT_EQ(error_of([&] { linear_backward(c, s.x, s.q, s.weight, false, &y, nullptr); }),
            "linear_backward" + sentence);
  EXPECT_EQ(error_of([&] { linear_backward(c, s.x, s.q, s.weight, false, nullptr, &dw); }),
            "linear_backward" + sentence);
}

TEST(Backend, RefusesWeightsPackedByAnother) {
  Small s;
  Context fast, plain = reference();
  Weight weight = prepared(fast, s.rounding, s.square);
  ASSERT_NE(weight.packed, nullptr);
  EXPECT_EQ(&weight.packed->owner(), &kCpuBackend);
  EXPECT_EQ(error_of([&] { linear_forward(plain, s.q, weight, false, s.y); }),
            "linear_forward: backend reference was given a weight that was packed by backend cpu; "
            "prepare it again");
  pack_weight(plain, false, weight);  // its own now
  EXPECT_EQ(error_of([&] { linear_forward(plain, s.q, weight, false, s.y); }), "");
  prepare_weight(fast, s.rounding, s.square, false, weight);
  EXPECT_EQ(&weight.packed->owner(), &kCpuBackend);
}

}  // namespace
}  // namespace bitlaw
