#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/stop.h"
#include "tensor/same_bits_for_tests.h"
#include "train/synthetic_text.h"

namespace bitlaw {
namespace {

constexpr int64_t kSequence = 32;

ModelConfig small_model() {
  ModelConfig config;
  config.width = 32;
  config.layers = 2;
  config.heads = 2;
  config.sequence = kSequence;
  config.vocabulary = kSyntheticVocabulary;
  return config.resolved();
}

Recipe recipe_of(const char* bits) {
  RecipeConfig config;
  config.weights = config.activations = config.kv = bits;
  return make_recipe(config);
}

TrainerOptions small_options(const char* bits = "16") {
  return {.model = small_model(), .recipe = recipe_of(bits), .batch_sequences = 6, .lanes = 4};
}

SequenceSource text_source() {
  static const std::vector<Token> text = synthetic_text(20'000, kSyntheticVocabulary, 1);
  return [](int64_t step, int64_t index, std::span<uint16_t> tokens) {
    const uint64_t begin = random_below(3, static_cast<uint64_t>(index),
                                        static_cast<uint64_t>(step), text.size() - kSequence - 1);
    std::copy_n(text.begin() + static_cast<int64_t>(begin), tokens.size(), tokens.begin());
  };
}

TEST(Trainer, TheSameBitsForAnyNumberOfThreads) {
  for (const char* bits : {"16", "4"}) {
    TrainerOptions options = small_options(bits);
    options.threads = 1;
    Trainer one(options);
    std::vector<StepResult> results;
    for (int step = 0; step < 4; ++step) results.push_back(one.step(text_source(), 1e-2));
    for (int threads : {2, 4}) {
      options.threads = threads;
      Trainer many(options);
      for (int step = 0; step < 4; ++step) {
        const StepResult result = many.step(text_source(), 1e-2);
        EXPECT_EQ(result.loss_nats, results[static_cast<size_t>(step)].loss_nats);
        EXPECT_EQ(result.gradient_norm, results[static_cast<size_t>(step)].gradient_norm);
      }
      EXPECT_TRUE(same_bits(one.parameters().flat, many.parameters().flat))
          << bits << " bits, " << threads;
      EXPECT_TRUE(same_bits(one.first_moment(), many.first_moment()));
      EXPECT_TRUE(same_bits(one.second_moment(), many.second_moment()));
    }
  }
}

// The gradient of a step on one thread: lane after lane, sequence after sequence, as trainer.h
// says.
std::vector<float> mean_gradient(Trainer& trainer, int64_t step) {
  const TrainerOptions& options = trainer.options();
  const Model& model = trainer.model();
  const FlushSubnormals flush;
  Context context;
  const ActivationsPtr activations = make_activations(model, true);
  Tensor losses = Tensor::empty(DType::kF32, {kSequence});
  std::vector<uint16_t> tokens(kSequence + 1);
  const double scale = 1.0 / static_cast<double>(options.batch_sequences * kSequence);
  std::vector<float> sum;
  for (int64_t lane = 0; lane < options.lanes; ++lane) {
    Parameters gradient = model.make_parameters();
    for (int64_t i = 0; i < options.batch_sequences; ++i) {
      if (i * options.lanes / options.batch_sequences != lane) continue;
      text_source()(step, i, tokens);
      model.forward_backward(context, trainer.parameters(), std::span(tokens).first(kSequence),
                             std::span(tokens).subspan(1), scale, *activations, losses, gradient);
    }
    sum.resize(static_cast<size_t>(gradient.flat.elements()));
    for (size_t e = 0; e < sum.size(); ++e) sum[e] += gradient.flat.f32()[e];
  }
  return sum;
}

TEST(Trainer, AStepIsTheMeanGradientClippedThenAdamWByPlainLoops) {
  TrainerOptions options = small_options();
  options.threads = 2;
  options.optimizer.clip = 0.05;  // well below the norms here, so that clipping counts
  const double rate = 1e-3;
  Trainer trainer(options);
  const OptimizerConfig& config = options.optimizer;
  const auto elements = static_cast<size_t>(trainer.parameters().flat.elements());
  std::vector<double> m(elements), v(elements);
  std::vector<bool> decayed(elements), used(elements);
  for (const ParameterInfo& info : trainer.model().infos()) {
    for (int64_t e = info.offset; e < info.offset + info.shape.elements(); ++e) {
      decayed[static_cast<size_t>(e)] = info.decayed;
      used[static_cast<size_t>(e)] = true;
    }
  }
  for (int step = 0; step < 3; ++step) {
    std::vector<float> before(trainer.parameters().flat.f32(),
                              trainer.parameters().flat.f32() + elements);
    trainer.prepare(true);
    const std::vector<float> gradient = mean_gradient(trainer, step);
    double norm = 0;
    for (double g : gradient) norm += g * g;
    norm = std::sqrt(norm);
    ASSERT_GT(norm, config.clip);

    const StepResult result = trainer.step(text_source(), rate);
    EXPECT_NEAR(result.gradient_norm, norm, static_cast<double>(elements) * 0x1p-53 * norm);
    const double t = step + 1;
    for (size_t e = 0; e < elements; ++e) {
      const float after = trainer.parameters().flat.f32()[e];
      if (!used[e]) {
        ASSERT_EQ(after, 0) << "gaps between tensors stay zero";
        continue;
      }
      const double g = gradient[e] * config.clip / norm;
      m[e] = config.beta1 * m[e] + (1 - config.beta1) * g;
      v[e] = config.beta2 * v[e] + (1 - config.beta2) * g * g;
      const double direction = m[e] / (1 - std::pow(config.beta1, t)) /
                               (std::sqrt(v[e] / (1 - std::pow(config.beta2, t))) + config.epsilon);
      const double decay = decayed[e] ? config.weight_decay * before[e] : 0;
      const double expected = before[e] - rate * (direction + decay);
      // In three steps |direction| and the terms it is made of stay below 3, and it takes fewer
      // than 20 roundings of 2^-24; the weight itself is rounded twice (decay and update).
      ASSERT_NEAR(after, expected, (std::abs(expected) * 2 + rate * 60) * 0x1p-24)
          << "element " << e << " step " << step;
    }
  }
}

// What lanes hold are the gradients of the rounded weights; their sum is finished once.
TEST(Trainer, AStepFinishesTheGradientsOfRotatedAndTrustedWeights) {
  TrainerOptions options = small_options();
  options.recipe = make_recipe({.weights = "3+gauss+hadamard+trust",
                                .activations = "3+gauss+hadamard+trust",
                                .activations_granularity = "token"});
  options.threads = 2;
  Trainer trainer(options);
  for (int step = 0; step < 2; ++step) {
    trainer.prepare(true);
    const std::vector<float> raw = mean_gradient(trainer, step);
    Parameters finished = trainer.model().make_parameters();
    std::copy(raw.begin(), raw.end(), finished.flat.f32());
    Context context;
    trainer.model().finish_gradients(context, finished);
    double norm = 0, raw_norm = 0;
    for (size_t e = 0; e < raw.size(); ++e) {
      norm += double{finished.flat.f32()[e]} * finished.flat.f32()[e];
      raw_norm += double{raw[e]} * raw[e];
    }
    norm = std::sqrt(norm);
    EXPECT_LT(norm, std::sqrt(raw_norm)) << "some are not trusted, and a rotation keeps lengths";
    const StepResult result = trainer.step(text_source(), 1e-3);
    EXPECT_NEAR(result.gradient_norm, norm, static_cast<double>(raw.size()) * 0x1p-53 * norm);
  }
}

TEST(Trainer, LossFallsToTheEntropyOfTheText) {
  for (const char* bits : {"16", "6"}) {
    Trainer trainer(small_options(bits));
    const double first = trainer.step(text_source(), 1e-2).loss_nats;
    EXPECT_NEAR(first, std::log(kSyntheticVocabulary), 0.5);
    double last = 0;
    for (int step = 0; step < 150; ++step) last = trainer.step(text_source(), 1e-2).loss_nats;
    EXPECT_LT(last, 2.0) << bits << " bits; the chain has ln 4 = 1.386 nats";
    EXPECT_GT(last, 1.2);
  }
}

TEST(Trainer, ANonFiniteLossLeavesWeightsAndMomentsAlone) {
  Trainer trainer(small_options());
  trainer.step(text_source(), 1e-2);
  trainer.parameters().flat.f32()[0] = std::numeric_limits<float>::infinity();
  std::fill_n(trainer.parameters().tensors[static_cast<size_t>(trainer.model().head())].f32(), 64,
              std::numeric_limits<float>::infinity());
  std::vector<float> before(trainer.parameters().flat.f32() + 1,
                            trainer.parameters().flat.f32() + trainer.parameters().flat.elements());
  const StepResult result = trainer.step(text_source(), 1e-2);
  EXPECT_FALSE(result.updated);
  EXPECT_EQ(trainer.steps_done(), 1);
  EXPECT_EQ(std::memcmp(before.data(), trainer.parameters().flat.f32() + 1,
                        before.size() * sizeof(float)),
            0);
}

// What the ops say they compute is what a step is said to cost.
TEST(Trainer, AProfileCountsTheArithmeticOfAStep) {
  TrainerOptions options = small_options();
  Profile profile;
  options.profile = &profile;
  Trainer trainer(options);
  trainer.step(text_source(), 1e-3);
  double flops = 0;
  for (const Profile::Entry& entry : profile.entries()) {
    EXPECT_GT(entry.bytes, 0) << entry.op;
    flops += entry.flops;
  }
  const double expected = options.model.training_flops_per_token() *
                          static_cast<double>(options.batch_sequences * kSequence);
  EXPECT_NEAR(flops, expected, 1e-9 * expected);
}

// An error while a sequence is read ends the step and reaches the caller, whatever the other
// threads are at.
TEST(Trainer, AnErrorInASequenceEndsTheStep) {
  for (int threads : {1, 2, 4}) {
    for (int64_t bad = 0; bad < 4; ++bad) {
      TrainerOptions options = small_options();
      options.threads = threads;
      Trainer trainer(options);
      const SequenceSource text = text_source();
      const SequenceSource source = [&](int64_t step, int64_t index, std::span<uint16_t> tokens) {
        if (index == bad) throw Error("no text here");
        text(step, index, tokens);
      };
      EXPECT_THROW(trainer.step(source, 1e-3), Error) << threads << " threads, sequence " << bad;
      EXPECT_TRUE(trainer.step(text, 1e-3).updated);  // and the next step is a step again
    }
  }
}

// A stop that is requested inside a step leaves it out; done again, it gives the same bits.
TEST(Trainer, AStopEndsAStepInItsMiddle) {
  const SequenceSource text = text_source();
  for (const bool batch_scales : {false, true}) {
    TrainerOptions options = small_options("4");
    if (batch_scales) options.recipe.activations.granularity = Granularity::kBatch;
    for (const int threads : {1, 3}) {
      options.threads = threads;
      Trainer undisturbed(options), stopped(options);
      for (Trainer* each : {&undisturbed, &stopped}) each->step(text, 1e-2);
      for (const int64_t at : {0, 3, 5}) {
        EXPECT_THROW(stopped.step(
                         [&](int64_t step, int64_t index, std::span<uint16_t> tokens) {
                           if (index == at) request_stop();
                           text(step, index, tokens);
                         },
                         1e-2),
                     Stopped);
        EXPECT_EQ(stopped.steps_done(), undisturbed.steps_done());
        EXPECT_TRUE(same_bits(stopped.parameters().flat, undisturbed.parameters().flat));
        clear_stop_request();
        for (Trainer* each : {&undisturbed, &stopped}) each->step(text, 1e-2);
        EXPECT_TRUE(same_bits(stopped.parameters().flat, undisturbed.parameters().flat));
        EXPECT_TRUE(same_bits(stopped.second_moment(), undisturbed.second_moment()));
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
