// Scales per batch: what the sequences of a batch round is one matrix, the sequences one below
// another, for any number of threads.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "base/parallel.h"
#include "base/random.h"
#include "model/activations.h"
#include "model/evaluate.h"
#include "ops/backend.h"
#include "tensor/same_bits_for_tests.h"

namespace bitlaw {
namespace {

ModelConfig shape() {
  ModelConfig config{
      .width = 48, .layers = 2, .heads = 4, .kv_heads = 2, .vocabulary = 90, .sequence = 20};
  config.extra_norm = true;
  return config.resolved();
}

Recipe four_bits(const std::string& shared, int64_t batch_sequences) {
  return make_recipe({.weights = "4",
                      .activations = "4",
                      .kv = "e2m1",
                      .queries = "5",
                      .activations_granularity = shared,
                      .kv_granularity = shared},
                     batch_sequences);
}

// Sequence `number` draws from ever more tokens, so that magnitudes differ.
std::vector<uint16_t> sequence(uint64_t number) {
  const ModelConfig config = shape();
  std::vector<uint16_t> tokens(static_cast<size_t>(config.sequence + 1));
  for (size_t t = 0; t < tokens.size(); ++t)
    tokens[t] = static_cast<uint16_t>(random_below(5, number, t, 2 + 15 * number));
  return tokens;
}

// A model, and the sequences of a batch with their activations.
struct Batch {
  Model model;
  Parameters parameters;
  ThreadPool pool;
  std::vector<Context> contexts;
  std::vector<std::vector<uint16_t>> texts;
  std::vector<ActivationsPtr> activations;
  std::vector<BatchMember> members;

  Batch(const Recipe& recipe, const std::vector<uint64_t>& sequences, int threads,
        const Backend* backend = &kCpuBackend)
      : model(shape(), recipe),
        parameters(model.make_parameters()),
        pool(threads),
        contexts(static_cast<size_t>(threads)) {
    for (Context& context : contexts) context.backend = backend;
    model.initialize(parameters, 7);
    model.prepare(contexts[0], parameters, true, &pool, &contexts);
    for (const uint64_t number : sequences) {
      texts.push_back(sequence(number));
      activations.push_back(make_activations(model, true));
    }
    for (size_t i = 0; i < texts.size(); ++i) {
      members.push_back(
          {std::span<const uint16_t>(texts[i]).first(texts[i].size() - 1), activations[i].get()});
    }
  }
  void forward(const Model::BatchTap& tap = nullptr) {
    model.forward_batch(parameters, members, pool, contexts, tap);
  }
  const Tensor& head_input(size_t member) const { return activations[member]->head_input.codes; }
};

// Codes and scales of one member's operand are those of rows `begin` .. of the whole batch's matrix.
void expect_rows_of(const QuantizedReference& whole, const Rounding& rounding, int64_t begin,
                    const Operand& operand) {
  const int64_t columns = operand.codes.extent(1);
  const bool codes = rounding.has_scales() || rounding.bf16_codes();
  for (int64_t i = 0; i < operand.codes.elements(); ++i) {
    const auto at = static_cast<size_t>(begin * columns + i);
    const float have = static_cast<float>(operand.codes.at(i));
    ASSERT_EQ(std::bit_cast<uint32_t>(have),
              std::bit_cast<uint32_t>(codes ? whole.codes[at] : whole.values[at]));
    if (operand.scales.defined()) {
      ASSERT_EQ(operand.scales.at(i / columns), whole.scales[at]);
    }
  }
}

void append(std::vector<float>& rows, const Tensor& x) {
  rows.insert(rows.end(), x.f32(), x.f32() + x.elements());
}

QuantizedReference whole_batch(const Format& format, const std::vector<float>& rows,
                               int64_t columns) {
  return quantize_reference(format, ScaleAxis::kTensor, 0, rows.data(),
                            static_cast<int64_t>(rows.size()) / columns, columns);
}

TEST(Batch, SharesTheScaleOfTheWholeMatrixBitForBit) {
  constexpr size_t kMembers = 3;
  const ModelConfig config = shape();
  const Recipe recipe = four_bits("batch", kMembers);
  for (const Backend* backend : {&kReferenceBackend, &kCpuBackend}) {
    for (const int threads : {1, 2, 3}) {
      SCOPED_TRACE(testing::Message() << backend->name << ", threads " << threads);
      Batch batch(recipe, {0, 2, 4}, threads, backend);
      // [member][layer * kProjections + projection]: the numbers before they are rounded.
      std::vector<std::vector<Tensor>> inputs(
          kMembers, std::vector<Tensor>(static_cast<size_t>(config.layers * kProjections)));
      batch.forward([&](int64_t member, int64_t layer, Projection projection, const Tensor& input,
                        const Rounding&) {
        Tensor copy = Tensor::empty(input.dtype(), input.shape());
        copy.copy_from(input);
        inputs[static_cast<size_t>(member)]
              [static_cast<size_t>(layer * kProjections + static_cast<int>(projection))] = copy;
      });
      const Rounding rounding = rounding_of(recipe.activations, Role::kActivations);
      for (int64_t layer = 0; layer < config.layers; ++layer) {
        for (int p = 0; p < kProjections; ++p) {
          const auto matrix = static_cast<size_t>(layer * kProjections + p);
          std::vector<float> rows;
          for (const auto& member : inputs) append(rows, member[matrix]);
          const QuantizedReference whole =
              whole_batch(recipe.activations.format, rows, inputs[0][matrix].extent(1));
          for (size_t member = 0; member < kMembers; ++member) {
            const LayerActivations& a =
                batch.activations[member]->layers[static_cast<size_t>(layer)];
            const Operand* operands[] = {&a.attention_input, &a.output_input, &a.ffn_input,
                                         &a.down_input};
            expect_rows_of(whole, rounding, static_cast<int64_t>(member) * config.sequence,
                           *operands[p]);
          }
        }
      }
      // Queries, keys and values of the last layer are still there.
      struct RoundedRole {
        Tensor Scratch::*unrounded;
        Operand LayerActivations::*rounded;
        Quantizer quantizer;
        Role role;
        int64_t heads;
      };
      for (const RoundedRole& role : {RoundedRole{&Scratch::q, &LayerActivations::queries,
                                                  recipe.queries, Role::kQueries, config.heads},
                                      RoundedRole{&Scratch::k, &LayerActivations::keys, recipe.keys,
                                                  Role::kKeys, config.kv_heads},
                                      RoundedRole{&Scratch::v, &LayerActivations::values,
                                                  recipe.values, Role::kValues, config.kv_heads}}) {
        std::vector<float> rows;
        for (const ActivationsPtr& a : batch.activations) append(rows, a->scratch.*role.unrounded);
        const QuantizedReference whole =
            whole_batch(role.quantizer.format, rows, config.head_dim());
        for (size_t member = 0; member < kMembers; ++member) {
          expect_rows_of(whole, rounding_of(role.quantizer, role.role, role.heads),
                         static_cast<int64_t>(member) * role.heads * config.sequence,
                         batch.activations[member]->layers.back().*role.rounded);
        }
      }
    }
  }
}

TEST(Batch, NeitherThreadsNorTheOrderOfItsSequencesMatter) {
  Batch one(four_bits("batch", 3), {0, 2, 4}, 1);
  one.forward();
  for (const int threads : {1, 2, 3}) {
    Batch other(four_bits("batch", 3), {4, 0, 2}, threads);
    other.forward();
    EXPECT_TRUE(same_bits(other.head_input(1), one.head_input(0))) << threads;
    EXPECT_TRUE(same_bits(other.head_input(2), one.head_input(1))) << threads;
    EXPECT_TRUE(same_bits(other.head_input(0), one.head_input(2))) << threads;
  }
}

TEST(Batch, OfOneSequenceOrOfEqualOnesIsPerSequence) {
  Batch alone(four_bits("sequence", 0), {3}, 1);
  alone.forward();
  Batch one(four_bits("batch", 1), {3}, 1), equal(four_bits("batch", 2), {3, 3}, 2);
  one.forward();
  equal.forward();
  EXPECT_TRUE(same_bits(one.head_input(0), alone.head_input(0)));
  EXPECT_TRUE(same_bits(equal.head_input(0), alone.head_input(0)));
  EXPECT_TRUE(same_bits(equal.head_input(1), alone.head_input(0)));
  Batch different(four_bits("batch", 2), {3, 5}, 2);
  different.forward();
  EXPECT_FALSE(same_bits(different.head_input(0), alone.head_input(0)));
}

// Without a scale per batch, going together changes nothing.
TEST(Batch, WithoutSharedScalesIsEachSequenceAlone) {
  for (const char* shared : {"sequence", "token", "channel", "group16"}) {
    Batch together(four_bits(shared, 0), {0, 2, 4}, 2);
    together.forward();
    Tensor losses = Tensor::empty(DType::kF32, {shape().sequence});
    for (size_t member = 0; member < 3; ++member) {
      const ActivationsPtr own = make_activations(together.model, true);
      const std::span<const uint16_t> text(together.texts[member]);
      together.model.forward(together.contexts[0], together.parameters, text.first(text.size() - 1),
                             text.subspan(1), *own, losses);
      EXPECT_TRUE(same_bits(together.head_input(member), own->head_input.codes)) << shared;
    }
  }
}

TEST(Batch, EvaluationTakesWindowsInBatchesOfTheirOrder) {
  constexpr int64_t kWindows = 5, kBatch = 2;
  Batch of(four_bits("batch", kBatch), {0, 1, 2, 3, 4}, 1);
  const std::vector<std::span<const uint16_t>> windows(of.texts.begin(), of.texts.end());
  const auto T = static_cast<size_t>(shape().sequence);
  ThreadPool single(1);
  const std::vector<float> all = per_token_losses(of.model, of.parameters, windows, single);
  ASSERT_EQ(all.size(), kWindows * T);
  for (size_t begin = 0; begin < kWindows; begin += kBatch) {
    const size_t count = std::min<size_t>(kBatch, kWindows - begin);
    const std::vector<float> part =
        per_token_losses(of.model, of.parameters, std::span(windows).subspan(begin, count), single);
    for (size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], all[begin * T + i]);
  }
  EXPECT_NE(per_token_losses(of.model, of.parameters, std::span(windows).first(1), single)[0],
            all[0]);
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads);
    EXPECT_EQ(per_token_losses(of.model, of.parameters, windows, pool), all);
    const Baseline baseline = evaluate_baseline(of.model, of.parameters, windows, pool);
    EXPECT_EQ(baseline.losses, all);
    const std::vector<TokenComparison> compared =
        compare_to_baseline(baseline, of.model, of.parameters, windows, pool);
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(compared[i].loss, all[i]);
      EXPECT_EQ(compared[i].kl, 0);
    }
  }
}

}  // namespace
}  // namespace bitlaw
