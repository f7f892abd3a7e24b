#include "quantize/checkpoint_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "hf/fake_checkpoint_for_tests.h"
#include "quantize/write_checkpoint.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kT = 12;

MatrixCell rtn(const char* scheme, int group = 0) {
  return {.method = &ptq_method("rtn"), .scheme = parse_weight_scheme(scheme, group)};
}
MatrixCell gptq(const char* scheme, int group = 0) {
  return {.method = &ptq_method("gptq"), .scheme = parse_weight_scheme(scheme, group)};
}

PtqCell none() {
  return {{.method = &ptq_method("none")}, {}, {}, 0};
}
PtqCell cell_of(const MatrixCell& weights, int64_t seed = 0) {
  return {weights, {}, {}, seed};
}

class CheckpointPass : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) /
                 (std::string("bitlaw_checkpoint_pass_") +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::vector<int32_t> windows(int64_t count, uint64_t seed) const {
    std::vector<int32_t> tokens;
    for (int64_t i = 0; i < count * (kT + 1); ++i) {
      tokens.push_back(static_cast<int32_t>(random_below(seed, 0, static_cast<uint64_t>(i), 61)));
    }
    return tokens;
  }

  std::vector<PassResult> run(const fs::path& directory, const std::vector<PtqCell>& cells,
                              int threads = 1, int64_t budget = int64_t{1} << 30,
                              decltype(PassListener::solved) solved = {}) const {
    const hf::Architecture a = hf::read_architecture(directory);
    const hf::Weights weights(directory, a);
    ThreadPool pool(threads);
    const std::vector<int32_t> one = windows(5, 1), two = windows(4, 2), text = windows(7, 3);
    const std::map<int64_t, PassText> calibrations{{1, {one}}, {2, {two}}};
    std::vector<PassResult> results(cells.size());
    double steps = 0;
    bool last = false;
    run_checkpoint_pass({a, weights, kT, calibrations, {text}, budget}, cells, pool,
                        {.finished =
                             [&](size_t cell, PassResult&& result) {
                               EXPECT_TRUE(results[cell].tokens.empty());
                               results[cell] = std::move(result);
                             },
                         .solved = solved,
                         .progress =
                             [&](double done, double total, const std::string&) {
                               EXPECT_EQ(done, ++steps);
                               EXPECT_LE(done, total);
                               last = done == total;
                             }});
    EXPECT_TRUE(last);
    return results;
  }

  fs::path directory_;
};

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

void expect_same(const PassResult& a, const PassResult& b) {
  ASSERT_EQ(a.tokens.size(), b.tokens.size());
  for (size_t i = 0; i < a.tokens.size(); ++i) {
    EXPECT_TRUE(same_bits(a.tokens[i].loss, b.tokens[i].loss));
    EXPECT_TRUE(same_bits(a.tokens[i].baseline_loss, b.tokens[i].baseline_loss));
    EXPECT_TRUE(same_bits(a.tokens[i].kl, b.tokens[i].kl));
    EXPECT_EQ(a.tokens[i].same_top, b.tokens[i].same_top);
  }
  ASSERT_EQ(a.matrices.size(), b.matrices.size());
  for (size_t i = 0; i < a.matrices.size(); ++i) {
    EXPECT_EQ(a.matrices[i].layer, b.matrices[i].layer);
    EXPECT_EQ(a.matrices[i].matrix, b.matrices[i].matrix);
    EXPECT_EQ(a.matrices[i].relative_error, b.matrices[i].relative_error);
    const double x = a.matrices[i].error, y = b.matrices[i].error;
    EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y)));
  }
}

double mean_kl(const PassResult& result) {
  double sum = 0;
  for (const TokenComparison& token : result.tokens) sum += token.kl;
  return sum / static_cast<double>(result.tokens.size());
}

// A checkpoint whose file holds the rounded weights is, bit for bit, the cell.
TEST_F(CheckpointPass, ACellIsTheCheckpointWithRoundedWeights) {
  for (const char* type : {"llama", "olmo2", "gpt_neox"}) {
    hf::FakeCheckpoint checkpoint(hf::fake_config(type));
    checkpoint.write(directory_ / "original");
    const WeightScheme scheme = parse_weight_scheme("int4", 16);
    const PassResult cell = run(directory_ / "original", {cell_of(rtn("int4", 16))})[0];

    const hf::Layout layout = hf::layout_of(hf::read_architecture(directory_ / "original"));
    for (const hf::LayerSpec& layer : layout.layers) {
      for (const hf::MatrixSpec& matrix : layer.matrices) {
        hf::FakeTensor& tensor = checkpoint.tensors.at(matrix.weight.name);
        const auto* const w = reinterpret_cast<const float*>(tensor.bytes.data());
        const std::vector<float> values =
            quantize_reference(scheme, w, tensor.shape[0], tensor.shape[1]).values;
        tensor.bytes.assign(reinterpret_cast<const char*>(values.data()), tensor.bytes.size());
      }
    }
    checkpoint.write(directory_ / "rounded");
    const PassResult itself = run(directory_ / "rounded", {none()})[0];
    ASSERT_EQ(cell.tokens.size(), static_cast<size_t>(7 * kT));
    bool moved = false;
    for (size_t i = 0; i < cell.tokens.size(); ++i) {
      EXPECT_TRUE(same_bits(cell.tokens[i].loss, itself.tokens[i].baseline_loss));
      moved = moved || cell.tokens[i].loss != cell.tokens[i].baseline_loss;
    }
    EXPECT_TRUE(moved);
    EXPECT_EQ(cell.matrices.size(), layout.layers.size() * layout.layers[0].matrices.size());
    for (const MatrixReport& matrix : cell.matrices) {
      EXPECT_GT(matrix.relative_error, 0);
      EXPECT_LT(matrix.relative_error, 0.1);
    }
  }
}

TEST_F(CheckpointPass, WithNothingRoundedNothingDiffers) {
  hf::FakeCheckpoint(hf::fake_config("qwen2")).write(directory_);
  PtqCell kv = none();
  kv.kv = parse_quantizer("int4/token");
  const std::vector<PassResult> results = run(directory_, {none(), kv});
  EXPECT_TRUE(results[0].matrices.empty());
  for (const TokenComparison& token : results[0].tokens) {
    EXPECT_EQ(token.kl, 0);
    EXPECT_EQ(token.loss, token.baseline_loss);
    EXPECT_TRUE(token.same_top);
  }
  EXPECT_TRUE(results[1].matrices.empty());
  EXPECT_GT(mean_kl(results[1]), 0);
}

// Cells of several methods, calibrations and roundings of states; two share their weights.
std::vector<PtqCell> mixed_cells() {
  PtqCell a4 = cell_of(rtn("int4"));
  a4.activations = parse_quantizer("int4/token");
  return {cell_of(gptq("int3"), 2), a4, cell_of(gptq("int3"), 1), cell_of(rtn("int4")),
          cell_of(gptq("int4", 8), 1)};
}

TEST_F(CheckpointPass, NeitherWavesNorThreadsChangeABit) {
  hf::FakeCheckpoint(hf::fake_config("llama", {{"num_key_value_heads", 2}})).write(directory_, 2);
  const std::vector<PtqCell> cells = mixed_cells();
  const std::vector<PassResult> once = run(directory_, cells);
  const int64_t states = 7 * kT * 32 * 4;  // of one cell
  for (const int64_t budget : {int64_t{0}, 3 * states, 6 * states}) {
    const std::vector<PassResult> waves = run(directory_, cells, 3, budget);
    for (size_t i = 0; i < cells.size(); ++i) expect_same(once[i], waves[i]);
  }
  EXPECT_NE(once[0].tokens[5].loss, once[2].tokens[5].loss);  // another calibration
  EXPECT_GT(mean_kl(once[1]), mean_kl(once[3]));              // activations rounded as well
}

TEST_F(CheckpointPass, MatricesThatShareAnInputShareItsStatistics) {
  hf::FakeCheckpoint(hf::fake_config("llama")).write(directory_);
  const hf::Architecture a = hf::read_architecture(directory_);
  const hf::Weights weights(directory_, a);
  ThreadPool pool(2);
  hf::Forward forward(a, kT, pool);
  std::vector<int32_t> tokens = windows(3, 1);
  tokens.resize(3 * kT);
  const hf::Layer layer = load_layer(weights, 0);

  Tensor states = forward.embed(weights, tokens);
  std::vector<std::vector<float>> inputs(hf::kInputs);
  for (int64_t w = 0; w < 3; ++w) {  // one after the other
    Tensor window =
        forward.embed(weights, std::span(tokens).subspan(static_cast<size_t>(w * kT), kT));
    forward.run(0, layer, {}, window, [&](int64_t, hf::Input input, const Tensor& x) {
      auto& all = inputs[static_cast<size_t>(input)];
      all.insert(all.end(), x.f32(), x.f32() + x.elements());
    });
  }
  const std::vector<InputSolver> solvers = solve_layer(forward, a, 0, layer, states, pool);
  ASSERT_EQ(solvers.size(), static_cast<size_t>(hf::kInputs));
  for (int input = 0; input < hf::kInputs; ++input) {
    const InputStatistics& s = solvers[static_cast<size_t>(input)].statistics();
    const std::vector<float>& x = inputs[static_cast<size_t>(input)];
    const int64_t n = width_of(a, hf::Input(input));
    EXPECT_EQ(s.tokens, 3 * kT);
    ASSERT_EQ(s.columns(), n);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i; j < n; ++j) {
        double sum = 0;
        for (int64_t t = 0; t < 3 * kT; ++t) {
          sum = std::fma(static_cast<double>(x[static_cast<size_t>(t * n + i)]),
                         static_cast<double>(x[static_cast<size_t>(t * n + j)]), sum);
        }
        EXPECT_EQ(s.hessian(i, j), sum * (2.0 / (3 * kT)));
      }
    }
  }
}

TEST_F(CheckpointPass, BetterThanRoundToNearestOnTheInputsItWasCalibratedOn) {
  hf::FakeCheckpoint(hf::fake_config("mistral")).write(directory_);
  MatrixCell awq = rtn("int3");
  awq.method = &ptq_method("awq");
  for (const PassResult& result : run(directory_, {cell_of(gptq("int3"), 1), cell_of(awq, 1)})) {
    for (const MatrixReport& matrix : result.matrices) {
      EXPECT_LE(matrix.error, matrix.rtn_error) << matrix.matrix;
      EXPECT_FALSE(matrix.flagged);
    }
  }
}

// The layers passed to `solved` are those that were measured, and solving without evaluation gives
// the same.
TEST_F(CheckpointPass, AWrittenCellIsACheckpointWithItsLosses) {
  hf::FakeCheckpoint(hf::fake_config("llama")).write(directory_ / "source", 2);
  MatrixCell rotated = gptq("int4");
  rotated.rotated = true;
  const std::vector<PtqCell> cells{cell_of(rtn("int4", 8)), cell_of(rotated, 1)};
  const auto target = [&](size_t cell) { return directory_ / std::to_string(cell); };
  std::vector<std::unique_ptr<CellWriter>> writers;
  for (size_t i = 0; i < cells.size(); ++i)
    writers.push_back(std::make_unique<CellWriter>(directory_ / "source", target(i), "F32"));
  const std::vector<PassResult> results =
      run(directory_ / "source", cells, 2, 0,
          [&](size_t cell, const hf::Layer& rounded) { writers[cell]->add(rounded); });
  for (size_t i = 0; i < cells.size(); ++i) {
    writers[i]->commit();
    const PassResult itself = run(target(i), {none()})[0];
    for (size_t t = 0; t < itself.tokens.size(); ++t) {
      EXPECT_TRUE(same_bits(itself.tokens[t].baseline_loss, results[i].tokens[t].loss));
    }
  }
  EXPECT_EQ(hf::open_weight_files(target(0)).size(), 2u);

  CellWriter alone(directory_ / "source", target(2), "F32");
  const hf::Architecture a = hf::read_architecture(directory_ / "source");
  const std::vector<int32_t> calibration = windows(5, 1);
  ThreadPool pool(2);
  run_checkpoint_pass({a, hf::Weights(directory_ / "source", a), kT, {{1, {calibration}}}, {}},
                      std::span(cells).subspan(1), pool,
                      {.solved = [&](size_t, const hf::Layer& rounded) { alone.add(rounded); }});
  alone.commit();
  for (const hf::WeightFile& file : hf::open_weight_files(target(1))) {
    EXPECT_EQ(read_file(target(1) / file.name), read_file(target(2) / file.name)) << file.name;
  }
}

TEST_F(CheckpointPass, WhatCannotBeWrittenIsSaidAtTheEndAndLeavesNothing) {
  hf::FakeCheckpoint(hf::fake_config("llama")).write(directory_ / "source");
  CellWriter writer(directory_ / "source", directory_ / "target", "F32");
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
    if (entry.path().filename() != "source") fs::remove_all(entry.path());
  }
  run(directory_ / "source", {cell_of(rtn("int4"))}, 1, 0,
      [&](size_t, const hf::Layer& rounded) { writer.add(rounded); });
  EXPECT_THROW(writer.commit(), Error);
  EXPECT_FALSE(fs::exists(directory_ / "target"));
}

TEST_F(CheckpointPass, WhatIsNotFiniteOrNotInTheVocabularyIsAnError) {
  hf::FakeCheckpoint(hf::fake_config("llama")).write(directory_);
  const hf::Architecture a = hf::read_architecture(directory_);
  const hf::Weights weights(directory_, a);
  ThreadPool pool(1);
  std::vector<int32_t> text = windows(2, 1);
  text.back() = 61;  // a target, which no layer sees
  const std::vector<PtqCell> cells{none()};
  EXPECT_THROW(run_checkpoint_pass({a, weights, kT, {}, {text}}, cells, pool, {}), Error);

  hf::FakeCheckpoint huge(hf::fake_config("llama"));
  std::vector<float> values(32 * 61, 3e38f);
  huge.tensors.at("lm_head.weight")
      .bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  huge.write(directory_);
  EXPECT_THROW(run(directory_, {cell_of(rtn("int4"))}), Error);
}

}  // namespace
}  // namespace bitlaw
