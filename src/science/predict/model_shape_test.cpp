#include "predict/model_shape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

// Widths and parameters without embeddings and head, from the models' papers and config.json:
// Pythia (Biderman et al. 2023, table 1), Llama 2, 3 and 3.2, SmolLM2, Qwen2.5.
struct PublishedModel {
  const char* name;
  double width, matrices;
};
constexpr PublishedModel kModels[] = {
    {"pythia-70m", 512, 18915328},      {"pythia-160m", 768, 85056000},
    {"pythia-410m", 1024, 302311424},   {"pythia-1b", 2048, 805736448},
    {"pythia-1.4b", 2048, 1208602624},  {"pythia-2.8b", 2560, 2517652480},
    {"pythia-6.9b", 4096, 6444163072},  {"pythia-12b", 5120, 11327027200},
    {"llama-2-7b", 4096, 6476271616},   {"llama-2-13b", 5120, 12688184320},
    {"llama-2-70b", 8192, 68452360192}, {"llama-3-8b", 4096, 6979588096},
    {"llama-3.2-1b", 2048, 973146112},  {"llama-3.2-3b", 3072, 2818747392},
    {"smollm2-135m", 576, 106203456},   {"smollm2-360m", 960, 314635200},
    {"smollm2-1.7b", 2048, 1610713088}, {"qwen2.5-0.5b", 896, 357898112},
    {"qwen2.5-1.5b", 1536, 1310340608}, {"qwen2.5-7b", 3584, 6525621760},
};

// The rule is the least-squares line of these, and errs as its documentation says.
TEST(ModelShape, TheRuleOfWidthIsThatOfPublishedModels) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0, squares = 0, worst = 0;
  for (const PublishedModel& model : kModels) {
    const double log_matrices = std::log(model.matrices), log_width = std::log(model.width);
    n += 1, x += log_matrices, y += log_width;
    xx += log_matrices * log_matrices, xy += log_matrices * log_width;
    const double off = std::log(ModelShape().width_of(model.matrices)) - log_width;
    squares += off * off, worst = std::max(worst, std::fabs(off));
  }
  const double slope = (n * xy - x * y) / (n * xx - x * x);
  EXPECT_NEAR(slope, 0.39, 5e-4);
  EXPECT_NEAR(std::exp((y - 0.39 * x) / n), 0.5563, 5e-4);
  EXPECT_NEAR(std::exp(std::sqrt(squares / n)), 1.17, 0.01);
  EXPECT_NEAR(std::exp(worst), 1.35, 0.01);
}

TEST(ModelShape, CountsATiedTableOnce) {
  ModelShape shape{.vocabulary = 128256, .width = 4096};
  EXPECT_EQ(shape.total(6979588096), 8030261248) << "Llama 3 8B";
  shape = {.vocabulary = 49152, .width = 576, .tied_head = true};
  EXPECT_EQ(shape.total(106203456), 134515008) << "SmolLM2 135M";
  EXPECT_EQ(ModelShape{}.total(1e9), 1e9) << "nothing else is counted";
}

TEST(ModelShape, TotalsHaveOneNumberOfMatrices) {
  for (const bool tied : {false, true}) {
    for (const double width : {0.0, 512.0}) {
      const ModelShape shape{.vocabulary = 50000, .width = width, .tied_head = tied};
      for (double matrices = 1e4; matrices < 1e13; matrices *= 7) {
        EXPECT_NEAR(shape.matrices_of_total(shape.total(matrices)) / matrices, 1, 1e-9) << matrices;
      }
    }
  }
  const ModelShape shape{.vocabulary = 50000, .width = 512};
  EXPECT_EQ(shape.matrices_of_total(1e6), 0) << "not even the embeddings";
}

}  // namespace
}  // namespace bitlaw
