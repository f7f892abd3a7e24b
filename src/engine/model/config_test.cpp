#include "model/config.h"

#include <gtest/gtest.h>

#include "formats/recipe.h"
#include "model/model.h"

namespace bitlaw {
namespace {

ModelConfig shape(int64_t width, int64_t layers, int64_t heads, int64_t hidden, int64_t vocabulary,
                  int64_t sequence) {
  ModelConfig config;
  config.width = width;
  config.layers = layers;
  config.heads = heads;
  config.hidden = hidden;
  config.vocabulary = vocabulary;
  config.sequence = sequence;
  return config.resolved();
}

// Every combination of what changes the set of parameters.
std::vector<ModelConfig> variants() {
  std::vector<ModelConfig> out;
  for (bool tied : {false, true}) {
    for (bool extra : {false, true}) {
      for (int64_t kv_heads : {0, 1, 3}) {
        ModelConfig config = {
            .width = 24, .layers = 3, .heads = 6, .hidden = 40, .vocabulary = 50, .sequence = 7};
        config.tied_head = tied;
        config.extra_norm = extra;
        config.kv_heads = kv_heads;
        out.push_back(config.resolved());
      }
    }
  }
  return out;
}

// The pilot study (width 64, 2 layers, 2 heads, hidden 176, vocabulary 1024) counted 100,608.
TEST(ModelConfig, CountsThePilotModel) {
  const ModelConfig pilot = shape(64, 2, 2, 176, 1024, 256);
  EXPECT_EQ(pilot.matrix_parameters(), 2 * (4 * 64 * 64 + 3 * 64 * 176));
  EXPECT_EQ(pilot.parameters(), 100608);
  EXPECT_EQ(pilot.parameters_with_embeddings(), 100608 + 64 + 2 * 1024 * 64);
}

TEST(ModelConfig, CountsWhatTheModelHolds) {
  for (const ModelConfig& config : variants()) {
    const Model model(config, Recipe{});
    int64_t matrices = 0, layers = 0, all = 0;
    for (const ParameterInfo& info : model.infos()) {
      all += info.shape.elements();
      if (info.name.find("layers.") != std::string::npos) layers += info.shape.elements();
      if (info.quantized) matrices += info.shape.elements();
    }
    EXPECT_EQ(config.matrix_parameters(), matrices);
    EXPECT_EQ(config.parameters(), layers);
    EXPECT_EQ(config.parameters_with_embeddings(), all);
  }
}

TEST(ModelConfig, CountsFlopsAsTheProductsOfAStepDo) {
  for (const ModelConfig& config : variants()) {
    const Model model(config, Recipe{});
    double multiply_adds = 0;  // of one sequence, forward
    for (int64_t t = 0; t < config.sequence; ++t) {
      for (const ParameterInfo& info : model.infos()) {
        if (info.quantized) multiply_adds += static_cast<double>(info.shape.elements());
      }
      multiply_adds += static_cast<double>(config.vocabulary * config.width);  // tied or not
      for (int64_t key = 0; key <= t; ++key) {  // a score and a value for every head of every layer
        multiply_adds += static_cast<double>(2 * config.layers * config.heads * config.head_dim());
      }
    }
    const double passes = 3;  // forward, gradients of one operand, gradients of the other
    EXPECT_DOUBLE_EQ(config.training_flops_per_token(),
                     2 * passes * multiply_adds / config.sequence);
  }
}

// The benchmark's shapes, MFLOP a token: within 0.2 %, since the published figures count norms as
// products and a causal half without its diagonal.
TEST(ModelConfig, CountsTheBenchmarkShapes) {
  EXPECT_NEAR(shape(128, 4, 4, 352, 4096, 256).training_flops_per_token() * 1e-6, 8.76, 0.0175);
  EXPECT_NEAR(shape(256, 6, 4, 704, 4096, 256).training_flops_per_token() * 1e-6, 37.6, 0.075);
  EXPECT_NEAR(shape(512, 8, 8, 1408, 8192, 512).training_flops_per_token() * 1e-6, 192, 0.38);
}

// A matrix of llama.cpp's is quantized if 32 divides its rows: those of width and hidden.
TEST(ModelConfig, HiddenIsEightThirdsRoundedUpTo32WhereThatDividesTheWidthElseTo16) {
  for (int64_t width = 2; width <= 512; width += 2) {
    const int64_t hidden = shape(width, 1, 1, 0, 100, 8).hidden;
    const int64_t multiple = width % 32 == 0 ? 32 : 16;
    EXPECT_EQ(hidden % multiple, 0) << width;
    EXPECT_GE(3 * hidden, 8 * width) << width;
    EXPECT_LT(3 * (hidden - multiple), 8 * width) << width;
  }
}

TEST(ModelConfig, VocabularyComesFromTheData) {
  EXPECT_EQ(ModelConfig{}.resolved(300).vocabulary, 300);
  ModelConfig larger;
  larger.vocabulary = 512;
  EXPECT_EQ(larger.resolved(300).vocabulary, 512);
}

struct BadConfig {
  const char* key;  // that the error names
  void (*spoil)(ModelConfig&);
};

TEST(ModelConfig, ErrorsNameTheKey) {
  const BadConfig cases[] = {
      {"width", [](ModelConfig& c) { c.width = 0; }},
      {"width", [](ModelConfig& c) { c.width = -64; }},
      {"layers", [](ModelConfig& c) { c.layers = 0; }},
      {"heads", [](ModelConfig& c) { c.heads = 0; }},
      {"heads", [](ModelConfig& c) { c.heads = 3; }},
      {"heads", [](ModelConfig& c) { c.heads = 64; }},
      {"kv_heads", [](ModelConfig& c) { c.kv_heads = 3; }},
      {"kv_heads", [](ModelConfig& c) { c.kv_heads = 8; }},
      {"kv_heads", [](ModelConfig& c) { c.kv_heads = -1; }},
      {"hidden", [](ModelConfig& c) { c.hidden = -1; }},
      {"vocabulary", [](ModelConfig& c) { c.vocabulary = 0; }},
      {"vocabulary", [](ModelConfig& c) { c.vocabulary = 65537; }},
      {"sequence", [](ModelConfig& c) { c.sequence = 0; }},
      {"rope_theta", [](ModelConfig& c) { c.rope_theta = 0; }},
      {"rope_theta", [](ModelConfig& c) { c.rope_theta = INFINITY; }},
      {"norm_epsilon", [](ModelConfig& c) { c.norm_epsilon = NAN; }},
      {"norm_epsilon", [](ModelConfig& c) { c.norm_epsilon = 0; }},
  };
  for (const BadConfig& bad : cases) {
    ModelConfig config = {.width = 64, .layers = 2, .heads = 4, .vocabulary = 100};
    bad.spoil(config);
    try {
      config.resolved();
      ADD_FAILURE() << bad.key << ": no error";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(std::string("model.") + bad.key), std::string::npos)
          << error.what();
    }
  }
  EXPECT_THROW((ModelConfig{.vocabulary = 100}.resolved(101)), Error);
}

}  // namespace
}  // namespace bitlaw
