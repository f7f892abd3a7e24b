// Recipes that rotate both operands of a product, and that trust only some gradients.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/random.h"
#include "model/activations.h"
#include "model/model.h"
#include "ops/backend.h"
#include "ops/rotate.h"
#include "tensor/same_bits_for_tests.h"

namespace bitlaw {
namespace {

// Widths of rotations: 16 (48 inputs, heads of 16), and 32 of the hidden layer.
ModelConfig shape(bool extra_norm) {
  ModelConfig config{.width = 48,
                     .layers = 2,
                     .heads = 3,
                     .kv_heads = 1,
                     .hidden = 96,
                     .vocabulary = 40,
                     .sequence = 11};
  config.extra_norm = extra_norm;
  return config.resolved();
}

Recipe recipe_of(const std::string& projections, const std::string& heads) {
  return make_recipe({.weights = projections,
                      .activations = projections,
                      .kv = heads,
                      .queries = "kv",
                      .activations_granularity = "token",
                      .kv_granularity = "token"});
}

struct Bench {
  Context context;
  Model model;
  Parameters parameters;
  ActivationsPtr activations;
  Tensor losses;
  std::vector<uint16_t> tokens;

  Bench(const Recipe& recipe, const Backend* backend, bool extra_norm = true,
        DType dtype = DType::kF32)
      : model(shape(extra_norm), recipe), parameters(model.make_parameters(dtype)) {
    context.backend = backend;
    if (dtype == DType::kF64) context.gradient_dtype = DType::kF32;
    model.initialize(parameters, 7);
    activations = make_activations(model, true, context.gradient_dtype, dtype);
    losses = Tensor::zeros(dtype, {model.config().sequence});
    model.prepare(context, parameters, true);
    for (uint64_t t = 0; t <= static_cast<uint64_t>(model.config().sequence); ++t)
      tokens.push_back(static_cast<uint16_t>(random_below(3, 0, t, 40)));
  }
  std::span<const uint16_t> inputs() const {
    return std::span<const uint16_t>(tokens).first(tokens.size() - 1);
  }
  std::span<const uint16_t> targets() const { return std::span<const uint16_t>(tokens).subspan(1); }
  void forward() { model.forward(context, parameters, inputs(), targets(), *activations, losses); }
  // Of the rounded weights.
  Parameters backward() {
    Parameters gradients = model.make_parameters(parameters.flat.dtype());
    model.backward(context, parameters, inputs(), targets(), 1, *activations, losses, gradients);
    return gradients;
  }
};

// Without rounding nothing changes: neither the losses nor, once they are rotated back, the
// gradients. In double, the rotations add some twenty roundings to each number, which the layers
// pass on a few hundred times.
TEST(Rotated, WithoutRoundingNothingChanges) {
  for (const bool extra_norm : {false, true}) {
    Bench plain(recipe_of("32", "32"), &kReferenceBackend, extra_norm, DType::kF64);
    Bench rotated(recipe_of("32+hadamard", "32+hadamard"), &kReferenceBackend, extra_norm,
                  DType::kF64);
    plain.forward();
    rotated.forward();
    for (int64_t t = 0; t < plain.losses.elements(); ++t)
      EXPECT_NEAR(rotated.losses.at(t), plain.losses.at(t), 1e4 * 0x1p-52);
    const Parameters expected = plain.backward();
    Parameters got = rotated.backward();
    rotated.model.finish_gradients(rotated.context, got);
    for (size_t p = 0; p < got.tensors.size(); ++p) {
      double largest = 0;
      for (int64_t i = 0; i < got.tensors[p].elements(); ++i)
        largest = std::max(largest, std::fabs(expected.tensors[p].at(i)));
      ASSERT_GT(largest, 0);
      for (int64_t i = 0; i < got.tensors[p].elements(); ++i) {
        ASSERT_NEAR(got.tensors[p].at(i), expected.tensors[p].at(i), 1e4 * 0x1p-52 * largest)
            << rotated.model.infos()[p].name << " " << i;
      }
    }
  }
}

// A matrix as products see it: rotated, then rounded.
Operand rounded_after_rotation(Context& context, const Rounding& rounding, const Tensor& x,
                               int64_t width) {
  Tensor rotated = Tensor::empty(DType::kF32, x.shape());
  rotate(context, width, x, rotated);
  Operand out = make_operand(rounding, x.extent(0), x.extent(1));
  quantize(context, rounding, rotated, out);
  return out;
}

void expect_same(const Operand& a, const Operand& b, const char* what) {
  EXPECT_TRUE(same_bits(a.codes, b.codes)) << what;
  ASSERT_EQ(a.scales.defined(), b.scales.defined()) << what;
  if (a.scales.defined()) {
    EXPECT_TRUE(same_bits(a.scales, b.scales)) << what;
  }
  ASSERT_EQ(a.trusted.defined(), b.trusted.defined()) << what;
  if (a.trusted.defined()) {
    EXPECT_TRUE(same_bits(a.trusted, b.trusted)) << what;
  }
}

TEST(Rotated, WeightsAndInputsAreRotatedThenRounded) {
  for (const Backend* backend : {&kReferenceBackend, &kCpuBackend}) {
    for (const std::string role : {"4+hadamard", "4+gauss+hadamard+trust", "e2m1+hadamard8"}) {
      Bench bench(recipe_of(role, "16"), backend);
      const ModelConfig& config = bench.model.config();
      const int64_t d = config.width, F = config.hidden;
      const int64_t wide = role.ends_with('8') ? 8 : 32, narrow = role.ends_with('8') ? 8 : 16;
      for (int64_t l = 0; l < config.layers; ++l) {
        for (int p = 0; p < kProjections; ++p) {
          const Tensor& master =
              bench.parameters.tensors[bench.model.parameter_index(l, Projection(p))];
          expect_same(bench.model.weight(l, Projection(p)).operand,
                      rounded_after_rotation(bench.context, weights_rounding(bench.model.recipe()),
                                             master, master.extent(1) == F ? wide : narrow),
                      "weight");
        }
      }
      // What a tap sees is not rotated: the inputs of the last layer stay in memory.
      std::vector<Tensor> inputs(kProjections);
      const ActivationsPtr one = make_activations(bench.model, true);
      bench.model.forward_tapped(bench.context, bench.parameters, bench.inputs(), bench.targets(),
                                 *one, bench.losses,
                                 [&](int64_t, Projection projection, const Tensor& input) {
                                   Tensor copy = Tensor::empty(DType::kF32, input.shape());
                                   copy.copy_from(input);
                                   inputs[static_cast<size_t>(projection)] = copy;
                                 });
      const LayerActivations& last = one->layers.back();
      const Operand* const rounded[] = {&last.attention_input, &last.output_input, &last.ffn_input,
                                        &last.down_input};
      for (int p = 0; p < kProjections; ++p) {
        const Tensor& input = inputs[static_cast<size_t>(p)];
        ASSERT_EQ(input.extent(1), Projection(p) == Projection::kDown ? F : d);
        expect_same(
            *rounded[p],
            rounded_after_rotation(bench.context, inputs_rounding(bench.model.recipe(), true),
                                   input, input.extent(1) == F ? wide : narrow),
            "input");
      }
    }
  }
}

// The gradient of a weight is that of the rounded one, where it is trusted, rotated back.
TEST(Rotated, GradientsOfWeightsAreRotatedBack) {
  for (const Backend* backend : {&kReferenceBackend, &kCpuBackend}) {
    for (const std::string role : {"4+hadamard", "3+gauss+hadamard+trust", "2+gauss+trust"}) {
      Bench bench(recipe_of(role, "16"), backend);
      bench.forward();
      const Parameters of_rounded = bench.backward();
      Parameters finished = bench.backward();
      bench.model.finish_gradients(bench.context, finished);
      int64_t untrusted = 0;
      for (size_t p = 0; p < finished.tensors.size(); ++p) {
        const ParameterInfo& info = bench.model.infos()[p];
        const Tensor expected = Tensor::empty(DType::kF32, info.shape);
        expected.copy_from(of_rounded.tensors[p]);
        if (info.quantized) {
          const auto l = info.name.find("layers.0.") != std::string::npos ? 0 : 1;
          for (int q = 0; q < kProjections; ++q) {
            if (bench.model.parameter_index(l, Projection(q)) != static_cast<int>(p)) continue;
            const Tensor& trusted = bench.model.weight(l, Projection(q)).operand.trusted;
            ASSERT_EQ(trusted.defined(), role.ends_with("trust"));
            for (int64_t i = 0; trusted.defined() && i < expected.elements(); ++i) {
              expected.set(i, expected.at(i) * trusted.at(i));
              untrusted += trusted.at(i) == 0 ? 1 : 0;
            }
          }
          Tensor rotated = expected;
          const int64_t width = role.find("hadamard") == std::string::npos ? 1
                                : info.shape[1] == 96                      ? 32
                                                                           : 16;
          if (width > 1) rotate(bench.context, width, expected, rotated);
        }
        EXPECT_TRUE(same_bits(finished.tensors[p], expected)) << info.name;
      }
      EXPECT_EQ(untrusted > 0, role.ends_with("trust")) << role;
    }
  }
}

// The backward pass is linear in what is trusted at one place: gradients of entries that a mask
// keeps and of those that it leaves out add up to all of them, and nothing trusted is no gradient.
TEST(Trusted, GradientsOfInputsComeFromTrustedEntriesAlone) {
  Bench bench(recipe_of("3+gauss+hadamard+trust", "16"), &kReferenceBackend);
  bench.forward();
  LayerActivations& first = bench.activations->layers.front();
  // Norm weights whose only way to the loss is through this input.
  struct Place {
    Tensor trusted;
    int norm;
  };
  const LayerIndex& index = bench.model.layer(0);
  const Place places[] = {{first.attention_input.trusted, index.attention_norm},
                          {first.output_input.trusted, index.output_norm},
                          {first.ffn_input.trusted, index.ffn_norm},
                          {first.down_input.trusted, index.down_norm}};
  for (const Place& place : places) {
    ASSERT_TRUE(place.trusted.defined());
    const Tensor saved = Tensor::empty(DType::kBF16, place.trusted.shape());
    saved.copy_from(place.trusted);
    const auto gradient = [&](const std::function<bool(int64_t)>& kept) {
      for (int64_t i = 0; i < saved.elements(); ++i) place.trusted.set(i, kept(i) ? 1 : 0);
      const Tensor out = bench.backward().tensors[static_cast<size_t>(place.norm)];
      place.trusted.copy_from(saved);
      return out;
    };
    const Tensor all = gradient([](int64_t) { return true; });
    const Tensor none = gradient([](int64_t) { return false; });
    const Tensor some = gradient([](int64_t i) { return i % 3 == 0; });
    const Tensor rest = gradient([](int64_t i) { return i % 3 != 0; });
    const Tensor own = gradient([&](int64_t i) { return saved.at(i) == 1; });
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < all.elements(); ++i) {
      EXPECT_EQ(none.at(i), 0);
      largest = std::max({largest, std::fabs(some.at(i)), std::fabs(rest.at(i))});
      difference = std::max(difference, std::fabs(own.at(i) - all.at(i)));
    }
    EXPECT_GT(largest, 0);
    EXPECT_GT(difference, 0) << "3 bits cut something off";
    // Sums of T terms, each rounded by the rotation's five sweeps and the norm's backward pass.
    for (int64_t i = 0; i < all.elements(); ++i)
      EXPECT_NEAR(some.at(i) + rest.at(i), all.at(i), 64 * 11 * 0x1p-24 * largest);
  }
}

// With the range of the largest magnitude nothing is cut off, and everything is trusted.
TEST(Trusted, ChangesNothingWhereNothingIsCutOff) {
  for (const Backend* backend : {&kReferenceBackend, &kCpuBackend}) {
    Bench plain(recipe_of("4+hadamard", "16"), backend),
        trusted(recipe_of("4+hadamard+trust", "16"), backend);
    plain.forward();
    trusted.forward();
    EXPECT_TRUE(same_bits(trusted.losses, plain.losses));
    Parameters expected = plain.backward(), got = trusted.backward();
    plain.model.finish_gradients(plain.context, expected);
    trusted.model.finish_gradients(trusted.context, got);
    for (size_t p = 0; p < got.tensors.size(); ++p) {
      // A sum of nothing may be another zero.
      for (int64_t i = 0; i < got.tensors[p].elements(); ++i)
        ASSERT_EQ(got.tensors[p].at(i), expected.tensors[p].at(i));
    }
  }
}

// Queries and keys after RoPE, both rotated along the width of a head: scores, and so the losses,
// change by rounding only.
TEST(Rotated, QueriesAndKeysChangeTheLossByRoundingOnly) {
  for (const Backend* backend : {&kReferenceBackend, &kCpuBackend}) {
    Bench plain(recipe_of("32", "32"), backend), rotated(recipe_of("32", "32+hadamard"), backend);
    plain.forward();
    rotated.forward();
    EXPECT_FALSE(same_bits(rotated.activations->layers[0].keys.codes,
                           plain.activations->layers[0].keys.codes));
    EXPECT_TRUE(same_bits(rotated.activations->layers[0].values.codes,
                          plain.activations->layers[0].values.codes));
    // Some hundred roundings of 2^-24 of scores of size 10 at most.
    for (int64_t t = 0; t < plain.losses.elements(); ++t)
      EXPECT_NEAR(rotated.losses.at(t), plain.losses.at(t), 1000 * 0x1p-24);
  }
}

}  // namespace
}  // namespace bitlaw
