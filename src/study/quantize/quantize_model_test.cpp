#include "quantize/quantize_model.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "model/evaluate.h"

namespace bitlaw {
namespace {

struct Tiny {
  ModelConfig config;
  Recipe recipe;
  Context like;
  Model model;
  Parameters parameters;
  std::vector<std::vector<uint16_t>> texts;

  explicit Tiny(const Recipe& recipe = {}, const ModelConfig& config = shape(), uint64_t seed = 3)
      : config(config), recipe(recipe), model(config, recipe) {
    parameters = model.make_parameters();
    model.initialize(parameters, seed);
    for (int w = 0; w < 5; ++w) {
      auto& text = texts.emplace_back(static_cast<size_t>(config.sequence + 1));
      for (size_t i = 0; i < text.size(); ++i) {
        text[i] = static_cast<uint16_t>(random_below(4, static_cast<uint64_t>(w), i, 50));
      }
    }
    Context context = like;
    model.prepare(context, parameters, false);
  }

  static ModelConfig shape() {
    ModelConfig config;
    config.width = 48;
    config.layers = 2;
    config.heads = 3;
    config.hidden = 144;
    config.vocabulary = 50;
    config.sequence = 24;
    return config.resolved();
  }
  std::vector<std::span<const uint16_t>> windows() const { return {texts.begin(), texts.end()}; }
  Calibration calibration(ThreadPool& pool) const {
    return calibrate(model, parameters, windows(), pool, like);
  }
};

TEST(Calibrate, SumsTheProductsOfTheInputsAsTheProductsSeeThem) {
  ThreadPool pool(2);
  Recipe low;
  low.activations = parse_quantizer("int4/sequence");
  Recipe unrounded;
  unrounded.activations = parse_quantizer("fp32");
  for (const Recipe& recipe : {Recipe(), low, unrounded}) {
    const Tiny tiny(recipe);
    const Calibration calibration = tiny.calibration(pool);
    ASSERT_EQ(calibration.inputs.size(), 8u);
    EXPECT_EQ(calibration.tokens, 5 * tiny.config.sequence);

    // The same from the definition: every input, rounded by the scalar functions, one product at a
    // time.
    std::vector<linalg::Matrix> sums(8), magnitudes(8);
    std::vector<std::vector<double>> absolute(8);
    Context context = tiny.like;
    const ActivationsPtr activations = make_activations(tiny.model, false);
    Tensor losses = Tensor::empty(DType::kF32, {tiny.config.sequence});
    for (const auto window : tiny.windows()) {
      tiny.model.forward_tapped(
          context, tiny.parameters, window.first(window.size() - 1), window.subspan(1),
          *activations, losses, [&](int64_t layer, Projection projection, const Tensor& input) {
            const auto matrix =
                static_cast<size_t>(layer * kProjections + static_cast<int>(projection));
            const int64_t rows = input.extent(0), columns = input.extent(1);
            const QuantizedReference rounded = quantize_reference(
                recipe.activations.format, ScaleAxis::kTensor, 0, input.f32(), rows, columns);
            if (sums[matrix].rows() == 0) {
              sums[matrix] = magnitudes[matrix] = linalg::Matrix(columns, columns);
              absolute[matrix].resize(static_cast<size_t>(columns));
            }
            for (int64_t t = 0; t < rows; ++t) {
              const float* x = &rounded.values[static_cast<size_t>(t * columns)];
              for (int64_t i = 0; i < columns; ++i) {
                absolute[matrix][static_cast<size_t>(i)] += std::fabs(x[i]);
                for (int64_t j = 0; j < columns; ++j) {
                  const double product = static_cast<double>(x[i]) * x[j];
                  sums[matrix](i, j) += product;
                  magnitudes[matrix](i, j) += std::fabs(product);
                }
              }
            }
          });
    }
    const double n = static_cast<double>(calibration.tokens);
    for (size_t matrix = 0; matrix < 8; ++matrix) {
      const InputStatistics& input = calibration.inputs[matrix];
      ASSERT_EQ(input.tokens, calibration.tokens);
      for (int64_t i = 0; i < input.columns(); ++i) {
        // A double divided and rounded to float; both sums run in the order of the tokens.
        EXPECT_EQ(input.mean_magnitude[static_cast<size_t>(i)],
                  static_cast<float>(absolute[matrix][static_cast<size_t>(i)] / n));
        for (int64_t j = 0; j < input.columns(); ++j) {
          const double bound = 2 * (n + 2) * 0x1p-53 * (2 / n * magnitudes[matrix](i, j));
          ASSERT_LE(std::fabs(input.hessian(i, j) - 2 / n * sums[matrix](i, j)), bound);
          ASSERT_EQ(input.hessian(i, j), input.hessian(j, i));
        }
      }
    }
  }
}

TEST(Calibrate, ThreadsDoNotChangeABit) {
  const Tiny tiny;
  ThreadPool one(1), three(3);
  const Calibration a = tiny.calibration(one), b = tiny.calibration(three);
  for (size_t matrix = 0; matrix < a.inputs.size(); ++matrix) {
    EXPECT_EQ(a.inputs[matrix].hessian, b.inputs[matrix].hessian);
    EXPECT_EQ(a.inputs[matrix].mean_magnitude, b.inputs[matrix].mean_magnitude);
  }
}

MatrixCell cell_of(const char* method, const char* scheme, int group = 0) {
  const MatrixCell options = parse_method(method);
  MatrixCell cell = options;
  cell.scheme = parse_weight_scheme(scheme, group);
  cell.scheme.asymmetric = options.scheme.asymmetric;
  cell.scheme.clip = options.scheme.clip;
  cell.scheme.gauss = options.scheme.gauss;
  return cell;
}

// A quantizer and the model it puts its weights into.
struct Quantizing {
  Tiny& tiny;
  ModelQuantizer quantizer;
  Context context;

  Quantizing(Tiny& tiny, Calibration calibration, ThreadPool& pool)
      : tiny(tiny), quantizer(tiny.model, tiny.parameters, pool), context(tiny.like) {
    quantizer.use_calibration(std::move(calibration));
  }
  std::vector<MatrixReport> apply(const MatrixCell& cell) {
    QuantizedModel quantized = quantizer.quantize(cell);
    replace_weights(context, tiny.model, quantized);
    return std::move(quantized.reports);
  }
};

TEST(Calibrate, ABatchThatSharesScalesIsAsLargeAsInTraining) {
  const auto recipe = [](const char* shared, int64_t sequences) {
    Recipe out;
    out.activations = parse_quantizer(std::string("int4/") + shared);
    out.batch_sequences = sequences;
    return out;
  };
  const auto statistics = [](const Recipe& of, int threads) {
    ThreadPool pool(threads);
    std::vector<float> out;
    for (const InputStatistics& input : Tiny(of).calibration(pool).inputs)
      out.insert(out.end(), input.mean_magnitude.begin(), input.mean_magnitude.end());
    return out;
  };
  const std::vector<float> alone = statistics(recipe("sequence", 0), 2);
  EXPECT_EQ(statistics(recipe("batch", 1), 2), alone);
  const std::vector<float> pairs = statistics(recipe("batch", 2), 1);
  EXPECT_NE(pairs, alone);
  for (const int threads : {2, 3}) EXPECT_EQ(statistics(recipe("batch", 2), threads), pairs);
}

// What training with quantized weights computes, RTN afterwards computes too.
TEST(ModelQuantizer, RtnPerChannelIsTheRecipeWithRoundedWeights) {
  ThreadPool pool(2);
  for (const char* activations : {"bf16", "int8/sequence"}) {
    for (const char* format : {"int3", "int8", "e2m1"}) {
      Recipe base, rounded;
      base.activations = rounded.activations = parse_quantizer(activations);
      rounded.weights = parse_quantizer(std::string(format) + "/channel");
      Tiny tiny(base);
      const Tiny trained(rounded);
      Quantizing quantizing(tiny, tiny.calibration(pool), pool);
      quantizing.apply(cell_of("rtn", format));
      const std::vector<float> after =
          per_token_losses(tiny.model, tiny.parameters, tiny.windows(), pool, tiny.like);
      const std::vector<float> expected = per_token_losses(trained.model, trained.parameters,
                                                           trained.windows(), pool, trained.like);
      ASSERT_EQ(after.size(), expected.size());
      for (size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(std::bit_cast<uint32_t>(after[i]), std::bit_cast<uint32_t>(expected[i]));
      }
    }
  }
}

TEST(ModelQuantizer, ErrorsFallWithBitsAndCellsDoNotDependOnEachOther) {
  ThreadPool pool(2);
  Tiny tiny;
  Quantizing quantizing(tiny, tiny.calibration(pool), pool);
  std::vector<double> last;
  std::vector<float> three_bits;
  for (const int group : {0, 32}) {
    last.clear();
    for (int bits = 3; bits <= 6; ++bits) {
      const std::vector<MatrixReport> layers =
          quantizing.apply(cell_of("gptq", std::to_string(bits).c_str(), group));
      ASSERT_EQ(layers.size(), 8u);
      if (bits == 3 && group == 0) {
        three_bits = per_token_losses(tiny.model, tiny.parameters, tiny.windows(), pool, tiny.like);
      }
      for (size_t i = 0; i < layers.size(); ++i) {
        EXPECT_LT(layers[i].error, layers[i].rtn_error);
        EXPECT_FALSE(layers[i].flagged);
        EXPECT_EQ(layers[i].damping, 0.01);
        EXPECT_EQ(layers[i].dead_columns, 0);
        if (bits > 3) {
          EXPECT_LT(layers[i].error, last[i]);
        }
      }
      last.clear();
      for (const MatrixReport& layer : layers) last.push_back(layer.error);
    }
  }
  quantizing.apply(cell_of("gptq", "3"));
  EXPECT_EQ(per_token_losses(tiny.model, tiny.parameters, tiny.windows(), pool, tiny.like),
            three_bits);
}

// Rotations of the inputs change neither what is calibrated nor what a method's weights compute,
// but for rounding: inputs to FP32, and weights to 16 bits where their codes are of another basis.
TEST(ModelQuantizer, WorksInTheRotatedBasisOfARun) {
  ThreadPool pool(2);
  const auto recipe = [](const std::string& role) {
    return make_recipe({.weights = role, .activations = role, .kv = "32", .queries = "32"});
  };
  Tiny plain(recipe("32")), rotated(recipe("32+hadamard"));
  const Calibration expected = plain.calibration(pool);
  Calibration calibration = rotated.calibration(pool);
  for (size_t matrix = 0; matrix < expected.inputs.size(); ++matrix) {
    const linalg::Matrix &a = calibration.inputs[matrix].hessian,
                         &b = expected.inputs[matrix].hessian;
    double largest = 0;
    for (int64_t i = 0; i < b.rows(); ++i) largest = std::max(largest, b(i, i));
    // Entries are at most the largest of the diagonal. An input is off by two rotations of up to 16
    // entries, and by what the layers below did to it.
    for (int64_t i = 0; i < b.rows(); ++i) {
      for (int64_t j = 0; j < b.columns(); ++j) ASSERT_NEAR(a(i, j), b(i, j), 1e-4 * largest);
    }
  }
  Quantizing in_plain(plain, expected, pool), in_rotated(rotated, std::move(calibration), pool);
  for (const char* method : {"rtn", "rtn+hadamard", "rtn+gauss+hadamard", "awq"}) {
    in_plain.apply(cell_of(method, "int4"));
    in_rotated.apply(cell_of(method, "int4"));
    const std::vector<float> losses =
        per_token_losses(rotated.model, rotated.parameters, rotated.windows(), pool, rotated.like);
    const std::vector<float> of_plain =
        per_token_losses(plain.model, plain.parameters, plain.windows(), pool, plain.like);
    double sum = 0, difference = 0;
    for (size_t i = 0; i < losses.size(); ++i) {
      sum += of_plain[i];
      difference += std::fabs(losses[i] - of_plain[i]);
    }
    EXPECT_LT(difference, 1e-4 * sum) << method;
  }
}

// One token, repeated: every input of a layer is the same vector up to what attention makes of it.
TEST(ModelQuantizer, DegenerateCalibrationGivesFiniteWeights) {
  ThreadPool pool(2);
  Tiny tiny;
  for (auto& text : tiny.texts) std::fill(text.begin(), text.end(), uint16_t{7});
  Calibration calibration = tiny.calibration(pool);
  const int64_t width = tiny.config.width;  // a layer that saw nothing but zeros:
  calibration.inputs[2].hessian = linalg::Matrix(width, width);
  calibration.inputs[2].mean_magnitude.assign(static_cast<size_t>(width), 0.0f);
  Quantizing quantizing(tiny, std::move(calibration), pool);
  for (const char* method : {"gptq", "awq", "gptq+act-order+hadamard", "awq+asymmetric+clip"}) {
    const std::vector<MatrixReport> layers = quantizing.apply(cell_of(method, "int4"));
    EXPECT_EQ(layers[2].dead_columns, tiny.config.width) << method;
    EXPECT_EQ(layers[2].error, 0) << method;
    EXPECT_FALSE(layers[2].flagged) << method;
    for (const float loss :
         per_token_losses(tiny.model, tiny.parameters, tiny.windows(), pool, tiny.like)) {
      EXPECT_TRUE(std::isfinite(loss)) << method;
    }
  }
}

// GPTQ rounds column after column and never looks back, so that in matrices of a few weights it is
// now and then worse than RTN.
TEST(ModelQuantizer, FlagsExactlyTheLayersThatAreWorseThanRtn) {
  ThreadPool pool(1);
  ModelConfig shape = Tiny::shape();
  shape.width = 4;
  shape.heads = shape.kv_heads = 2;
  shape.hidden = 3;
  int flagged = 0, layers = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Tiny tiny({}, shape, seed);
    Quantizing quantizing(tiny, tiny.calibration(pool), pool);
    for (const MatrixReport& layer : quantizing.apply(cell_of("gptq", "int2"))) {
      EXPECT_EQ(layer.flagged, layer.error > layer.rtn_error);
      flagged += layer.flagged;
      ++layers;
    }
  }
  EXPECT_GT(flagged, 0);
  EXPECT_LT(flagged, layers / 2);
}

TEST(ModelQuantizer, NamesWeightsThatAreNotFinite) {
  Tiny tiny;
  require_finite_weights(tiny.model, tiny.parameters);
  tiny.parameters.tensors[tiny.model.layer(1).down].f32()[5] =
      std::numeric_limits<float>::quiet_NaN();
  try {
    require_finite_weights(tiny.model, tiny.parameters);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layers.1.mlp.down_proj"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace bitlaw
