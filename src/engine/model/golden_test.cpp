// Ten AdamW steps of a two-layer model against tests/golden/model.*, which PyTorch made
// (tools/make_model_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/file.h"
#include "base/json.h"
#include "base/source_folder.h"
#include "formats/recipe.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "ops/update.h"

namespace bitlaw {
namespace {

const std::string kDirectory = kSourceFolder + std::string("/tests/golden/");

struct Case {
  const char* name;  // in model.json
  RecipeConfig recipe;
};
const Case kCases[] = {
    {"fp32", {.weights = "32", .activations = "32", .kv = "32", .queries = "32"}},
    {"w4a4kv4", {.weights = "4", .activations = "4", .kv = "4"}},
};

struct Golden {
  Json document = parse_json(read_file(kDirectory + "model.json"), kDirectory + "model.json");
  SafetensorsFile tensors{kDirectory + "model.safetensors"};

  ModelConfig config() const {
    ModelConfig config;
    fill(config, document["model"], "model.json");
    return config.resolved();
  }
  AdamW adamw() const {
    const Json& a = document["adamw"];
    return {.learning_rate = a["learning_rate"],
            .beta1 = a["beta1"],
            .beta2 = a["beta2"],
            .epsilon = a["epsilon"],
            .weight_decay = a["weight_decay"],
            .step = 1,
            .gradient_scale = 1};
  }
};

struct Training {
  std::vector<float> first_token_losses;
  std::vector<double> losses;  // mean of every step
  Parameters first_gradients;
};

Training train(const Golden& golden, const Recipe& recipe, const Backend* backend) {
  Context context;
  context.backend = backend;
  context.gradient_dtype = DType::kF32;  // PyTorch's gradients are not rounded
  Model model(golden.config(), recipe);
  Parameters parameters = model.make_parameters(), first = model.make_parameters(),
             second = model.make_parameters();
  for (size_t i = 0; i < model.infos().size(); ++i) {
    parameters.tensors[i].copy_from(golden.tensors.tensor("initial." + model.infos()[i].name));
  }
  const ActivationsPtr activations = make_activations(model, true, DType::kF32);
  Tensor losses = Tensor::empty(DType::kF32, {model.config().sequence});

  Training run;
  AdamW adamw = golden.adamw();
  for (const Json& batch : golden.document["tokens"]) {
    model.prepare(context, parameters, true);
    Parameters gradients = model.make_parameters();
    double sum = 0;
    const int64_t batch_tokens = static_cast<int64_t>(batch.size()) * model.config().sequence;
    for (const Json& row : batch) {
      const std::vector<uint16_t> tokens = row;
      const std::span<const uint16_t> all(tokens);
      model.forward_backward(context, parameters, all.first(all.size() - 1), all.subspan(1),
                             1.0 / static_cast<double>(batch_tokens), *activations, losses,
                             gradients);
      for (int64_t t = 0; t < losses.elements(); ++t) {
        sum += losses.f32()[t];
        if (run.losses.empty()) run.first_token_losses.push_back(losses.f32()[t]);
      }
    }
    if (run.losses.empty()) run.first_gradients = gradients;
    run.losses.push_back(sum / static_cast<double>(batch_tokens));
    for (size_t i = 0; i < model.infos().size(); ++i) {
      AdamW own = adamw;
      if (!model.infos()[i].decayed) own.weight_decay = 0;
      adamw_update(context, own, gradients.tensors[i], parameters.tensors[i], first.tensors[i],
                   second.tensors[i]);
    }
    ++adamw.step;
  }
  return run;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double out = 0;
  for (int64_t i = 0; i < a.elements(); ++i) out = std::max(out, std::abs(a.at(i) - b.at(i)));
  return out;
}

// The spreads are the largest deviations of eight disturbed PyTorch runs (see the maker). A ninth
// run, ours, exceeds the largest of eight now and then, hardly ever twofold.
constexpr double kBeyondEight = 2;

class GoldenRun : public testing::TestWithParam<std::tuple<const Backend*, Case>> {
 protected:
  void SetUp() override {
    const auto& [backend, c] = GetParam();
    expected_ = golden_.document["cases"][c.name];
    run_ = train(golden_, make_recipe(c.recipe), backend);
    infos_ = Model(golden_.config(), Recipe{}).infos();
  }
  Tensor expected_gradient(const std::string& name) const {
    return golden_.tensors.tensor(std::string("gradient.") + std::get<Case>(GetParam()).name + "." +
                                  name);
  }
  bool on_reference() const { return std::get<const Backend*>(GetParam()) == &kReferenceBackend; }

  Golden golden_;
  Json expected_;
  Training run_;
  std::vector<ParameterInfo> infos_;
};

TEST_P(GoldenRun, TenLosses) {
  ASSERT_EQ(run_.losses.size(), 10u);
  for (size_t step = 0; step < 10; ++step) {
    EXPECT_NEAR(run_.losses[step], expected_["losses"][step].get<double>(),
                kBeyondEight * expected_["losses_spread"][step].get<double>())
        << "step " << step + 1;
  }
}

// The reference sums in double and stores floats where the PyTorch script does, so every rounding
// of the first forward pass falls the same way; what differs is the last bit of a float here and
// there.
TEST_P(GoldenRun, FirstLossesOfEveryToken) {
  const Json& expected = expected_["first_step_token_losses"];
  ASSERT_EQ(run_.first_token_losses.size(), expected.size());
  for (size_t t = 0; t < expected.size(); ++t) {
    const double tolerance =
        on_reference() ? 0x1p-22 * expected[t].get<double>()
                       : kBeyondEight * expected_["first_step_token_losses_spread"].get<double>();
    EXPECT_NEAR(run_.first_token_losses[t], expected[t].get<double>(), tolerance) << "token " << t;
  }
}

TEST_P(GoldenRun, FirstGradientsOfEveryParameter) {
  const Json& spreads =
      expected_[on_reference() ? "gradients_backward_spread" : "gradients_spread"];
  for (size_t i = 0; i < infos_.size(); ++i) {
    const std::string& name = infos_[i].name;
    EXPECT_LE(largest_difference(run_.first_gradients.tensors[i], expected_gradient(name)),
              kBeyondEight * spreads[name].get<double>())
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, GoldenRun,
    testing::Combine(testing::Values(&kReferenceBackend, &kCpuBackend), testing::ValuesIn(kCases)),
    [](const auto& info) {
      const bool reference = std::get<const Backend*>(info.param) == &kReferenceBackend;
      return std::string(reference ? "Reference_" : "Cpu_") + std::get<Case>(info.param).name;
    });

}  // namespace
}  // namespace bitlaw
