// Compares the forward pass with transformers' logits (tests/golden/hf_*, tools/make_hf_golden.py),
// and tests properties that hold for any weights.
#include "hf/forward.h"
#include "base/source_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "hf/fake_checkpoint_for_tests.h"
#include "model/checkpoint.h"
#include "model/evaluate.h"
#include "tensor/same_bits_for_tests.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(kSourceFolder) / "tests/golden";

std::vector<int32_t> tokens_of(const SafetensorsFile& file) {
  const std::string_view bytes = file.bytes("tokens");
  std::vector<int32_t> tokens(bytes.size() / sizeof(int32_t));
  std::memcpy(tokens.data(), bytes.data(), bytes.size());
  return tokens;
}

struct Outcome {
  Tensor states, logits;
};

// All layers of a checkpoint over windows of T tokens.
Outcome run_all(const Architecture& a, const Weights& weights, std::span<const int32_t> tokens,
                int64_t T, int threads = 1, const Backend* backend = &kCpuBackend,
                const StateRounding& rounding = {}) {
  ThreadPool pool(threads);
  Forward forward(a, T, pool, backend);
  Outcome run;
  run.states = forward.embed(weights, tokens);
  for (int64_t l = 0; l < a.layers; ++l) {
    forward.run(l, load_layer(weights, l), rounding, run.states);
  }
  run.logits = forward.logits(load_head(weights), run.states);
  return run;
}

// The largest |logits - expected| / bound of a golden case, with config.json changed by `patch`.
double share_of_bound(const std::string& name, const Backend* backend,
                      const Json& patch = Json::object()) {
  const fs::path directory = kGolden / name;
  Json document =
      parse_json(read_file(directory / "config.json"), (directory / "config.json").string());
  document.update(patch);
  const Architecture a = parse_architecture(document, name);
  const SafetensorsFile expected(directory / "expected.safetensors");
  const std::vector<int32_t> tokens = tokens_of(expected);
  const Tensor logits = expected.tensor("logits"), bound = expected.tensor("bound");
  const Outcome run =
      run_all(a, Weights(directory, a), tokens, static_cast<int64_t>(tokens.size()), 1, backend);
  double largest = 0;
  for (int64_t i = 0; i < logits.elements(); ++i) {
    largest = std::max(largest, std::fabs(run.logits.at(i) - logits.at(i)) / bound.at(i));
  }
  return largest;
}

const std::vector<std::string> kCases{"hf_llama_plain",   "hf_llama_gqa",      "hf_llama3_biases",
                                      "hf_llama_linear",  "hf_llama_dynamic",  "hf_llama_yarn",
                                      "hf_mistral",       "hf_qwen2",          "hf_olmo2",
                                      "hf_neox_parallel", "hf_neox_sequential"};

class HfGolden : public testing::TestWithParam<std::string> {};

TEST_P(HfGolden, LogitsAreThoseOfTransformers) {
  for (const Backend* backend : {&kCpuBackend, &kReferenceBackend}) {
    const double share = share_of_bound(GetParam(), backend);
    EXPECT_LE(share, 1);
    EXPECT_GT(share, 0);  // FP32 is not double: something was compared
  }
}

INSTANTIATE_TEST_SUITE_P(Families, HfGolden, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param; });

// The bound is wide, being of the worst case; every setting moves the logits by more.
TEST(HfForward, EverySettingMovesTheLogitsBeyondTheBound) {
  struct Change {
    const char* name;
    Json patch;
  };
  const auto rope = [](const char* type, Json more) {
    more["rope_type"] = type;
    return Json{{"rope_parameters", more}};
  };
  const auto yarn = [](Json more) {
    more.update({{"rope_theta", 100.0},
                 {"factor", 4.0},
                 {"original_max_position_embeddings", 24},
                 {"beta_fast", 4.0}});
    return more;
  };
  // The settings as they are stay within it.
  EXPECT_LE(share_of_bound("hf_llama_yarn", &kCpuBackend, rope("yarn", yarn(Json::object()))), 1);
  const std::vector<Change> changes{
      {"hf_llama_gqa", {{"rms_norm_eps", 1e-2}}},
      {"hf_llama_gqa", {{"hidden_act", "gelu"}}},
      {"hf_llama_gqa", rope("default", {{"rope_theta", 9000.0}})},
      {"hf_llama_linear", {{"hidden_act", "silu"}}},
      {"hf_llama_linear", rope("linear", {{"rope_theta", 1000.0}, {"factor", 3.9}})},
      {"hf_llama_dynamic", rope("dynamic", {{"rope_theta", 100.0}, {"factor", 2.2}})},
      {"hf_llama_dynamic", {{"max_position_embeddings", 14}}},
      {"hf_llama3_biases", rope("default", {{"rope_theta", 500000.0}})},
      {"hf_llama_yarn", rope("yarn", yarn({{"attention_factor", 1.0}}))},
      {"hf_llama_yarn", rope("yarn", yarn({{"truncate", false}}))},
      {"hf_llama_yarn", rope("yarn", yarn({{"beta_slow", 0.5}}))},
      {"hf_mistral", {{"sliding_window", 6}}},
      {"hf_mistral", {{"sliding_window", nullptr}}},
      {"hf_qwen2", {{"sliding_window", 5}}},
      {"hf_qwen2", {{"layer_types", {"sliding_attention", "sliding_attention"}}}},
      {"hf_neox_parallel", {{"use_parallel_residual", false}}},
      {"hf_neox_parallel",
       rope("default", {{"rope_theta", 10000.0}, {"partial_rotary_factor", 0.5}})},
      {"hf_neox_parallel", {{"layer_norm_eps", 1e-2}}},
      {"hf_neox_sequential", {{"use_parallel_residual", true}}},
  };
  for (const Change& change : changes) {
    EXPECT_GT(share_of_bound(change.name, &kCpuBackend, change.patch), 1)
        << change.name << " " << change.patch;
  }
}

class HfForwardFake : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) /
                 (std::string("bitlaw_hf_forward_") +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::vector<int32_t> random_tokens(int64_t count, int64_t vocabulary) const {
    std::vector<int32_t> tokens;
    for (int64_t i = 0; i < count; ++i) {
      tokens.push_back(static_cast<int32_t>(
          random_below(7, 0, static_cast<uint64_t>(i), static_cast<uint64_t>(vocabulary))));
    }
    return tokens;
  }
  fs::path directory_;
};

// The engine of runs, in FP32, is as near to the exact losses; and what it saves are the same
// logits here. A loss log(sum exp) - target moves by at most twice what any logit of the token
// moves; and its own rounding in the engine is below 2^-24 (largest logit difference + V
// exponentials + loss), which the same bound covers many times (it holds 2^-24 |logit| for the
// head's products alone).
TEST_F(HfForwardFake, ASavedRunHasTheLossesOfItsEngine) {
  const fs::path golden = kGolden / "hf_llama_plain";
  const LoadedModel loaded = load_model(golden);
  Recipe recipe;
  recipe.weights = recipe.activations = recipe.keys = recipe.values = recipe.queries =
      make_quantizer(fp32_format(), Granularity::kTensor);
  Model model(loaded.config, recipe);
  Context context;
  model.prepare(context, loaded.parameters, false);

  const SafetensorsFile expected(golden / "expected.safetensors");
  const std::vector<int32_t> tokens = tokens_of(expected);
  std::vector<uint16_t> window(tokens.begin(), tokens.end());
  window.push_back(5);  // the last target
  ThreadPool pool(1);
  const std::vector<std::span<const uint16_t>> windows{window};
  const std::vector<float> losses = per_token_losses(model, loaded.parameters, windows, pool);

  const Tensor logits = expected.tensor("logits"), bound = expected.tensor("bound");
  const int64_t T = logits.extent(0), V = logits.extent(1);
  ASSERT_EQ(static_cast<int64_t>(losses.size()), T);
  for (int64_t t = 0; t < T; ++t) {
    double sum = 0, largest = 0;
    for (int64_t i = t * V; i < (t + 1) * V; ++i) {
      sum += std::exp(logits.at(i));
      largest = std::max(largest, bound.at(i));
    }
    const double exact = std::log(sum) - logits.at(t * V + window[static_cast<size_t>(t) + 1]);
    EXPECT_NEAR(losses[static_cast<size_t>(t)], exact, 2 * largest) << t;
  }

  save_model(directory_, model, loaded.parameters);
  const Architecture a = read_architecture(golden), saved = read_architecture(directory_);
  EXPECT_TRUE(same_bits(run_all(a, Weights(golden, a), tokens, T).logits,
                        run_all(saved, Weights(directory_, saved), tokens, T).logits));
}

TEST_F(HfForwardFake, TheSameBitsForAnyNumberOfThreads) {
  for (const char* type : {"llama", "gpt_neox"}) {
    FakeCheckpoint(fake_config(type)).write(directory_);
    const Architecture a = read_architecture(directory_);
    const Weights weights(directory_, a);
    const std::vector<int32_t> tokens = random_tokens(7 * 20, a.vocabulary);
    const Outcome one = run_all(a, weights, tokens, 20, 1),
                  three = run_all(a, weights, tokens, 20, 3);
    EXPECT_TRUE(same_bits(one.states, three.states));
    EXPECT_TRUE(same_bits(one.logits, three.logits));
  }
}

// A token's logits do not depend on what follows it, nor, with windows in both of two layers, on
// what lies further back than two windows reach. T is beyond a block of queries.
TEST_F(HfForwardFake, ATokenSeesItsPastThroughTheWindowsOnly) {
  constexpr int64_t T = 150, kWindow = 20, kToken = 100;
  FakeCheckpoint(
      fake_config("mistral", {{"sliding_window", kWindow}, {"max_position_embeddings", 256}}))
      .write(directory_);
  const Architecture a = read_architecture(directory_);
  const Weights weights(directory_, a);
  std::vector<int32_t> tokens = random_tokens(T, a.vocabulary);
  const Tensor before = run_all(a, weights, tokens, T).logits;
  const auto moved = [&](int64_t changed) {
    std::vector<int32_t> other = tokens;
    int32_t& token = other[static_cast<size_t>(changed)];
    token = (token + 1) % static_cast<int32_t>(a.vocabulary);
    const Tensor after = run_all(a, weights, other, T).logits;
    return !same_bits(before.rows(kToken, kToken + 1), after.rows(kToken, kToken + 1));
  };
  EXPECT_TRUE(moved(kToken));
  EXPECT_FALSE(moved(kToken + 1));
  const int64_t reach = 2 * (kWindow - 1);  // each layer sees kWindow - 1 tokens further back
  EXPECT_TRUE(moved(kToken - reach));
  EXPECT_FALSE(moved(kToken - reach - 1));
}

TEST_F(HfForwardFake, TheTapSeesEveryInputOnceAsItIsMultiplied) {
  FakeCheckpoint(fake_config("llama")).write(directory_);
  const Architecture a = read_architecture(directory_);
  const Weights weights(directory_, a);
  constexpr int64_t T = 8, kWindows = 3;
  ThreadPool pool(2);
  Forward forward(a, T, pool);
  const std::vector<int32_t> tokens = random_tokens(kWindows * T, a.vocabulary);
  Tensor states = forward.embed(weights, tokens);
  StateRounding rounding;
  rounding.activations = parse_quantizer("int4/token");
  std::vector<std::vector<int>> seen(kWindows, std::vector<int>(kInputs, 0));
  forward.run(0, load_layer(weights, 0), rounding, states,
              [&](int64_t window, Input input, const Tensor& x) {
                ++seen[static_cast<size_t>(window)][static_cast<size_t>(input)];
                ASSERT_EQ(x.shape(), (Shape{T, width_of(a, input)}));
                // Rounded: a row of int4 holds at most 15 different numbers.
                std::vector<float> row(x.f32(), x.f32() + x.extent(1));
                std::sort(row.begin(), row.end());
                EXPECT_LE(std::unique(row.begin(), row.end()) - row.begin(), 15);
              });
  EXPECT_EQ(seen, std::vector<std::vector<int>>(kWindows, std::vector<int>(kInputs, 1)));
}

TEST_F(HfForwardFake, FineRoundingsOfStatesMoveTheLogitsLittleAndCoarseOnesMore) {
  FakeCheckpoint(fake_config("qwen2", {{"num_key_value_heads", 2}})).write(directory_);
  const Architecture a = read_architecture(directory_);
  const Weights weights(directory_, a);
  const std::vector<int32_t> tokens = random_tokens(32, a.vocabulary);
  const Tensor exact = run_all(a, weights, tokens, 16).logits;
  const auto distance = [&](const StateRounding& rounding) {
    const Tensor logits = run_all(a, weights, tokens, 16, 1, &kCpuBackend, rounding).logits;
    double sum = 0;
    for (int64_t i = 0; i < exact.elements(); ++i) {
      sum += std::pow(logits.at(i) - exact.at(i), 2);
    }
    return sum;
  };
  EXPECT_EQ(distance({}), 0);
  for (int role = 0; role < 3; ++role) {
    double last = 0;
    for (const char* format : {"int8/token", "int4/token", "int2/token"}) {
      StateRounding rounding;
      (role == 0   ? rounding.activations
       : role == 1 ? rounding.keys
                   : rounding.values) = parse_quantizer(format);
      const double moved = distance(rounding);
      EXPECT_GT(moved, last) << format << " of role " << role;
      last = moved;
    }
  }
}

TEST_F(HfForwardFake, TextThatDoesNotFitIsRefused) {
  FakeCheckpoint(fake_config("llama")).write(directory_);
  const Architecture a = read_architecture(directory_);
  const Weights weights(directory_, a);
  ThreadPool pool(1);
  EXPECT_THROW(Forward(a, 65, pool), Error);  // made for 64
  const Forward forward(a, 4, pool);
  for (const int32_t token : {-1, 61}) {
    EXPECT_THROW(forward.embed(weights, std::vector<int32_t>{0, 1, 2, token}), Error);
  }
}

}  // namespace
}  // namespace bitlaw::hf
