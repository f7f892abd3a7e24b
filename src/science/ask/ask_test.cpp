// Answers are the documents of the functions that verbs call; a wrong question is one sentence.
#include "ask/ask.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "ask/answers.h"
#include "ask/table_words.h"
#include "base/config.h"
#include "laws/describe.h"
#include "laws/registry.h"
#include "plan/frontier.h"
#include "plan/landscape.h"
#include "plan/plan.h"
#include "simulate/simulate.h"

namespace bitlaw {
namespace {

std::string error_of(const Json& answer) {
  return answer.value("error", std::string());
}

// Losses of a law of N, D and bits of weights, without noise.
std::string csv_of(const char* law_name) {
  const Law& law = law_named(law_name);
  std::string out = "N,D,P_w,loss\n";
  for (const double params : {1e7, 3e7, 1e8, 3e8}) {
    for (const double tokens : {2e9, 1e10, 4e10}) {
      for (const double bits : {3.0, 4.0, 6.0, 16.0}) {
        Observation run;
        run.params = params, run.tokens = tokens, run.bits_weights = bits;
        out += fmt::format("{},{},{},{}\n", params, tokens, bits,
                           predict(law, law.constants[0].values.data(), run));
      }
    }
  }
  return out;
}

TEST(Ask, APlanIsThatOfTheRequest) {
  PlanRequest request;
  request.compute = 1e21, request.memory_bytes = 8e9;
  const Json answer =
      ask({{"verb", "plan"}, {"options", {{"compute", 1e21}, {"memory_bytes", 8e9}}}});
  EXPECT_EQ(dump_json(answer), dump_json(plan_json(make_plan(request))));
  PlanRequest frontier;
  frontier.frontier = "bytes=1e8..1e9", frontier.tokens = 1e11;
  EXPECT_EQ(dump_json(ask({{"verb", "plan"},
                           {"options", {{"frontier", "bytes=1e8..1e9"}, {"tokens", 1e11}}}})),
            dump_json(frontier_json(make_frontiers(frontier, {}, nullptr))));
}

TEST(Ask, AFitIsThatOfTheTableAndPlansGoOnFromIt) {
  const std::string text = csv_of("kumar");
  const Json options{{"law", "kumar"}, {"draws", 20}};
  const Json fit = ask(
      {{"verb", "fit"}, {"table", {{"text", text}, {"name", "runs.csv"}}}, {"options", options}});
  ASSERT_EQ(error_of(fit), "");
  FitOptions how;
  fill(how, options, "options");
  const Law& law = law_named("kumar");
  Table table = table_for({&law}, read_raw_table(text, "runs.csv"), "runs.csv", {});
  table.hash = fit["table"]["hash"].get<std::string>();
  EXPECT_EQ(dump_json(fit), dump_json(fit_table(table, "runs.csv", law, how).document));
  EXPECT_NEAR(fit["parameters"]["alpha"]["value"].get<double>(), 0.4965, 1e-3);

  const Json plan = ask({{"verb", "plan"},
                         {"fits", Json::array({fit})},
                         {"options", {{"params", 1e8}, {"tokens", 1e10}, {"bits", {4, 16, 16}}}}});
  const Json prediction = ask({{"verb", "predict"},
                               {"fits", Json::array({Json{{"name", "mine"}, {"fit", fit}}})},
                               {"runs", Json::array({Json{{"N", 1e8}, {"D", 1e10}, {"P_w", 4}}})}});
  ASSERT_EQ(error_of(plan), "");
  ASSERT_EQ(error_of(prediction), "");
  EXPECT_NEAR(plan["optimum"]["loss"].get<double>(),
              prediction["predictions"][0]["loss"].get<double>(), 1e-12);
}

TEST(Ask, ATableInMemoryIsReadAsItsTextIs) {
  const std::string text = csv_of("kumar");
  const Json words{{"name", "runs.csv"}, {"where", {"P_a=16"}}};
  Json with_text = words;
  with_text["text"] = text;
  Json of_text = ask({{"verb", "table"}, {"table", with_text}});
  const Json in_memory =
      ask({{"verb", "table"}, {"table", words}}, read_raw_table(text, "runs.csv"));
  ASSERT_EQ(error_of(of_text), "");
  of_text["hash"] = in_memory["hash"];  // of the text
  EXPECT_EQ(dump_json(in_memory), dump_json(of_text));
  Json with_hash = words;
  with_hash["hash"] = "abc";
  EXPECT_EQ(
      ask({{"verb", "table"}, {"table", with_hash}}, read_raw_table(text, "runs.csv"))["hash"],
      "abc");
  EXPECT_NE(error_of(ask({{"verb", "table"}, {"table", with_text}}, RawTable())).find("leave out"),
            std::string::npos);
  EXPECT_NE(error_of(ask({{"verb", "laws"}}, RawTable())).find("takes no table"),
            std::string::npos);
}

TEST(Ask, ATableWithoutALawGetsTheUsualOne) {
  const Json table =
      ask({{"verb", "table"}, {"table", {{"text", csv_of("kumar")}, {"name", "t"}}}});
  EXPECT_EQ(table["law"], "kumar");
  EXPECT_EQ(table["rows"], 48);
  const Json plain =
      ask({{"verb", "table"},
           {"table",
            {{"text", "params,tokens,loss\n1e7,1e9,4\n2e7,1e9,3.8\n"}, {"columns", "N=params"}}}});
  EXPECT_EQ(plain["law"], "chinchilla");
  EXPECT_EQ(plain["columns"], (Json::array({"params", "tokens", "loss"})));
}

TEST(Ask, OptionsHaveTheNamesValuesAndHelpOfTheVerb) {
  const Json options = ask({{"verb", "options"}, {"of", "plan"}});
  ASSERT_EQ(options.size(), config_keys(PlanRequest{}).size());
  EXPECT_EQ(options[0]["name"], "law");
  EXPECT_EQ(options[0]["value"], default_law().name);
  EXPECT_NE(error_of(ask({{"verb", "options"}, {"of", "plant"}})).find("plan"), std::string::npos);
}

TEST(Ask, DevicesAreThoseThatAPlanTakes) {
  const Json devices = ask({{"verb", "devices"}});
  ASSERT_GT(devices.size(), 0);
  for (const Json& each : devices) {
    const Json plan =
        ask({{"verb", "plan"}, {"options", {{"gpu_hours", 1e4}, {"device", each["name"]}}}});
    EXPECT_EQ(error_of(plan), "") << dump_json(each);
    EXPECT_GT(each["flops"]["16"], 1e13) << dump_json(each);
  }
}

TEST(Ask, ALandscapeIsThatOfItsRequest) {
  PlanRequest request;
  request.compute = 1e21;
  const std::vector<LandscapeAxis> axes{{"N", {1e9, 5e9}}, {"P", {4, 8}}};
  const Json answer = ask({{"verb", "landscape"},
                           {"options", {{"compute", 1e21}}},
                           {"axes", Json::array({Json{{"name", "N"}, {"values", {1e9, 5e9}}},
                                                 Json{{"name", "P"}, {"values", {4, 8}}}})}});
  EXPECT_EQ(dump_json(answer), dump_json(landscape_json(make_landscape(request, axes))));
}

TEST(Ask, LawsAreThoseOfTheRegistry) {
  EXPECT_EQ(dump_json(ask({{"verb", "laws"}})), dump_json(laws_json()));
  EXPECT_EQ(dump_json(ask({{"verb", "laws"}, {"name", "quest"}})),
            dump_json(law_json(law_named("quest"))));
}

TEST(Ask, AWrongQuestionIsOneSentenceThatNamesWhatIsWrong) {
  struct Case {
    const char* text;
    const char* names;
  };
  for (const Case& each :
       {Case{"{", "question"},
        {"[]", "object"},
        {"{\"verb\": \"plann\"}", "plan"},
        {"{\"verb\": 3}", "verb"},
        {"{\"verb\": \"plan\", \"option\": {}}", "options"},
        {"{\"verb\": \"plan\", \"options\": {\"compute\": \"x\"}}", "compute"},
        {"{\"verb\": \"plan\", \"options\": {\"law\": \"kumr\"}}", "kumar"},
        {"{\"verb\": \"plan\", \"options\": []}", "options"},
        {"{\"verb\": \"fit\"}", "table"},
        {"{\"verb\": \"fit\", \"table\": {\"text\": \"\"}}", "empty"},
        {"{\"verb\": \"fit\", \"table\": {\"text\": \"N,D,loss\\n1,2,x\", \"name\": \"a.csv\"}}",
         "a.csv"},
        {"{\"verb\": \"landscape\"}", "axes"},
        {"{\"verb\": \"landscape\", \"axes\": [3]}", "axes"},
        {"{\"verb\": \"landscape\", \"axes\": [{\"name\": \"N\", \"values\": [null]}]}",
         "positive"},
        {"{\"verb\": \"predict\"}", "runs"},
        {"{\"verb\": \"predict\", \"runs\": []}", "runs"},
        {"{\"verb\": \"predict\", \"runs\": [{\"N\": 1}], \"level\": 2}", "level"},
        {"{\"verb\": \"predict\", \"runs\": [{\"N\": 1}], \"fits\": [1]}", "fits"}}) {
    const std::string answer = ask_text(each.text);
    const Json document = parse_json(answer, "answer");
    ASSERT_EQ(document.size(), 1) << each.text << " " << answer.substr(0, 200);
    EXPECT_NE(error_of(document).find(each.names), std::string::npos)
        << each.text << ": " << error_of(document);
  }
}

// A table and its fit, as a question has them.
Json table_of_text(const std::string& text) {
  return {{"text", text}, {"name", "runs.csv"}};
}

TEST(Ask, ResidualsHaveEveryRowOnce) {
  std::string text = csv_of("chinchilla");
  text += "1e9,2e10,16,\n";
  text.replace(0, text.find('\n'), "N,D,P_w,loss,status");
  size_t line = 0;
  std::string marked;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    marked += text.substr(at, end - at);
    if (line++ > 0) marked += end + 1 == text.size() ? ",diverged" : ",";
    marked += '\n', at = end + 1;
  }
  const Json options{{"law", "chinchilla"}, {"draws", 0}};
  const Json table = table_of_text(marked);
  const Json fit = ask({{"verb", "fit"}, {"table", table}, {"options", options}});
  ASSERT_EQ(error_of(fit), "");
  const Json found =
      ask({{"verb", "residuals"}, {"table", table}, {"options", options}, {"fit", fit}});
  ASSERT_EQ(error_of(found), "");
  const Json& residuals = found["residuals"];
  ASSERT_EQ(residuals.size(), 49U);
  EXPECT_EQ(found["rows"].size(), residuals.size());
  for (size_t i = 0; i < residuals.size(); ++i) {
    EXPECT_EQ(residuals[i]["index"], i);
    EXPECT_EQ(residuals[i]["row"], i + 2);  // lines, after a header
    EXPECT_EQ(residuals[i].contains("left_out"), i == 48);
  }
  EXPECT_EQ(residuals[48]["left_out"], "diverged");
}

TEST(Ask, AFormulaIsALawOfItsOwnQuestion) {
  const Json formula{{"formula", "E + A/N^alpha + B/D^beta"}};
  const Json table = table_of_text(csv_of("chinchilla"));
  const Json options{{"draws", 0}};
  const Json fit =
      ask({{"verb", "fit"}, {"table", table}, {"options", options}, {"formula", formula}});
  ASSERT_EQ(error_of(fit), "");
  EXPECT_EQ(fit["law"], "formula");
  EXPECT_EQ(find_law("formula"), nullptr);
  // Another of the same name.
  const Json other = ask({{"verb", "fit"},
                          {"table", table},
                          {"options", options},
                          {"formula", {{"formula", "E + A/N^alpha"}}}});
  EXPECT_EQ(error_of(other), "");
  EXPECT_EQ(error_of(ask({{"verb", "fit"},
                          {"table", table},
                          {"options", {{"law", "chinchilla"}}},
                          {"formula", formula}})),
            "formula: is a law of its own; leave out law chinchilla, or formula");
  EXPECT_EQ(error_of(ask({{"verb", "fit"}, {"table", table}, {"formula", {{"constants", "k=1"}}}})),
            "constants: belongs to a formula, and none is given");
  const Json compared = ask({{"verb", "compare"},
                             {"table", table},
                             {"options", {{"laws", {"chinchilla"}}}},
                             {"formula", {{"formula", "E + A/N^alpha + B/D^alpha"}}}});
  ASSERT_EQ(error_of(compared), "");
  EXPECT_EQ(compared["laws"].size(), 2U);
}

TEST(Ask, AFileOfLawsIsKnownToItsQuestion) {
  const Json file{{"text",
                   "[law.mine]\nformula = 'E + A/N^alpha'\nvalues = {E = 2, A = 100, alpha = "
                   "0.5}\n"},
                  {"name", "laws.toml"}};
  const Json found = ask({{"verb", "predict"},
                          {"laws", {"mine"}},
                          {"law_file", file},
                          {"runs", {{{"N", 1e4}, {"D", 1e6}}}}});
  ASSERT_EQ(error_of(found), "");
  EXPECT_DOUBLE_EQ(found["predictions"][0]["loss"].get<double>(), 3);
  EXPECT_EQ(find_law("mine"), nullptr);
  // Of laws that are only known, none is the one that is asked for.
  const Json table = table_of_text(csv_of("chinchilla"));
  const Json fit = ask({{"verb", "fit"},
                        {"table", table},
                        {"known_laws", file},
                        {"options", {{"draws", 0}, {"starts", 4}}}});
  EXPECT_EQ(fit["law"], "kumar");
  EXPECT_EQ(ask({{"verb", "laws"}, {"name", "mine"}, {"known_laws", file}})["name"], "mine");
  EXPECT_EQ(error_of(ask({{"verb", "predict"},
                          {"laws", {"mine"}},
                          {"law_file", {{"text", "x = 1\n"}, {"name", "laws.toml"}}},
                          {"runs", {{{"N", 1e4}, {"D", 1e6}}}}})),
            "law_file: laws.toml: has no law; a law is a table [law.NAME] with its formula");
}

TEST(Ask, AStudyIsThatOfItsOptions) {
  StudyOptions study;
  study.params = {1e8, 1e9}, study.seed = 7;
  const Law& law = law_named("chinchilla");
  const std::vector<Observation> runs = design_runs(law, study);
  const Truth truth = truth_for(law, runs, "", nullptr, {"E=1.5"});
  EXPECT_EQ(dump_json(ask({{"verb", "simulate"},
                           {"law", "chinchilla"},
                           {"constants", {"E=1.5"}},
                           {"options", {{"params", {1e8, 1e9}}, {"seed", 7}}}})),
            dump_json(study_json(truth, draw_study(truth, runs, study), study)));
  EXPECT_EQ(error_of(ask(
                {{"verb", "simulate"}, {"law", "chinchilla"}, {"options", {{"weights", {3, 4}}}}})),
            "weights: chinchilla does not model bits in training; leave it out");
}

TEST(Ask, AnApproachIsThatOfTheTable) {
  const Json table = table_of_text(csv_of("chinchilla"));
  const Json found = ask({{"verb", "approach"},
                          {"approach", "parametric"},
                          {"table", {{"text", csv_of("chinchilla")}, {"where", {"P_w=16"}}}},
                          {"options", {{"draws", 0}}},
                          {"of_approach", {{"compute", {1e21}}}}});
  ASSERT_EQ(error_of(found), "");
  EXPECT_EQ(found["asked"], Json::array({"parametric"}));
  EXPECT_TRUE(found["parametric"]["a"]["value"].is_number());
  EXPECT_EQ(error_of(ask({{"verb", "approach"},
                          {"approach", "parametric"},
                          {"table", table},
                          {"of_approach", {{"budget_tolerance", 0.2}}}})),
            "budget_tolerance: --approach parametric has no budgets; leave it out");
}

TEST(Ask, OptionsThatChangeNothingAreRefused) {
  const Json table = table_of_text(csv_of("chinchilla"));
  const auto refused = [&](const char* verb, const Json& options) {
    return error_of(ask({{"verb", verb}, {"table", table}, {"options", options}}));
  };
  EXPECT_EQ(refused("fit", {{"law", "chinchilla"}, {"joint", true}}),
            "joint: chinchilla does not model quantization after training; leave it out");
  EXPECT_EQ(refused("fit", {{"objective", "lad"}, {"huber_delta", 0.1}}),
            "huber_delta: lad has no threshold; leave it out");
  EXPECT_EQ(refused("compare", {{"hold_out", "largest-N"}, {"folds", 3}}),
            "folds: --hold-out largest-N has no folds; leave it out");
  EXPECT_EQ(refused("design", {{"law", "chinchilla"}, {"method", "gptq"}}),
            "method: chinchilla does not model quantization after training; leave it out");
}

}  // namespace
}  // namespace bitlaw
