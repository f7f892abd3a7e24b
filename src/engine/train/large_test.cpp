// Large shapes: sequences of 1024, the largest vocabularies, tens of millions of parameters, and
// the memory of a step, measured in a separate process.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/random.h"
#include "train/memory.h"
#include "train/trainer.h"

namespace bitlaw {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Recipe four_bits() {
  return make_recipe({.weights = "4", .activations = "4", .kv = "4"});
}

// The same sequences at every step; the first token of each is the vocabulary's last.
SequenceSource repeated_tokens(int64_t V) {
  return [V](int64_t, int64_t index, std::span<uint16_t> tokens) {
    for (size_t t = 0; t < tokens.size(); ++t) {
      tokens[t] = static_cast<uint16_t>(
          random_below(1, static_cast<uint64_t>(index), t, static_cast<uint64_t>(V)));
    }
    tokens[0] = static_cast<uint16_t>(V - 1);
  };
}

// What `work` returns, from a fresh child process.
double in_a_process(const std::function<double()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return NAN;
  const pid_t child = ::fork();
  if (child == 0) {
    double result = NAN;
    try {
      result = work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(::write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  ::close(ends[1]);
  double result = NAN;
  if (::read(ends[0], &result, sizeof result) != sizeof result) result = NAN;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return result;
}

// Tokens are 16-bit numbers: 65536 is the largest vocabulary that there is.
TEST(LargeShapes, LongSequencesAndLargeVocabulariesTrain) {
  for (int64_t V : {32768, 65536}) {
    SCOPED_TRACE(V);
    const ModelConfig model{.width = 32,
                            .layers = 1,
                            .heads = 4,
                            .kv_heads = 2,
                            .hidden = 48,
                            .vocabulary = V,
                            .sequence = 1024};
    TrainerOptions options{
        .model = model.resolved(), .recipe = four_bits(), .batch_sequences = 2, .lanes = 2};
    Trainer one(options);
    options.threads = 2;
    Trainer two(options);
    std::vector<double> losses;
    for (int step = 0; step < 6; ++step) {
      const StepResult result = one.step(repeated_tokens(V), 2e-2);
      EXPECT_TRUE(result.updated);
      losses.push_back(result.loss_nats);
      EXPECT_EQ(two.step(repeated_tokens(V), 2e-2).loss_nats, result.loss_nats);
    }
    const Tensor &weights = one.parameters().flat, &same = two.parameters().flat;
    EXPECT_EQ(std::memcmp(weights.raw(), same.raw(), weights.bytes()), 0);
    // Logits start with a deviation of .02 sqrt(32) = .11: half its square above log V, and the
    // mean over 2048 targets within four of its deviations.
    EXPECT_NEAR(losses.front(), std::log(static_cast<double>(V)) + 0.0064, 4 * 0.11 / 45);
    EXPECT_LT(losses.back(), losses.front() - 1) << "what is seen at every step is learned";
  }
}

// d 512, 8 layers, T 512, V 8192: 34 M parameters with both tables, 4096 tokens a step.
TEST(LargeShapes, SlowThirtyMillionParametersTakeLessThanTwoGibibytes) {
  if (kSanitized) GTEST_SKIP() << "sanitizers keep memory of their own";
  const double peak_bytes = in_a_process([] {
    const ModelConfig model{
        .width = 512, .layers = 8, .heads = 8, .vocabulary = 8192, .sequence = 512};
    const TrainerOptions options{.model = model.resolved(),
                                 .recipe = four_bits(),
                                 .batch_sequences = 8,
                                 .lanes = 4,
                                 .threads = 2};
    Trainer trainer(options);
    for (int step = 0; step < 2; ++step) {
      if (!trainer.step(repeated_tokens(model.vocabulary), 1e-3).updated) return double{NAN};
    }
    return static_cast<double>(peak_memory_bytes());
  });
  EXPECT_LT(peak_bytes, 0x1p31);
  EXPECT_GT(peak_bytes, 7 * 4 * 34e6);  // weights, moments and four lanes are at least there
  RecordProperty("peak_mebibytes", static_cast<int>(peak_bytes / 0x1p20));
}

// All at once: 33 M parameters in the layers, T 1024, V 32768, four queries to a key.
TEST(LargeShapes, SlowLongSequencesGroupedQueriesAndThirtyMillionParametersTrain) {
  const double fallen = in_a_process([] {
    ModelConfig model{.width = 512,
                      .layers = 12,
                      .heads = 8,
                      .kv_heads = 2,
                      .vocabulary = 32768,
                      .sequence = 1024};
    model = model.resolved();
    if (model.parameters() < 30'000'000) return double{NAN};
    const TrainerOptions options{
        .model = model, .recipe = four_bits(), .batch_sequences = 1, .lanes = 1};
    Trainer trainer(options);
    const double first = trainer.step(repeated_tokens(model.vocabulary), 1e-3).loss_nats;
    return first - trainer.step(repeated_tokens(model.vocabulary), 1e-3).loss_nats;
  });
  EXPECT_GT(fallen, 0.1);
}

}  // namespace
}  // namespace bitlaw
