#include "report/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "laws/fixed_params.h"
#include "laws/registry.h"
#include "predict/reach.h"
#include "report/fitted_law.h"
#include "report/from_table.h"

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

TidyRow row(double n, double d, double p_w, double loss, const char* method = "none",
            double p_post = 16) {
  TidyRow row;
  row.run = "abc";
  row.status = "finished";
  row.N = std::llround(n);
  row.D = std::llround(d);
  row.P_w = p_w;
  row.P_a = row.P_kv = 16;
  row.P_post = p_post;
  row.loss = loss;
  row.method = method;
  return row;
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
      make_report({"t", {row(n, d, 16, loss(n)), row(n, d, 4, loss(n * f_w(4)))}, published_fit()});
  const Json& part = document["figures"]["effective"]["parts"][0];
  ASSERT_EQ(part["points"].size(), 1u);
  EXPECT_EQ(part["points"][0]["x"], 4);
  EXPECT_NEAR(part["points"][0]["y"].get<double>(), f_w(4), 1e-9);
}

// Three seeds in BF16 and two at 4 bits, with the losses of the law but for noise.
std::vector<TidyRow> replicated(double n, double d) {
  std::vector<TidyRow> rows;
  const double noise[] = {-0.01, 0.03, -0.02};
  const auto loss = [&](double effective) {
    return 2.7648 + 4299 * std::pow(effective, -0.4965) + 18060 * std::pow(d, -0.4965);
  };
  for (int seed = 0; seed < 3; ++seed) {
    rows.push_back(row(n, d, 16, loss(n) + noise[seed]));
    rows.back().seed = seed + 1;
  }
  for (int seed = 0; seed < 2; ++seed) {
    rows.push_back(row(n, d, 4, loss(n * f_w(4))));
    rows.back().seed = seed + 1;
  }
  for (TidyRow& row : rows) row.lr = 0.02, row.extra_norm = "true";
  return rows;
}

std::vector<double> shares_of(const Json& document) {
  std::vector<double> out;
  for (const Json& point : document["figures"]["effective"]["parts"][0]["points"])
    out.push_back(point["y"]);
  return out;
}

TEST(Report, TheReferenceIsTheMeanOverSeeds) {
  // The noise of the BF16 runs adds up to nothing.
  std::vector<TidyRow> rows = replicated(1e6, 1e8);
  for (int order = 0; order < 2; ++order) {
    const std::vector<double> shares = shares_of(make_report({"t", rows, published_fit()}));
    ASSERT_EQ(shares.size(), 2u);
    for (const double share : shares) EXPECT_NEAR(share, f_w(4), 1e-9);
    std::reverse(rows.begin(), rows.end());
  }
}

TEST(Report, TheReferenceMatchesInEveryFactor) {
  std::vector<TidyRow> rows = replicated(1e6, 1e8);
  TidyRow other = rows[0];  // BF16 without the norm, and worse
  other.extra_norm = "false", other.loss += 1;
  rows.push_back(other);
  const Json document = make_report({"t", rows, published_fit()});
  for (const double share : shares_of(document)) EXPECT_NEAR(share, f_w(4), 1e-9);
  ASSERT_EQ(document["penalties"].size(), 1u);
  EXPECT_EQ(document["penalties"][0]["references"], 2) << "of the seeds that both have";
  EXPECT_EQ(document["penalties"][0]["runs"], 2);

  rows.back().extra_norm = "true", rows.back().P_q = 4;
  EXPECT_EQ(make_report({"t", rows, published_fit()})["penalties"].size(), 2u)
      << "a run with only its queries rounded is compared, and no reference";

  rows.pop_back();
  for (TidyRow& row : rows) row.lr = row.P_w < 16 ? 0.01 : 0.02;
  EXPECT_TRUE(make_report({"t", rows, published_fit()})["penalties"].empty());
  const Json pooled = make_report({"t", rows, published_fit(), Json::array(), {"lr"}});
  EXPECT_EQ(pooled["penalties"].size(), 1u);
  EXPECT_EQ(shares_of(pooled).size(), 2u);
}

TEST(Report, DifferencesBelowTwoDeviationsAreNoise) {
  std::vector<TidyRow> rows = replicated(1e6, 1e8);
  const double reference = (rows[0].loss + rows[1].loss + rows[2].loss) / 3;
  rows.pop_back();
  rows.pop_back();
  const double deviation = std::sqrt((1e-4 + 9e-4 + 4e-4) / 2);  // of a loss
  const double of_one = 2 * deviation * std::sqrt(1 + 1.0 / 3);  // two, of a difference
  const double differences[] = {0.9 * of_one, 1.1 * of_one, -0.9 * of_one};
  for (int i = 0; i < 3; ++i) {
    rows.push_back(row(1e6, 1e8, 3 + i, reference + differences[i]));
    rows.back().lr = 0.02, rows.back().extra_norm = "true", rows.back().seed = 11;
  }
  const Json document = make_report({"t", rows, nullptr});
  ASSERT_EQ(document["penalties"].size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const Json& entry = document["penalties"][static_cast<size_t>(i)];
    EXPECT_EQ(entry["precision"], fmt::format("W{}", 3 + i));
    EXPECT_NEAR(entry["difference"].get<double>(), differences[i], 1e-12);
    EXPECT_NEAR(entry["deviation"].get<double>(), of_one / 2, 1e-12);
    EXPECT_TRUE(entry["noise"].is_null());
  }
  EXPECT_EQ(document["pure_error"]["freedom"], 2);
  EXPECT_EQ(document["summary"]["noise"],
            "Losses deviate by 0.026 nats between seeds (2 degrees of freedom): too few to say "
            "which differences from BF16 are noise. 2 more runs with other seeds would do.");

  std::vector<TidyRow> enough = rows;
  for (int seed = 0; seed < 3; ++seed) {  // the same noise at another D: four degrees
    enough.push_back(rows[static_cast<size_t>(seed)]);
    enough.back().D = 200'000'000;
  }
  const Json judged = make_report({"t", enough, nullptr});
  for (int i = 0; i < 3; ++i) {
    const Json& entry = judged["penalties"][static_cast<size_t>(i)];
    EXPECT_NEAR(entry["deviation"].get<double>(), of_one / 2, 1e-12);
    EXPECT_EQ(entry["noise"], i != 1);
  }
  EXPECT_EQ(judged["summary"]["noise"],
            "Losses deviate by 0.026 nats between seeds (4 degrees of freedom): 2 of 3 differences "
            "from BF16 are below two deviations, which is noise.");
  EXPECT_NE(report_text(judged).find("2 of 3 differences"), std::string::npos);

  rows.erase(rows.begin(), rows.begin() + 2);  // one seed each
  const Json unknown = make_report({"t", rows, nullptr});
  EXPECT_TRUE(unknown["pure_error"].is_null());
  for (const Json& entry : unknown["penalties"]) EXPECT_TRUE(entry["noise"].is_null());
  EXPECT_NE(unknown["summary"]["noise"].get<std::string>().find("not known"), std::string::npos);
}

// The same seed gives the same first weights and the same samples: what it does to a loss, it does
// at every precision.
TEST(Report, SeedsThatBothHaveAreComparedInPairs) {
  std::vector<TidyRow> rows;
  const double of_seed[] = {0.0, 0.1, 0.5}, of_pair[] = {-0.001, 0.001};
  for (const double d : {1e8, 2e8, 3e8, 4e8}) {
    for (int seed = 0; seed < 3; ++seed) {
      rows.push_back(row(1e6, d, 16, 3 + of_seed[seed]));
      rows.back().seed = seed + 1;
    }
    for (int seed = 0; seed < 2; ++seed) {
      rows.push_back(row(1e6, d, 4, 3.01 + of_seed[seed] + of_pair[seed]));
      rows.back().seed = seed + 1;
    }
  }
  const Json document = make_report({"t", rows, nullptr});
  ASSERT_EQ(document["penalties"].size(), 4u);
  for (const Json& entry : document["penalties"]) {
    EXPECT_EQ(entry["paired"], true);
    EXPECT_EQ(entry["runs"], 2);
    EXPECT_EQ(entry["references"], 2);
    EXPECT_NEAR(entry["reference"].get<double>(), 3.05, 1e-12);
    EXPECT_NEAR(entry["difference"].get<double>(), 0.01, 1e-12);
    EXPECT_NEAR(entry["deviation"].get<double>(), 0.001, 1e-12)
        << "0.0014 between pairs, over the root of two";
    EXPECT_EQ(entry["noise"], false);
  }

  for (TidyRow& row : rows) {
    if (row.P_w < 16) row.seed = *row.seed + 10;
  }
  const Json unmatched = make_report({"t", rows, nullptr});
  for (const Json& entry : unmatched["penalties"]) {
    EXPECT_EQ(entry["paired"], false);
    EXPECT_EQ(entry["references"], 3);
    EXPECT_NEAR(entry["difference"].get<double>(), 0.06 - 0.2, 1e-12);
    EXPECT_EQ(entry["noise"], true);
  }
}

TEST(Report, UnstableRunsAreMarked) {
  std::vector<TidyRow> rows = replicated(1e6, 1e8);
  for (TidyRow& row : rows) row.unstable = row.P_w < 16 ? 1 : 0;
  const Json document = make_report({"t", rows, published_fit()});
  EXPECT_EQ(document["penalties"][0]["unstable"], true);
  for (const Json& point : document["figures"]["effective"]["parts"][0]["points"])
    EXPECT_EQ(point["flagged"], true);
}

TEST(Report, RowsThatDifferInAFactorAreNoted) {
  std::vector<TidyRow> rows = replicated(1e6, 1e8);
  EXPECT_TRUE(make_report({"t", rows, nullptr})["notes"].empty());
  rows[0].extra_norm = "false";
  const Json notes = make_report({"t", rows, nullptr})["notes"];
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0], "Pooled: rows differ in extra_norm (false: 1 row, true: 4 rows).");
  rows[0].status = "diverged";
  EXPECT_EQ(rows_to_pool(rows).size(), 4u);
}

TEST(Report, PanelsHoldASeriesPerMethodAndBits) {
  std::vector<TidyRow> rows;
  for (double n : {1e5, 2e5}) {
    for (double d : {1e6, 4e6}) {
      rows.push_back(row(n, d, 16, 3.5));
      for (const char* method : {"rtn", "gptq"}) {
        for (double bits : {3.0, 4.0}) {
          rows.push_back(row(n, d, 16, 3.9, method, bits));  // loss on other tokens than the run's
          rows.back().delta = 0.1;
        }
      }
      for (const char* method : {"gptq+clip", "awq", "none+a4"}) {  // not in this figure either
        rows.push_back(row(n, d, 16, 3.9, method, method[0] == 'n' ? 16.0 : 3.0));
        rows.back().delta = 0.2;
      }
      rows.push_back(row(n, d, 4, 3.7));  // trained at 4 bits: not in this figure
      rows.back().run = "other";
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
  const Json document = make_report({"t", {row(1e6, 1e8, 16, 3)}, published_fit()});
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
  EXPECT_EQ(optimum["depends_on"], (Json{"gamma_a", "gamma_kv", "gamma_w", "n_a", "n_kv", "n_w"}));
}

TEST(Report, SaysWhatIsMissingWithoutAFit) {
  const Json document = make_report({"t", {row(1e6, 1e8, 16, 3)}, nullptr});
  EXPECT_TRUE(document["figures"]["optimum"].is_null());
  EXPECT_EQ(document["summary"]["sentence"], "There is no fit.");
  EXPECT_NE(report_html(document).find("\"runs\":1"), std::string::npos);
}

TEST(Report, SaysThatAFitIsOfOtherRuns) {
  Json fit = published_fit();
  fit["table"] = {{"path", "runs/other"}, {"rows", 38}, {"hash", "0123"}};
  const auto answer = [&](const std::string& hash) {
    return make_report({"t", {row(1e6, 1e8, 16, 3)}, fit, Json::array(), {}, hash})["answer"]
        .dump();
  };
  EXPECT_NE(answer("4567").find("The fit is not of these runs as they are now: it was made from 38 "
                                "rows of runs/other."),
            std::string::npos)
      << answer("4567");
  EXPECT_EQ(answer("0123").find("not of these runs"), std::string::npos);
  EXPECT_EQ(answer("0123").find("Pooled"), std::string::npos);
  fit["table"]["pooled"] = "Pooled: rows differ in lr (0.01: 3 rows, 0.02: 4 rows).";
  EXPECT_NE(answer("0123").find("The fit: Pooled: rows differ in lr (0.01: 3 rows, 0.02: 4 rows)."),
            std::string::npos)
      << answer("0123");
  EXPECT_EQ(answer("").find("not of these runs"), std::string::npos) << "nobody knows";
}

TEST(Report, AFitOfOtherRunsIsNotSaidToBeOfThese) {
  std::vector<TidyRow> rows;
  for (const double n : {1e6, 2e6, 4e6}) rows.push_back(row(n, 1e8, 16, 3));
  Json fit = published_fit();
  fit["table"] = {{"path", "runs/other"}, {"rows", 38}, {"hash", "0123"}};
  fit["held_out"] = {
      {{"part", "training"}, {"split", "largest-N"}, {"points", 5}, {"rms_log", 0.01}}};
  const auto drawings = [&](const std::string& hash) {
    return make_report({"t", rows, fit, Json::array(), {}, hash})["drawings"].dump();
  };
  const auto identified = [&](const std::string& hash) {
    return make_report({"t", rows, fit, Json::array(), {}, hash})["summary"]["sentence"]
        .get<std::string>();
  };
  EXPECT_TRUE(identified("0123").starts_with("These data ")) << identified("0123");
  EXPECT_TRUE(identified("4567").starts_with("The data of the fit ")) << identified("4567");
  EXPECT_NE(drawings("0123").find("These rows were fitted"), std::string::npos);
  EXPECT_EQ(drawings("4567").find("These rows were fitted"), std::string::npos);
  EXPECT_NE(drawings("4567").find("The law was fitted to another table; it was tested there on "
                                  "held-out rows, root mean square: largest-N: 1.00 % (5 rows)."),
            std::string::npos);
}

TEST(Report, OneLengthOfTrainingIsNoRange) {
  const Json document =
      make_report({"t", {row(1e6, 1999872, 16, 3), row(1e6, 2e6, 16, 3)}, nullptr});
  EXPECT_EQ(document["answer"][0], "2 models with 1 M parameters were trained on 2 M tokens.");
}

TEST(Report, SaysThatEveryRunDiverged) {
  std::vector<TidyRow> rows{row(1e6, 1e8, 4, kNoNumber), row(2e6, 1e8, 4, kNoNumber)};
  for (TidyRow& each : rows) each.status = "diverged";
  const auto answer = [&] { return make_report({"t", rows, nullptr})["answer"][0].dump(); };
  EXPECT_NE(answer().find("All of them diverged"), std::string::npos) << answer();
  rows[1].status = "finished";
  EXPECT_EQ(answer().find("diverged"), std::string::npos) << answer();
}

TEST(Report, TheSentenceNamesWideIntervals) {
  Json fit = published_fit();
  fit["parameters"]["gamma_a"]["high"] = 100;
  fit["parameters"]["b"]["frozen"] = "only C_T exp(b) can be told";
  const std::string sentence = make_report({"t", {}, fit})["summary"]["sentence"];
  EXPECT_NE(sentence.find("do not pin down gamma_a"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("leave b at fixed values"), std::string::npos) << sentence;
}

TEST(Report, AConstantAtTheEdgeOfItsRangeIsNotIdentified) {
  Json fit = published_fit();
  const double edge = find_law("kumar")->parameters[parameter_index(*find_law("kumar"), "A")].high;
  fit["parameters"]["A"] = {{"value", edge}, {"low", 0.99 * edge}, {"high", edge}};
  const Json document = make_report({"t", {row(1e6, 1e8, 16, 3)}, fit});
  EXPECT_NE(
      document["summary"]["sentence"].get<std::string>().find("A (ended at the edge of its range)"),
      std::string::npos);
}

// The published law once more with draws around it, so that estimates have intervals.
Json fit_with_draws() {
  Json fit = published_fit();
  Json names = Json::array(), values = Json::array();
  for (const char* name : {"gamma_w", "gamma_post"}) names.push_back(name);
  for (int i = 0; i < 100; ++i) {
    Json draw = Json::array();
    for (const Json& name : names) {
      const double value = fit["parameters"][name.get<std::string>()]["value"];
      draw.push_back(value * (0.95 + 0.1 * i / 99));
    }
    values.push_back(draw);
  }
  fit["draws"] = {{"names", names}, {"values", values}};
  return fit;
}

std::vector<TidyRow> small_study() {
  std::vector<TidyRow> rows;
  for (double n : {26.8e3, 443e3}) {
    rows.push_back(row(n, 4e6, 16, 3.5));
    rows.push_back(row(n, 16e6, 16, 3.4));
    rows.push_back(row(n, 4e6, 4, 3.6));
    for (double bits : {8.0, 4.0, 3.0}) {
      for (double other : {-1.0, 1.0}) {  // two calibrations
        rows.push_back(row(n, 16e6, 16, 3.5, "gptq", bits));
        rows.back().delta = bits == 8 ? 0.0001 : (bits == 4 ? 0.0307 : 0.19) * (1 + 0.01 * other);
        rows.back().standard_error = bits == 8 ? 0.0001 : bits == 4 ? 0.0011 : 0.0032;
      }
    }
  }
  return rows;
}

Json effort() {
  const auto session = [](double seconds, int cores) {
    return Json{{"seconds", seconds}, {"cores", cores}, {"processor", "Xeon"}};
  };
  return {session(500, 2), session(40, 2), session(60, 8)};
}

TEST(Report, LeadsWithItsAnswer) {
  const Json document = make_report({"t", small_study(), fit_with_draws(), effort()});
  const Json& answer = document["answer"];
  ASSERT_EQ(answer.size(), 3u);
  EXPECT_EQ(
      answer[0],
      "6 models with 26.8 k to 443 k parameters were trained on 4 M to 16 M tokens, 2 of them "
      "with weights, activations or keys and values at 4 bits; 1 was quantized after "
      "training, in 12 cells. That took 9 min 00 s on 2 cores (Xeon) and 1 min 00 s on 8 cores "
      "(Xeon).");
  const Json& interval = document["figures"]["optimum"]["intervals"]["P_w"];
  EXPECT_EQ(answer[1],
            fmt::format("At a cost proportional to bits, the best training precision is 7.00 "
                        "bits (90 % interval {:.2f} to {:.2f}) for weights, activations, and keys "
                        "and values together; the published constants give 7.00 (comparable only "
                        "with the same extra norm and the same shared scales). No run here has all "
                        "three below 16 "
                        "bits, so this rests on the law's form.",
                        interval["low"].get<double>(), interval["high"].get<double>()));
  const double gamma_post = fit_with_draws()["parameters"]["gamma_post"]["value"];
  EXPECT_EQ(document["post_bit"]["depends_on"], Json{"gamma_post"});
  EXPECT_NEAR(document["post_bit"]["ratio"].get<double>(), std::exp(1 / gamma_post), 1e-9);
  EXPECT_EQ(answer[2],
            fmt::format("After training, one bit less (3 instead of 4) costs {:.2f} times as much "
                        "loss (90 % interval {:.2f} to {:.2f}). GPTQ cost the largest model (443 k "
                        "parameters, 16 M tokens) 0.0307 ± 0.0011 nats per token at 4 bits and "
                        "0.1900 ± 0.0032 at 3 (± a standard error).",
                        std::exp(1 / gamma_post), std::exp(1 / (1.045 * gamma_post)),
                        std::exp(1 / (0.955 * gamma_post))));
  std::string text = report_text(document);
  std::replace(text.begin(), text.end(), '\n', ' ');  // lines are wrapped
  EXPECT_TRUE(text.starts_with(answer[0].get<std::string>())) << text;
  EXPECT_GT(text.find("do not pin down"), text.find(answer[2].get<std::string>()))
      << "what the runs do not identify comes after what they do";
}

TEST(Report, WithoutAFitThereIsNoTableOfConstants) {
  const std::string text = report_text(make_report({"t", {row(1e6, 1e8, 16, 3)}, nullptr}));
  EXPECT_EQ(text.find("published"), std::string::npos) << text;
  EXPECT_NE(text.find("There is no fit."), std::string::npos);
}

TEST(Report, GivesNoNumberForWhatIsNotIdentified) {
  const Law& law = *find_law("kumar");
  const auto parameter = [&](const char* name) {
    return law.parameters[static_cast<size_t>(parameter_index(law, name))];
  };
  const auto with = [&](const char* name, double value) {
    Json fit = fit_with_draws();
    fit["parameters"][name] = {{"value", value}, {"low", value}, {"high", value}};
    return fit;
  };
  EXPECT_EQ(
      make_report({"t", small_study(), with("gamma_a", parameter("gamma_a").low)})["answer"][1],
      "These runs do not identify the best training precision: gamma_a, on which it "
      "depends, ended at the edge of its range.");
  EXPECT_EQ(
      make_report({"t", small_study(), with("gamma_a", parameter("gamma_a").high)})["answer"][1],
      "These runs do not identify the best training precision: the fitted constants give none.");
  Json fit = with("A", parameter("A").high);  // which the best precision does not depend on
  EXPECT_NE(make_report({"t", small_study(), fit})["answer"][1].get<std::string>().find("7.00"),
            std::string::npos);
  fit["parameters"]["gamma_post"]["frozen"] = "too few cells";
  EXPECT_TRUE(make_report({"t", small_study(), fit})["answer"][2].get<std::string>().starts_with(
      "These runs do not identify what a bit less costs after training: gamma_post, on which it "
      "depends, was not fitted. GPTQ cost"));
  EXPECT_EQ(make_report({"t", small_study(), published_fit()})["answer"][1],
            "These runs do not identify the best training precision: the fit has no intervals.");
  EXPECT_EQ(make_report({"t", small_study(), nullptr})["answer"].size(), 2u);
}

// A constant of which any value fits as well gets none.
TEST(Report, WhatIsNotIdentifiedHasNoValue) {
  Json fit = published_fit();
  fit["parameters"]["E"].update(
      {{"value", 1.2345}, {"low", 1e-9}, {"high", 2.5}, {"identified", false}});
  const Json document = make_report({"t", small_study(), fit});
  const std::string out = report_text(document);
  EXPECT_NE(out.find("not identified"), std::string::npos) << out;
  EXPECT_EQ(out.find("1.2345"), std::string::npos) << out;
}

TEST(Report, DataCannotEndTheScriptThatHoldsIt) {
  TidyRow bad = row(1e6, 1e8, 16, 3);
  bad.run = "</script><script>alert(1)</script>";
  const std::string html = report_html(make_report({"t", {bad}, nullptr}));
  EXPECT_EQ(html.find("</script><script>alert"), std::string::npos);
  bad.run = "<!--<script>";  // would hide the element's own end
  EXPECT_EQ(report_html(make_report({"t", {bad}, nullptr})).find("<!--"), std::string::npos);
}

TEST(Report, ALawWithoutATermForQuantizationDrawsNoCurveOfIt) {
  // kumar has such a term, kumar-additive has none.
  const auto figures_of = [](const char* name) {
    const Law& law = *find_law(name);
    Json fit = published_fit();
    fit["law"] = name;
    fit["parameters"] = Json::object();
    for (size_t i = 0; i < law.parameters.size(); ++i)
      fit["parameters"][law.parameters[i].name] = {{"value", law.constants[0].values[i]}};
    TidyRow cell = row(1e6, 1e8, 16, 3.1, "gptq", 4);
    cell.delta = 0.1;
    return make_report({"t", {row(1e6, 1e8, 16, 3), cell}, fit})["figures"];
  };
  const auto count_curves = [](const Json& figures) {
    size_t curves = 0;
    for (const Json& one : figures["ptq"]["panels"][0]["series"]) curves += one.count("curve");
    for (const Json& one : figures["delta"]["series"]) curves += one.count("curve");
    return curves;
  };
  const Json with = figures_of("kumar"), without = figures_of("kumar-additive");
  EXPECT_EQ(count_curves(with), 2u);
  EXPECT_EQ(count_curves(without), 0u);
  EXPECT_EQ(with["predicted"]["points"].size(), 2u);
  EXPECT_EQ(without["predicted"]["points"].size(), 1u);
}

TEST(Report, EveryMethodWithoutOptionsIsDrawn) {
  std::vector<TidyRow> rows{row(1e6, 1e8, 16, 3)};
  for (const char* method : {"gptq", "rtn", "a-new-one", "gptq+clip"}) {
    rows.push_back(row(1e6, 1e8, 16, 3.1, method, 4));
    rows.back().delta = 0.1;
  }
  const Json document = make_report({"t", rows, nullptr});
  std::set<std::string> drawn;
  for (const Json& one : document["figures"]["delta"]["series"])
    drawn.insert(one["method"].get<std::string>());
  EXPECT_EQ(drawn, (std::set<std::string>{"a-new-one", "gptq", "rtn"}));
}

// ---- tables from elsewhere ----

// Runs of a law without bits, with a fit whose E is off by `off`, for the studied ranges `studied`.
std::vector<Observation> table_rows(double noise) {
  std::vector<Observation> out;
  for (const double n : {1e7, 2e7, 4e7, 8e7, 1.6e8, 3.2e8}) {
    for (const double d : {1e9, 2e9, 4e9, 8e9, 1.6e10, 3.2e10}) {
      Observation row;
      row.params = n, row.tokens = d;
      row.loss_nats = (1.8 + 480 * std::pow(n, -0.35) + 2000 * std::pow(d, -0.36)) *
                      std::exp(noise * std::sin(37.0 * static_cast<double>(out.size())));
      out.push_back(row);
    }
  }
  return out;
}

Json two_term_fit(double e, double most_params) {
  Json parameters = Json::object();
  for (const auto& [name, value] : std::map<std::string, double>{
           {"E", e}, {"A", 480}, {"B", 2000}, {"alpha", 0.35}, {"beta", 0.36}})
    parameters[name] = {{"value", value}, {"low", 0.9 * value}, {"high", 1.1 * value}};
  Reach reach;
  reach.params = {1e7, most_params}, reach.tokens = {1e9, 3.2e10}, reach.compute = {6e16, 7e19};
  return {{"law", "chinchilla"},
          {"parameters", parameters},
          {"studied", reach_json(reach)},
          {"profiles",
           {{"alpha",
             {{"low", 0.3},
              {"high", nullptr},
              {"points", Json::parse(R"([{"value": 0.3, "rise": 2.7}, {"value": 0.35, "rise": 0},
                                         {"value": 0.4, "rise": 0.5}])")}}}}},
          {"notes", Json::array()}};
}

Json report_on_table(std::vector<Observation> rows, Json fit, Json comparison = nullptr) {
  ReportInput input;
  input.title = "t";
  Table table;
  for (const Observation& row : rows)
    table.factors.push_back(
        factor_row(row, {.fields = std::vector<std::string>(factors().size())}));
  table.runs = rows;
  ReportRows report = report_rows(table);
  input.rows = std::move(report.rows);
  input.factors = std::move(report.factors);
  input.observations = std::move(rows);
  input.fit = std::move(fit);
  input.comparison = std::move(comparison);
  input.is_table = true;
  return make_report(input);
}

std::string sentences_of(const Json& figure) {
  std::string out;
  for (const Json& each : figure["sentences"]) out += each.get<std::string>() + " ";
  return out;
}

TEST(ReportOfATable, ResidualsAreThoseOfTheLaw) {
  const Json figure =
      report_on_table(table_rows(0), two_term_fit(1.8, 3.2e8))["figures"]["residuals"];
  ASSERT_EQ(figure["panels"].size(), 3u);
  for (const Json& panel : figure["panels"]) {
    size_t points = 0;
    for (const Json& series : panel["series"]) {
      points += series["points"].size();
      for (const Json& point : series["points"]) EXPECT_NEAR(point["y"].get<double>(), 0, 1e-9);
    }
    EXPECT_EQ(points, 36u) << panel["x"];
  }
  EXPECT_NE(sentences_of(figure).find("no mean residual"), std::string::npos);
  EXPECT_NE(sentences_of(figure).find("All runs lie within"), std::string::npos);
}

TEST(ReportOfATable, WhatIsOffAndWhatIsBeyondIsSaid) {
  std::vector<Observation> rows = table_rows(1e-3);
  for (Observation& row : rows) {
    if (row.params > 1e8) row.loss_nats *= 1.02;  // the large ones are worse than the law has it
  }
  const Json figure = report_on_table(rows, two_term_fit(1.8, 1e8))["figures"]["residuals"];
  const std::string said = sentences_of(figure);
  EXPECT_NE(said.find("off in the mean"), std::string::npos) << said;
  EXPECT_NE(said.find("N 160 M to 320 M (+"), std::string::npos) << said;
  EXPECT_NE(said.find("12 of 36 rows lie beyond"), std::string::npos) << said;
  EXPECT_NE(said.find("N is 3.2 times their largest"), std::string::npos) << said;
}

TEST(ReportOfATable, IsoflopCurvesHaveTheirMinima) {
  const Json figure =
      report_on_table(table_rows(1e-4), two_term_fit(1.8, 3.2e8))["figures"]["isoflop"];
  ASSERT_TRUE(figure.is_object());
  size_t with_minimum = 0;
  for (const Json& budget : figure["budgets"]) {
    EXPECT_GE(budget["points"].size(), 3u);
    EXPECT_EQ(budget["law"].size(), 40u);
    EXPECT_NE(budget.contains("minimum"), budget.contains("missing"));
    with_minimum += budget.contains("minimum");
  }
  EXPECT_NE(sentences_of(figure).find("budgets"), std::string::npos);
  EXPECT_GT(with_minimum, 0u);
}

// Runs with quantized gradients are not among those whose gradients are not.
TEST(ReportOfATable, IsoflopCurvesKeepBackwardPassesApart) {
  std::vector<Observation> rows = table_rows(1e-4), others = rows;
  for (Observation& other : others) other.backward = "fp4", other.loss_nats += 0.1;
  const Json alone = report_on_table(rows, nullptr)["figures"]["isoflop"]["budgets"];
  others.pop_back();  // so that there are fewer of them
  rows.insert(rows.end(), others.begin(), others.end());
  const Json isoflop = report_on_table(rows, nullptr)["figures"]["isoflop"];
  ASSERT_EQ(isoflop["budgets"].size(), alone.size());
  for (size_t i = 0; i < alone.size(); ++i)
    EXPECT_EQ(isoflop["budgets"][i]["points"].size(), alone[i]["points"].size());
  EXPECT_NE(isoflop["sentences"][0].get<std::string>().find(", backward not quantized:"),
            std::string::npos)
      << isoflop["sentences"];
}

// A gap is the measured cost; the reference runs are not among the rows.
TEST(ReportOfATable, GapsAreTheCostOfBits) {
  std::vector<Observation> rows;
  for (const double n : {1e7, 2e7}) {
    Observation run;
    run.params = n, run.tokens = 1e9, run.bits_weights = 4, run.loss_nats = 3;
    run.delta_nats = n / 1e8;
    rows.push_back(run);
  }
  const Json document = report_on_table(rows, nullptr);
  EXPECT_EQ(document["summary"]["noise"], "");
  const std::string drawings = document["drawings"].dump();
  EXPECT_NE(drawings.find("Measured against their reference runs, fewer bits of weights cost at 4 "
                          "bits +0.1000 to +0.2000 nats (2 runs)."),
            std::string::npos)
      << drawings;
}

// Each row would count as a model.
TEST(ReportOfATable, ModelsWithoutANameAreNotCounted) {
  std::vector<Observation> rows(3);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].params = 7e9, rows[i].tokens = 1e12, rows[i].bits_post = 3.0 + static_cast<double>(i);
    rows[i].delta_nats = 0.1;
  }
  EXPECT_EQ(report_on_table(rows, nullptr)["answer"][0],
            "Models were quantized after training, in 3 cells; no column names them, so they are "
            "not counted.");
  for (Observation& each : rows) each.cluster = "llama";
  EXPECT_EQ(report_on_table(rows, nullptr)["answer"][0],
            "1 model was quantized after training, in 3 cells.");
}

TEST(ReportOfATable, ProfilesAndComparisonsAreTables) {
  const Json comparison = Json::parse(R"({"verdict": "a is ahead of b.", "hold_out": "kfold",
      "laws": [{"name": "a", "k": 5, "rms_log": 0.01, "r2": 0.9, "aicc": -10.0, "tied_with_best": true,
                "held_out": {"rms_log": 0.02, "standard_error": 0.001}},
               {"name": "b", "k": 3, "note": "cannot be fitted"}]})");
  const Json document = report_on_table(table_rows(0), two_term_fit(1.8, 3.2e8), comparison);
  ASSERT_EQ(document["figures"]["profiles"].size(), 1u);
  EXPECT_EQ(document["figures"]["profiles"][0]["points"].size(), 3u);
  ASSERT_EQ(document["comparison"]["laws"].size(), 2u);
  EXPECT_EQ(document["comparison"]["laws"][0]["held_out"], 0.02);
  EXPECT_EQ(document["comparison"]["laws"][1]["note"], "cannot be fitted");
  EXPECT_EQ(document["figures"]["predicted"]["points"].size(), 36u);
}

TEST(ReportOfATable, NamesNeverBecomeMarkup) {
  std::vector<Observation> rows = table_rows(1e-3);
  const std::string evil = "</script><script>alert(1)</script>";
  for (Observation& row : rows) row.precision = row.cluster = evil;
  Json comparison = Json::parse(R"({"verdict": "v", "hold_out": "h", "laws": [{"name": "n"}]})");
  comparison["laws"][0]["note"] = evil;
  const std::string page = report_html(report_on_table(rows, two_term_fit(1.8, 3.2e8), comparison));
  EXPECT_EQ(page.find(evil), std::string::npos);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
}

TEST(ReportOfATable, ResidualsStandAgainstReplicates) {
  Json fit = two_term_fit(1.8, 3.2e8);
  fit["lack_of_fit"] = {{"residual", 0.0127}, {"noise", 0.0023},       {"f", 89.0},
                        {"p", 1e-20},         {"noise_freedom", 58.0}, {"freedom", 28.0}};
  const std::string said =
      sentences_of(report_on_table(table_rows(1e-3), fit)["figures"]["residuals"]);
  EXPECT_NE(said.find("F(28, 58) = 89"), std::string::npos) << said;
  EXPECT_NE(said.find("misses more than noise"), std::string::npos) << said;
}

// A fit that counts embeddings shrinks only what bits shrink (laws/fixed_params.h).
TEST(ReportOfATable, ResidualsCountParametersAsTheFitDoes) {
  Json fit = published_fit();
  fit["params"] = "total";
  fit["fixed_params"] = {{"scale", 1e6}, {"exponent", 0.1}, {"sizes", 3}, {"spread", 0.01}};
  const FittedLaw law = fitted_law(fit);
  std::vector<Observation> rows;
  for (const double n : {1e7, 4e7, 1.6e8}) {
    for (const double bits : {4.0, 16.0}) {
      Observation row;
      row.params = n, row.params_total = 1.5 * n, row.tokens = 1e10, row.bits_weights = bits;
      Observation counted = row;
      count_all_params(counted);
      row.loss_nats = predict(*law.law, law.values.data(), counted);
      rows.push_back(row);
    }
  }
  const Json figure = report_on_table(rows, fit)["figures"]["residuals"];
  for (const Json& series : figure["panels"][2]["series"]) {
    for (const Json& point : series["points"]) {
      EXPECT_NEAR(point["y"].get<double>(), 0, 1e-9);
      EXPECT_EQ(std::fmod(point["N"].get<double>(), 1.5e7), 0);
    }
  }
}

TEST(ReportOfATable, RowsThatTheFitCannotPredictAreCounted) {
  std::vector<Observation> rows = table_rows(1e-3);
  Json fit = two_term_fit(1.8, 3.2e8);
  fit["law"] = "quest";
  fit["parameters"]["eff[4]"] = {{"value", 0.7}};
  for (size_t i = 0; i < rows.size(); ++i) rows[i].precision = i < 30 ? "4" : "3";
  const std::string said = sentences_of(report_on_table(rows, fit)["figures"]["residuals"]);
  EXPECT_NE(said.find("losses of 30 runs"), std::string::npos) << said;
  EXPECT_NE(said.find("6 more have a precision"), std::string::npos) << said;
}

// 750 M is not 75 M: what shortens a number drops zeros behind the point alone.
TEST(ReportOfATable, ThePageDropsNoZerosOfWholeNumbers) {
  const std::string page = report_html(report_on_table(table_rows(0), nullptr));
  EXPECT_EQ(page.find("replace(/\\.?0+$/"), std::string::npos);
}

TEST(ReportOfATable, WithoutAFitThereAreNoResiduals) {
  const Json document = report_on_table(table_rows(1e-3), nullptr);
  EXPECT_TRUE(document["figures"]["residuals"].is_null());
  EXPECT_TRUE(document["figures"]["isoflop"].is_object());  // the curves need none
  EXPECT_TRUE(document["comparison"].is_null());
  EXPECT_FALSE(report_html(document).empty());
}

}  // namespace
}  // namespace bitlaw
