#include "report/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "laws/registry.h"

namespace bitlaw {
namespace {

// Kumar's published law, as a fit document would give it.
Json published_fit() {
  const Law& kumar = *find_law("kumar");
  Json parameters = Json::object();
  for (size_t i = 0; i < kumar.parameters.size(); ++i) {
    const double value = kumar.constants[0].values[i];
    parameters[kumar.parameters[i].name] = {
        {"value", value}, {"low", 0.9 * value}, {"high", 1.1 * value}};
  }
  return {{"law", "kumar"},         {"parameters", parameters},
          {"notes", Json::array()}, {"held_out", Json::array()},
          {"points", 100},          {"objective", 0.0}};
}

Json row(double n, double d, double p_w, double loss, const char* method = "none",
         double p_post = 16) {
  return {{"run", "abc"},     {"status", "finished"}, {"N", n},
          {"D", d},           {"P_w", p_w},           {"P_a", 16},
          {"P_kv", 16},       {"P_post", p_post},     {"loss", loss},
          {"method", method}, {"delta", nullptr},     {"standard_error", nullptr},
          {"group", nullptr}};
}

double f_w(double bits) {
  return 1 - std::exp(-bits / 2.6745 + 0.3037);
}

TEST(Report, MeasuredEffectiveParametersInvertTheLaw) {
  // Losses made by the law itself: the measured N_eff/N must be f_w(4) / f_w(16), the BF16 run
  // being the unit.
  const double n = 1e6, d = 1e8, alpha = 0.4965;
  const auto loss = [&](double effective) {
    return 2.7648 + 4299 * std::pow(effective, -alpha) + 18060 * std::pow(d, -alpha);
  };
  const Json document =
      make_report({"t", Json::array({row(n, d, 16, loss(n)), row(n, d, 4, loss(n * f_w(4)))}),
                   published_fit()});
  const Json& part = document["figures"]["effective"]["parts"][0];
  ASSERT_EQ(part["points"].size(), 1u);
  EXPECT_EQ(part["points"][0]["x"], 4);
  EXPECT_NEAR(part["points"][0]["y"].get<double>(), f_w(4), 1e-9);
}

TEST(Report, PanelsHoldASeriesPerMethodAndBits) {
  Json rows = Json::array();
  for (double n : {1e5, 2e5}) {
    for (double d : {1e6, 4e6}) {
      rows.push_back(row(n, d, 16, 3.5));
      for (const char* method : {"rtn", "gptq"}) {
        for (double bits : {3.0, 4.0}) {
          rows.push_back(row(n, d, 16, 3.9, method, bits));  // loss on other tokens than the run's
          rows.back()["delta"] = 0.1;
        }
      }
      for (const char* method : {"gptq+clip", "awq", "none+a4"}) {  // not in this figure either
        rows.push_back(row(n, d, 16, 3.9, method, method[0] == 'n' ? 16.0 : 3.0));
        rows.back()["delta"] = 0.2;
      }
      rows.push_back(row(n, d, 4, 3.7));  // trained at 4 bits: not in this figure
      rows.back()["run"] = "other";
    }
  }
  const Json document = make_report({"t", rows, published_fit()});
  const Json& panels = document["figures"]["ptq"]["panels"];
  ASSERT_EQ(panels.size(), 2u);
  EXPECT_EQ(panels[0]["series"].size(), 5u);
  for (const Json& series : panels[0]["series"]) {
    ASSERT_EQ(series["points"].size(), 2u);
    EXPECT_DOUBLE_EQ(series["points"][0]["y"].get<double>(), series["bits"] == 16 ? 3.5 : 3.6);
  }
  EXPECT_EQ(document["summary"]["runs"], 8);
  EXPECT_EQ(document["summary"]["cells"], 28);
  std::set<std::string> methods;
  for (const Json& series : document["figures"]["delta"]["series"])
    methods.insert(series["method"]);
  EXPECT_EQ(methods, (std::set<std::string>{"awq", "gptq", "rtn"}));
}

TEST(Report, TheOptimumIsThatOfTheLaw) {
  const Json document = make_report({"t", Json::array({row(1e6, 1e8, 16, 3)}), published_fit()});
  const Json& optimum = document["figures"]["optimum"];
  EXPECT_NEAR(optimum["best"]["P_w"].get<double>(), 7.0, 0.01);
  double least = 1e9, at = 0;
  for (const Json& point : optimum["curve"]) {
    if (point["y"].get<double>() < least) {
      least = point["y"].get<double>();
      at = point["x"].get<double>();
    }
  }
  EXPECT_NEAR(at, 7.0, 0.5);
  EXPECT_NE(report_text(document).find(
                "all free, is 7.00 bits; with the published constants it is 7.00."),
            std::string::npos)
      << report_text(document);
}

TEST(Report, SaysWhatIsMissingWithoutAFit) {
  const Json document = make_report({"t", Json::array({row(1e6, 1e8, 16, 3)}), nullptr});
  EXPECT_TRUE(document["figures"]["optimum"].is_null());
  EXPECT_EQ(document["summary"]["sentence"], "There is no fit.");
  EXPECT_NE(report_html(document).find("\"runs\":1"), std::string::npos);
}

TEST(Report, TheSentenceNamesWideIntervals) {
  Json fit = published_fit();
  fit["parameters"]["gamma_a"]["high"] = 100;
  fit["parameters"]["b"]["frozen"] = "only C_T exp(b) can be told";
  const std::string sentence = make_report({"t", Json::array(), fit})["summary"]["sentence"];
  EXPECT_NE(sentence.find("do not pin down gamma_a"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("leave b at fixed values"), std::string::npos) << sentence;
}

TEST(Report, AConstantAtTheEdgeOfItsRangeIsNotIdentified) {
  Json fit = published_fit();
  const double edge = find_law("kumar")->parameters[parameter_index(*find_law("kumar"), "A")].high;
  fit["parameters"]["A"] = {{"value", edge}, {"low", 0.99 * edge}, {"high", edge}};
  const Json document = make_report({"t", Json::array({row(1e6, 1e8, 16, 3)}), fit});
  EXPECT_NE(
      document["summary"]["sentence"].get<std::string>().find("A (ended at the edge of its range)"),
      std::string::npos);
  EXPECT_NE(report_text(document).find("Do not rely on it: A ended"), std::string::npos);
}

TEST(Report, DataCannotEndTheScriptThatHoldsIt) {
  Json bad = row(1e6, 1e8, 16, 3);
  bad["run"] = "</script><script>alert(1)</script>";
  const std::string html = report_html(make_report({"t", Json::array({bad}), nullptr}));
  EXPECT_EQ(html.find("</script><script>alert"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
