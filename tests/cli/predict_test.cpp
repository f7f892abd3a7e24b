// `bitlaw predict`: runs on the command line, tables, several laws, and refused requests.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

class PredictVerb : public World {
 protected:
  // A simulated study, and a fit of kumar to it.
  void fit() {
    json_of({"simulate", "--params", "1e8,2e8,4e8", "--tokens", "1e9,4e9,2e10", "--weights",
             "3,4,6", "--activations", "4,8", "--kv", "4", "--post", "3,4", "--out", "study.csv",
             "--json"});
    json_of({"fit", "study.csv", "--law", "kumar", "--draws", "60", "--starts", "8", "--threads",
             "1", "--out", "fit.json", "--residuals", "residuals.csv", "--json"});
  }
  std::string text(const std::string& name) { return read_file(around_.directory / name); }
};

// Where no run gets a number, nothing useful was done.
TEST_F(PredictVerb, WithoutAnyNumberItFails) {
  const std::vector<std::string> asked{"predict", "--law", "quest", "N=1e9", "D=1e10"};
  const auto status = [&](const std::string& precision) {
    std::vector<std::string> words = asked;
    words.push_back("precision=" + precision);
    return run(words).status;
  };
  EXPECT_EQ(status("foo"), 1);
  EXPECT_EQ(status("W1A1"), 0);
  EXPECT_EQ(status("W1A1,foo"), 0) << "one of two has a number";
}

TEST_F(PredictVerb, OneRunByItsNumbers) {
  fit();
  const Json made = json_of({"predict", "--fit", "fit.json", "N=200M", "D=5B", "P_w=4", "--json"})
                        .at("predictions");
  ASSERT_EQ(made.size(), 1U);
  const double loss = made[0].at("loss");
  const Json &mean = made[0].at("mean"), &run = made[0].at("run");
  EXPECT_EQ(made[0].at("of").at("N"), 2e8);
  EXPECT_TRUE(mean[0] < loss && loss < mean[1]);
  EXPECT_TRUE(run[0] < mean[0] && mean[1] < run[1]);
  EXPECT_TRUE(made[0].at("beyond").empty());

  const Json far = json_of({"predict", "--fit", "fit.json", "N=13e9", "D=5e12", "P_w=2", "--json"});
  EXPECT_EQ(far.at("predictions")[0].at("beyond").size(), 4U);  // N, D, C and P_w
  const Json cells =
      json_of({"predict", "--fit", "fit.json", "N=2e8", "D=5e9", "P_post=3,4", "--json"});
  EXPECT_GT(cells.at("predictions")[0].at("delta"), cells.at("predictions")[1].at("delta"));
  EXPECT_FALSE(cells.at("predictions")[0].at("run_delta").is_null());
}

TEST_F(PredictVerb, LinesNamePartsWithBitsOfTheirOwn) {
  const Outcome out =
      run({"predict", "--law", "kumar-parts", "N=2e8", "D=5e9", "P_k=4", "P_v=3", "P_emb=8"});
  EXPECT_NE(out.out.find("P_k = 4, P_v = 3, P_emb = 8"), std::string::npos) << out.out << out.err;
}

TEST_F(PredictVerb, OptionsWithoutEffectAreRefused) {
  fit();
  expect_refused({"predict", "--fit", "fit.json", "--constants", "paper", "N=2e8", "D=5e9"},
                 {"--constants: "});
  expect_refused({"predict", "--law", "kumar", "--level", "0.5", "N=2e8", "D=5e9"}, {"--level: "});
}

TEST_F(PredictVerb, ATableGetsColumnsAndResiduals) {
  fit();
  const Outcome out =
      run({"predict", "--fit", "fit.json", "--law", "kumar", "study.csv", "--out", "made.csv"});
  EXPECT_EQ(out.status, 0) << out.err;
  EXPECT_NE(out.out.find("lie inside the 90 % interval of a run"), std::string::npos) << out.out;
  const std::string header = text("made.csv").substr(0, text("made.csv").find('\n'));
  for (const char* column : {"predicted", "mean_low", "run_high", "residual", "inside", "fit"})
    EXPECT_NE(header.find(column), std::string::npos) << column;
  // Two lines a row: the fit's and the published law's.
  const auto lines = [&](const std::string& name) {
    const std::string all = text(name);
    return std::count(all.begin(), all.end(), '\n') - 1;
  };
  EXPECT_EQ(lines("made.csv"), 2 * lines("study.csv"));
  EXPECT_EQ(lines("residuals.csv"), lines("study.csv"));

  // Planned runs need no loss.
  write_text(around_.directory / "planned.csv", "params,tokens,P_w\n1e8,1e9,4\n3e8,1e10,16\n");
  const Json planned = json_of(
      {"predict", "--fit", "fit.json", "planned.csv", "--columns", "N=params,D=tokens", "--json"});
  EXPECT_EQ(planned.at("predictions").size(), 2U);
  EXPECT_FALSE(planned.at("predictions")[0].contains("residual"));
}

TEST_F(PredictVerb, LawsSideBySide) {
  const Json made =
      json_of({"predict", "--law", "kumar", "--law", "chinchilla", "N=7e9", "D=2e12", "--json"});
  ASSERT_EQ(made.at("predictions").size(), 2U);
  EXPECT_EQ(made.at("predictions")[1].at("fit"), "chinchilla");
  EXPECT_TRUE(made.at("predictions")[0].at("mean").is_null());
  EXPECT_EQ(made.at("laws").size(), 2U);
}

TEST_F(PredictVerb, WhatCannotBePredictedIsRefused) {
  expect_refused({"predict", "N=1e9", "D"}, {"D", "NAME=VALUE"});
  expect_refused({"predict", "N=1e9"}, {"no column D"});
  expect_refused({"predict", "N=1e9", "D=1e9", "Pw=4"}, {"unknown name 'Pw'", "P_w"});
  expect_refused({"predict", "N=1e9", "D=1e9", "foo=3"}, {"unknown name 'foo'"});
  expect_refused({"predict", "N=1e9", "D=2e10", "C=1e10"},
                 {"run 1", "C is 1e+10", "6 N D is 1.2e+20", "leave out"});
  EXPECT_EQ(run({"predict", "N=1e9", "D=2e10", "C=1.3e20"}).status, 0);
  expect_refused({"predict", "--law", "apple-qat-fraction", "N=1e9", "D=1e9", "P_w=4"},
                 {"share", "bitlaw plan"});
  expect_refused({"predict", "N=1e9", "D=1e9", "precision=W4A4", "P_w=3"},
                 {"W4A4", "P_w = 4", "3 is given"});
  EXPECT_EQ(run({"predict", "N=1e9", "D=1e9", "precision=W4A4", "P_w=4", "P_a=4"}).status, 0);
  EXPECT_EQ(run({"predict", "N=1e9", "D=1e9", "precision=W4A4KV8"}).status, 0);
  EXPECT_EQ(run({"predict", "N=1e9", "D=1e9", "precision=mxfp4"}).status, 0);
  EXPECT_EQ(run({"predict", "N=1e9", "D=1e9", "format=e2m1"}).status, 0);
  const auto loss = [&](const char* name) {
    return json_of({"predict", "--law", "kumar", "N=1e9", "D=1e9", name, "--json"})
        .at("predictions")[0]
        .at("loss");
  };
  EXPECT_EQ(loss("p_w=4"), loss("P_w=4"));
  expect_refused({"predict", "N=1e9", "N=2e9", "D=1e9"}, {"N is given twice"});
  expect_refused({"predict", "N=many", "D=1e9"}, {"many"});
  expect_refused({"predict", "--law", "kumer", "N=1e9", "D=1e9"}, {"did you mean 'kumar'?"});
  expect_refused({"predict", "--fit", "nowhere.json", "N=1e9", "D=1e9"}, {"nowhere.json"});
  expect_refused({"predict", "--level", "90", "N=1e9", "D=1e9"}, {"--level"});
  expect_refused({"predict", "nowhere.csv"}, {"nowhere.csv"});
  const Outcome post = run({"predict", "--law", "chinchilla", "N=1e9", "D=1e9", "P_post=4"});
  EXPECT_NE(post.out.find("does not model quantization after training"), std::string::npos)
      << post.out;
}

// panferov rates formats by the source that its fit names, also where it predicts and plans.
TEST_F(PredictVerb, TheSourceOfGaussianErrorsIsTheFits) {
  std::string text = "N,D,format_w,format_a,loss\n";
  for (const double params : {2e7, 6e7, 2e8, 6e8}) {
    for (const double tokens : {1e9, 5e9, 2e10}) {
      for (const auto& [name, share] :
           {std::pair{"BF16", 1.0}, {"mxfp4", 0.6}, {"nvfp4", 0.7}, {"mxfp8-e4m3", 0.97}}) {
        text +=
            fmt::format("{},{},{},{},{}\n", params, tokens, name, name,
                        1.69 + 406 / std::pow(params * share, 0.34) + 410 / std::pow(tokens, 0.28));
      }
    }
  }
  write_text(around_.directory / "blocks.csv", text);
  const auto fitted = [&](const std::string& source) {
    return json_of({"fit", "blocks.csv", "--law", "panferov", "--gaussian-error", source, "--draws",
                    "60", "--starts", "8", "--threads", "1", "--out", source + ".json",
                    "--residuals", source + ".csv", "--json"});
  };
  EXPECT_EQ(fitted("block").at("table").at("gaussian_error"), "block");
  EXPECT_EQ(fitted("least").at("table").at("gaussian_error"), "least");
  const auto predicted = [&](const std::string& fit) {
    std::vector<double> losses;
    const Json document = json_of({"predict", "--fit", fit, "blocks.csv", "--json"});
    for (const Json& each : document.at("predictions")) losses.push_back(each.at("loss"));
    return losses;
  };
  // What the fit itself says of its rows.
  const std::vector<double> blocks = predicted("block.json");
  std::istringstream lines(this->text("block.csv"));
  std::string line;
  std::getline(lines, line);
  std::vector<std::string> names = split(line, ',');
  const size_t place =
      static_cast<size_t>(std::find(names.begin(), names.end(), "predicted") - names.begin());
  ASSERT_LT(place, names.size()) << line;
  for (const double loss : blocks) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_NEAR(std::stod(split(line, ',')[place]), loss, 1e-9 * loss);
  }
  EXPECT_NE(blocks, predicted("least.json"));
  const Outcome plan = run({"plan", "--fit", "block.json", "--params", "1e8", "--tokens", "1e10",
                            "--precision", "mxfp4"});
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_NE(plan.out.find("--gaussian-error block"), std::string::npos) << plan.out;
  const Outcome both =
      run({"predict", "--fit", "block.json", "--fit", "least.json", "N=1e8", "D=1e10"});
  EXPECT_NE(both.status, 0);
  EXPECT_NE(both.err.find("predict with one of them at a time"), std::string::npos) << both.err;
  const Outcome wrong = run({"fit", "blocks.csv", "--gaussian-error", "blocks"});
  EXPECT_NE(wrong.status, 0);
  EXPECT_NE(wrong.err.find("did you mean 'block'"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace bitlaw
