// The interface that scripts rely on: names of verbs, options and fields that never change.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>

#include "base/config.h"
#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

using Contract = World;

const std::vector<std::string> kVerbs{"data",      "train", "quantize", "eval",    "export",
                                      "sweep",     "work",  "tune",     "runs",    "publish",
                                      "reproduce", "laws",  "fit",      "compare", "design",
                                      "simulate",  "plan",  "report",   "serve"};

constexpr const char* kStudy = R"(
name = "small"
[base]
data.path = "data"
model.width = 32
model.heads = 2
model.sequence = 32
train.batch_tokens = 256
[[grid]]
"train.tokens" = [2560]
"recipe.weights" = ["16", "4"]
[ptq]
where = { "recipe.weights" = "16" }
methods = ["rtn"]
bits = [3]
calibration_tokens = 512
evaluation_tokens = 512
)";

TEST_F(Contract, PlanOptimum) {
  const Json plan =
      json_of({"plan", "--law", "kumar", "--free", "N,D,P", "--compute", "1e21", "--json"});
  const Json& optimum = plan.at("optimum");
  for (const char* part : {"P_w", "P_a", "P_kv"})
    EXPECT_EQ(fmt::format("{:.2f}", optimum.at(part).get<double>()), "7.00") << part;
  const double N = optimum.at("N"), D = optimum.at("D"), P = optimum.at("P_w");
  EXPECT_NEAR(6 * N * D * P / 16, 1e21, 1e21 * 1e-9) << "the budget is spent, and no more";
  EXPECT_GT(optimum.at("loss").get<double>(), 0);
}

TEST_F(Contract, PlanCriticalData) {
  const Json plan = json_of({"plan", "--law", "kumar", "--critical-data", "--params", "30e6",
                             "--bits", "3,4,5,6", "--json"});
  const Json& rows = plan.at("critical_data");
  ASSERT_EQ(rows.size(), 4u);
  double before = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("bits"), 3.0 + static_cast<double>(i));
    EXPECT_GT(rows[i].at("tokens").get<double>(), before) << "more bits bear more tokens";
    before = rows[i].at("tokens");
  }
}

TEST_F(Contract, PlanFromAFitOfOnesOwn) {
  json_of(
      {"fit", "table.csv", "--law", "chinchilla", "--out", "fit.json", "--draws", "20", "--json"});
  const Json plan = json_of({"plan", "--law", "chinchilla", "--fit", "fit.json", "--free", "N,D",
                             "--compute", "1e21", "--json"});
  const double N = plan.at("optimum").at("N"), D = plan.at("optimum").at("D");
  EXPECT_NEAR(6 * N * D, 1e21, 1e21 * 1e-9);
  // Published constants give another optimum: the fit was used.
  const Json published =
      json_of({"plan", "--law", "chinchilla", "--free", "N,D", "--compute", "1e21", "--json"});
  EXPECT_NE(published.at("optimum").at("N"), plan.at("optimum").at("N"));
  EXPECT_NE(published.at("source"), plan.at("source"));
}

TEST_F(Contract, FitOfAnyTable) {
  const Json fit = json_of({"fit", "table.csv", "--law", "chinchilla", "--json"});
  EXPECT_GE(fit.at("objective").get<double>(), 0);
  const std::map<std::string, double> truth{
      {"E", kE}, {"A", kA}, {"B", kB}, {"alpha", kAlpha}, {"beta", kBeta}};
  for (const auto& [name, value] : truth) {
    const Json& parameter = fit.at("parameters").at(name);
    EXPECT_LE(parameter.at("low").get<double>(), parameter.at("value").get<double>()) << name;
    EXPECT_GE(parameter.at("high").get<double>(), parameter.at("value").get<double>()) << name;
  }
  // Losses with a noise of 0.1 % on 20 points: the offset is known to about a percent.
  EXPECT_NEAR(fit.at("parameters").at("E").at("value").get<double>(), kE, 0.03 * kE);

  // The same numbers under other names, in another order, among other columns.
  std::string other = "when,val_loss,params,tokens\n";
  for (const std::string& line : split(read_file(around_.directory / "table.csv"), '\n')) {
    const std::vector<std::string> fields = split(line, ',');
    if (fields.size() == 3 && fields[0] != "N")
      other += fmt::format("\"a, b\",{},{},{}\n", fields[2], fields[0], fields[1]);
  }
  write_text(around_.directory / "other.csv", other);
  const Json mapped = json_of({"fit", "other.csv", "--law", "chinchilla", "--columns",
                               "N=params,D=tokens,loss=val_loss", "--json"});
  EXPECT_EQ(mapped.at("parameters"), fit.at("parameters"));
  EXPECT_EQ(mapped.at("objective"), fit.at("objective"));
}

TEST_F(Contract, AStagedFitKeepsTheConstantsOfAnEarlierOne) {
  json_of(
      {"fit", "table.csv", "--law", "chinchilla", "--out", "base.json", "--draws", "0", "--json"});
  const Json base = parse_json(read_file(around_.directory / "base.json"), "base.json");
  const auto of = [](const Json& fit, const char* name) {
    return fit.at("parameters").at(name).at("value").get<double>();
  };
  const Json staged =
      json_of({"fit", "table.csv", "--law", "chinchilla", "--draws", "0", "--freeze-from",
               "base.json:E,alpha", "--freeze", "alpha=0.3", "--json"});
  EXPECT_EQ(of(staged, "E"), of(base, "E"));  // to the last digit
  EXPECT_EQ(of(staged, "alpha"), 0.3);
  EXPECT_FALSE(staged.at("parameters").at("beta").contains("frozen"));
  EXPECT_GE(staged.at("objective"), base.at("objective"));
}

TEST_F(Contract, FitReadsTheUsualNamesAndFormats) {
  const Json fit = json_of({"fit", "table.csv", "--law", "chinchilla", "--json"});
  std::string tsv = "n_params\ttokens\tval_loss\tset\n", jsonl, json;
  for (const std::string& line : split(read_file(around_.directory / "table.csv"), '\n')) {
    const std::vector<std::string> fields = split(line, ',');
    if (fields.size() != 3 || fields[0] == "N") continue;
    tsv += fmt::format("{}\t{}\t{}\tmine\n", fields[0], fields[1], fields[2]);
    const std::string object = fmt::format(R"({{"size": {{"params": {}}}, "D": {}, "loss": {}}})",
                                           fields[0], fields[1], fields[2]);
    jsonl += object + "\n";
    json += (json.empty() ? "[" : ",\n") + object;
  }
  tsv += "1\t1\tnan\tother\n";
  write_text(around_.directory / "t.tsv", tsv);
  write_text(around_.directory / "t.jsonl", jsonl);
  write_text(around_.directory / "t.json", json + "]");
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"t.tsv", "--where", "set=mine"},
        {"t.tsv", "--where", "loss!=nan"},
        {"t.jsonl", "--columns", "N=size.params"},
        {"t.json", "--columns", "N=size.params", "--format", "json"}}) {
    std::vector<std::string> arguments{"fit", "--law", "chinchilla", "--json"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const Json other = json_of(arguments);
    EXPECT_EQ(other.at("parameters"), fit.at("parameters")) << how[0];
    EXPECT_EQ(other.at("table").at("rows"), 20);
  }
}

TEST_F(Contract, WhatLooksOddInATableIsNoted) {
  write_text(around_.directory / "odd.csv",
             "N,D,loss\n30,1,3.5\n60,2,3.3\n120,4,3.1\n120,4,3.1\n240,8,3.0\n480,16,2.9\n");
  const Json table = json_of({"fit", "odd.csv", "--law", "chinchilla", "--dry-run", "--json"});
  EXPECT_EQ(table.at("rows"), 6);
  const std::string notes = table.at("notes").dump();
  for (const char* part :
       {"--scale N=1e6", "--scale D=1e6", "--drop-duplicates", "proportional to N"})
    EXPECT_NE(notes.find(part), std::string::npos) << part << " is not in: " << notes;
  const Json clean = json_of({"fit", "odd.csv", "--law", "chinchilla", "--dry-run", "--json",
                              "--scale", "N=1e6,D=1e9", "--drop-duplicates"});
  EXPECT_EQ(clean.at("rows"), 5);
  EXPECT_EQ(clean.at("dropped"), 1);
  EXPECT_EQ(json_of({"fit", "table.csv", "--law", "chinchilla", "--dry-run", "--json"}).at("notes"),
            Json::array());
}

TEST_F(Contract, FitOutIsTheDocumentThatJsonPrints) {
  const Json printed = json_of(
      {"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--out", "fit.json", "--json"});
  const auto file = around_.directory / "fit.json";
  EXPECT_EQ(parse_json(read_file(file), "fit.json"), printed);
}

TEST_F(Contract, QuantizePrintsARowPerCell) {
  const Json document =
      json_of({"quantize", run_, "--method", "gptq", "--bits", "3,4,6", "--calibration-tokens",
               "512", "--evaluation-tokens", "1024", "--quiet", "--json"});
  const Json& rows = document.at("rows");
  ASSERT_EQ(rows.size(), 9u);  // round-to-nearest and two calibrations of GPTQ
  const std::vector<int> bits{3, 4, 6, 3, 3, 4, 4, 6, 6};
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("bits"), bits[i]);
    EXPECT_EQ(rows[i].at("method"), i < 3 ? "rtn" : "gptq");
    EXPECT_EQ(rows[i].contains("spread"), i >= 3);
    EXPECT_TRUE(std::isfinite(rows[i].at("delta").get<double>()));
    EXPECT_GE(rows[i].at("standard_error").get<double>(), 0);
    EXPECT_EQ("runs/" + rows[i].at("run").get<std::string>(), run_);
  }
  // Told again, it looks the cells up: the same rows and the same files.
  const Snapshot before = snapshot_of(around_.directory);
  EXPECT_EQ(
      json_of({"quantize", run_, "--method", "gptq", "--bits", "3,4,6", "--calibration-tokens",
               "512", "--evaluation-tokens", "1024", "--quiet", "--json"}),
      document);
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");
}

TEST_F(Contract, EveryVerbHasAnExampleWhoseOptionsExist) {
  for (const std::string& verb : kVerbs) {
    SCOPED_TRACE(verb);
    const Outcome help = run({verb, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.err, "");
    const size_t place = help.out.find("Example:");
    ASSERT_NE(place, std::string::npos) << help.out;
    const std::string example = help.out.substr(place, help.out.find("\n\n", place) - place);
    EXPECT_NE(example.find("\n  bitlaw " + verb), std::string::npos) << example;
    // `data` shows its examples before the options of its own verbs.
    const std::string options = verb == "data" ? run({"data", "prepare", "--help"}).out +
                                                     run({"data", "corpus", "--help"}).out
                                               : help.out.substr(0, place);
    const std::regex flag("--[a-z-]+");
    for (std::sregex_iterator it(example.begin(), example.end(), flag), end; it != end; ++it)
      EXPECT_NE(options.find(it->str()), std::string::npos) << it->str();
  }
  EXPECT_EQ(run({"--version"}).status, 0);
  const Outcome help = run({"--help"});
  for (const std::string& verb : kVerbs)
    EXPECT_NE(help.out.find("\n  " + verb), std::string::npos) << verb;
}

TEST_F(Contract, ReproduceSaysWhetherARunCameOutAgain) {
  const Json planned = json_of({"reproduce", run_, "--dry-run", "--json"});
  EXPECT_EQ(planned.at("exact"), true);
  EXPECT_GT(planned.at("flops").get<double>(), 0);
  const Json again = json_of({"reproduce", run_, "--quiet", "--json"});
  EXPECT_EQ(again.at("reproduced"), true);
  EXPECT_EQ(again.at("weights_hash"), again.at("weights_hash_again"));
  EXPECT_EQ(again.at("run"), std::filesystem::path(run_).filename().string());
  EXPECT_EQ(run({"runs", "runs", "--csv", "rows.csv"}).status, 0);
  EXPECT_EQ(
      json_of({"reproduce", "rows.csv:1", "--runs", "runs", "--quiet", "--json"}).at("reproduced"),
      true);
  expect_refused({"reproduce", "rows.csv:9", "--runs", "runs"}, {"rows.csv: has 1 row,"});
}

TEST_F(Contract, PrintConfigIsTomlThatShowsWhatWasGiven) {
  struct Case {
    std::vector<std::string> arguments;
    const char* pointer;
    Json value;
  };
  const std::vector<Case> cases{
      {{"data", "prepare", "text", "--to", "x", "--vocabulary", "777"}, "/vocabulary", 777},
      {{"train", "train.lr=0.25"}, "/train/lr", 0.25},
      {{"reproduce", run_, "--within", "0.5"}, "/within", 0.5},
      {{"train", "recipe.weights=4", "--threads", "3"}, "/run/threads", 3},
      {{"quantize", run_, "--bits", "2..4"}, "/bits", {2, 3, 4}},
      {{"quantize", run_, "--method", "gptq"}, "/methods", {"gptq"}},
      {{"eval", run_, "--tokens", "1e3"}, "/tokens", 1000},
      {{"fit", "table.csv", "--law", "chinchilla"}, "/law", "chinchilla"},
      {{"compare", "table.csv", "--hold-out", "kfold"}, "/hold_out", "kfold"},
      {{"simulate", "--noise", "0.5"}, "/noise", 0.5},
      {{"plan", "--compute", "1e21"}, "/compute", 1e21},
  };
  const Snapshot before = snapshot_of(around_.directory);
  for (const Case& each : cases) {
    SCOPED_TRACE(each.arguments[0]);
    std::vector<std::string> arguments = each.arguments;
    arguments.push_back("--print-config");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const Json config = parse_toml(outcome.out, "standard output");
    const Json* const value = find_json_pointer(config, each.pointer);
    ASSERT_NE(value, nullptr) << each.pointer;
    EXPECT_EQ(*value, each.value);
  }
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");

  // What `train` prints is a configuration: it means the same when it is read back.
  const Outcome first = run({"train", "model.width=48", "train.lr=0.25", "--print-config"});
  write_text(around_.directory / "run.toml", first.out);
  EXPECT_EQ(run({"train", "run.toml", "--print-config"}).out, first.out);
  EXPECT_EQ(parse_toml(run({"train", "run.toml", "model.width=64", "--print-config"}).out, "")
                .at("model")
                .at("width"),
            64)
      << "later items win";
  // With what a named recipe gives, and read back without a contradiction.
  const Outcome named = run({"train", "recipe.named=quest-w4a4", "--print-config"});
  const Json recipe = parse_toml(named.out, "").at("recipe");
  EXPECT_EQ(recipe.at("named"), "quest-w4a4");
  EXPECT_EQ(recipe.at("activations"), "int4+gauss+hadamard128+trust");
  EXPECT_EQ(recipe.at("activations_granularity"), "token");
  write_text(around_.directory / "named.toml", named.out);
  EXPECT_EQ(run({"train", "named.toml", "--print-config"}).out, named.out);

  write_text(around_.directory / "study.toml", kStudy);
  const Json cells = json_of({"sweep", "study.toml", "base.train.lr=0.5", "--print-config"});
  ASSERT_EQ(cells.size(), 2u);
  for (const Json& cell : cells) EXPECT_EQ(cell.at("train").at("lr"), 0.5);
}

// An explicit key that contradicts a named recipe is refused wherever it stands, also if it is the
// key's usual value.
TEST_F(Contract, ANamedRecipeAndAKeyThatItGivesAreRefused) {
  const std::string says =
      "recipe.activations = 16: recipe.named = nvfp4-forward gives it (nvfp4); leave one of the "
      "two "
      "out";
  const std::string named = "recipe.named=nvfp4-forward";
  const std::string file = "[recipe]\nnamed = \"nvfp4-forward\"\n";
  write_text(around_.directory / "named.toml", file);
  write_text(around_.directory / "both.toml", file + "activations = \"16\"\n");
  write_text(around_.directory / "key.toml", "[recipe]\nactivations = 16\n");
  const std::vector<std::vector<std::string>> all{{named, "recipe.activations=16"},
                                                  {"recipe.activations=16", named},
                                                  {"named.toml", "recipe.activations=16"},
                                                  {"both.toml"},
                                                  {"key.toml", named}};
  for (const std::vector<std::string>& given : all) {
    expect_refused(tiny_run(given), {says});
    std::vector<std::string> shown{"train", "--print-config"};
    shown.insert(shown.end(), given.begin(), given.end());
    expect_refused(shown, {says});
  }
  const std::string base = "[base]\ndata.path = \"data\"\nmodel.sequence = 32\n";
  for (const std::string& study :
       {base + "recipe.named = \"nvfp4-forward\"\nrecipe.activations = \"16\"\n",
        base + "recipe.named = \"nvfp4-forward\"\n[[grid]]\n\"recipe.activations\" = [16]\n",
        base + "recipe.activations = 16\n[[grid]]\n\"recipe.named\" = [\"nvfp4-forward\"]\n"}) {
    write_text(around_.directory / "study.toml", "name = \"both\"\n" + study);
    expect_refused({"sweep", "study.toml", "--dry-run"}, {"both: ", says});
    expect_refused({"sweep", "study.toml"}, {says});
  }
  const Outcome dry = run(tiny_run({named, "--dry-run"}));
  EXPECT_NE(dry.out.find("weights=nvfp4 activations=nvfp4 keys=bf16"), std::string::npos)
      << dry.out;
  EXPECT_EQ(json_of(tiny_run({"recipe.weights=4", "--dry-run", "--json"})).at("recipe"),
            "w4a16kv16");
}

TEST_F(Contract, DryRunsSayWhatThereIsToDoAndWriteNothing) {
  write_text(around_.directory / "study.toml", kStudy);
  const Snapshot before = snapshot_of(around_.directory);
  const auto dry = [&](std::vector<std::string> arguments) {
    arguments.push_back("--dry-run");
    SCOPED_TRACE(arguments[0]);
    const Outcome plain = run(arguments);
    EXPECT_EQ(plain.status, 0) << plain.err;
    EXPECT_NE(plain.out, "");
    arguments.push_back("--json");
    return json_of(arguments);
  };
  EXPECT_EQ(dry({"data", "prepare", "text", "--to", "new"}).at("files"), 12);
  const Json corpus = dry({"data", "corpus", "--size", "60MB", "--to", "new"});
  EXPECT_GT(corpus.at("packages").size(), 5U);
  EXPECT_GE(corpus.at("megabytes").get<double>(), 60);
  const Json train = dry(tiny_run({"train.seed=2"}));
  EXPECT_EQ(train.at("tokens"), 5120);
  EXPECT_EQ(train.at("steps"), 20);
  EXPECT_GT(train.at("flops").get<double>(), 0);
  EXPECT_GT(train.at("predicted_memory_bytes").get<double>(), 0);
  EXPECT_EQ(dry({"quantize", run_, "--bits", "3,4"}).at("rows").size(), 6u);
  EXPECT_GT(dry({"eval", run_}).at("validation_tokens").get<int>(), 0);
  EXPECT_EQ(dry({"sweep", "study.toml"}).at("waiting"), 3) << "two runs, one of them quantized";
  EXPECT_EQ(dry({"fit", "table.csv"}).at("rows"), 20);
  EXPECT_EQ(dry({"compare", "table.csv"}).at("rows"), 20);
  EXPECT_EQ(dry({"simulate", "--law", "chinchilla"}).at("rows"), 20);
  EXPECT_EQ(dry({"plan", "--compute", "1e21"}).at("request").at("compute"), 1e21);
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");
}

TEST_F(Contract, ADryRunSaysTimeAndCostOnceTheSpeedIsMeasured) {
  write_text(around_.directory / "study.toml", kStudy);
  const auto forecast = [&](std::vector<std::string> further) {
    further.insert(further.begin(), {"sweep", "study.toml", "--runs", "measured", "--dry-run",
                                     "--json", "--price", "0.04"});
    return json_of(further).at("forecast");
  };
  const Json unknown = forecast({});
  EXPECT_EQ(unknown.at("cells"), 2);
  EXPECT_GT(unknown.at("flops_left").get<double>(), 0);
  EXPECT_GT(unknown.at("run_memory_bytes").get<double>(), 1e6);
  EXPECT_TRUE(unknown.at("seconds_left").is_null());
  EXPECT_GT(forecast({"--rate", "1000"}).at("seconds_left").get<double>(), 5);
  EXPECT_FALSE(std::filesystem::exists(around_.directory / "measured"));
  const Json measured = forecast({"--calibrate"});
  EXPECT_GT(measured.at("cost_left").get<double>(), 0);
  EXPECT_EQ(forecast({}).at("seconds_left"), measured.at("seconds_left")) << "the speed is kept";
  const Outcome plain = run({"sweep", "study.toml", "--runs", "measured", "--dry-run"});
  EXPECT_NE(plain.out.find("\ntraining: "), std::string::npos) << plain.out;
  EXPECT_NE(plain.out.find("\ntime: about "), std::string::npos) << plain.out;
}

TEST_F(Contract, JsonIsOneDocumentOnEveryVerb) {
  EXPECT_EQ(json_of({"data", "show", "data", "--json"}).at("vocabulary"), 257);
  EXPECT_EQ(json_of({"data", "prepare", "text", "--to", "data", "--tokenizer", "byte", "--quiet",
                     "--json"})
                .at("vocabulary"),
            257);
  EXPECT_EQ(json_of(tiny_run({"--json"})).at("was_there"), true);
  const Json evaluated = json_of({"eval", run_, "--json"});
  const Json recorded =
      parse_json(read_file(around_.directory / run_ / "result.json"), "result.json");
  EXPECT_EQ(evaluated.at("loss_nats"), recorded.at("validation").at("loss_nats"));
  EXPECT_EQ(json_of({"runs", "runs", "--json"}).at("rows").size(), 1u);
  EXPECT_TRUE(json_of({"compare", "table.csv", "--laws", "chinchilla", "--json"}).is_object());
  EXPECT_TRUE(json_of({"report", "runs", "--json"}).contains("figures"));
  write_text(around_.directory / "study.toml", kStudy);
  const Json sweep = json_of({"sweep", "study.toml", "--quiet", "--json"});
  EXPECT_EQ(sweep.at("done"), 3);
  EXPECT_EQ(sweep.at("failed"), 0);
}

TEST_F(Contract, TheTidyTableIsWhatFitReads) {
  EXPECT_EQ(run({"runs", "runs", "--csv", "out.csv"}).status, 0);
  const std::string table = read_file(around_.directory / "out.csv");
  const std::string header = table.substr(0, table.find('\n'));
  std::set<std::string> columns;
  for (const std::string& column : split(header, ',')) columns.insert(column);
  for (const char* wanted : {"run", "N", "D", "loss", "P_w", "P_a", "P_kv", "P_post", "delta",
                             "standard_error", "status"})
    EXPECT_TRUE(columns.count(wanted)) << wanted;
  EXPECT_EQ(run({"runs", "runs", "--csv", "-"}).out, table);
  EXPECT_EQ(json_of({"fit", "out.csv", "--dry-run", "--json"}).at("rows"), 1);
  const Outcome read = run({"fit", "out.csv", "--dry-run"});
  EXPECT_EQ(read.err.find("recognized by their usual names"), std::string::npos)
      << "all names are bitlaw's own: " << read.err;
}

TEST_F(Contract, AScriptOfASweepDoesWhatTheSweepWouldDo) {
  write_text(around_.directory / "study.toml", kStudy);
  const Json written = json_of({"sweep", "study.toml", "--launcher", "script", "--json"});
  EXPECT_EQ(written.at("waiting"), 3);
  const std::string script = (around_.directory / "runs/small/jobs.sh").string();
  const std::string command =
      "cd " + around_.directory.string() + " && sh " + script + " > /dev/null 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(json_of({"sweep", "study.toml", "--status", "--json"}).at("done"), 3);
  const Outcome again = run({"sweep", "study.toml", "--launcher", "script"});
  EXPECT_NE(again.out.find("3 of 3 jobs done"), std::string::npos) << again.out;
  EXPECT_NE(again.out.find("nothing is left to run"), std::string::npos) << again.out;
  EXPECT_EQ(read_file(script), "") << "nothing is left";
}

TEST_F(Contract, ASweepNoticesCellsThatItsStudyHasNewly) {
  write_text(around_.directory / "study.toml", kStudy);
  EXPECT_EQ(json_of({"sweep", "study.toml", "--quiet", "--json"}).at("done"), 3);
  EXPECT_EQ(json_of({"sweep", "study.toml", "--status", "--json"}).at("waiting"), 0);
  EXPECT_EQ(json_of({"sweep", "study.toml", "ptq.bits=[4]", "--status", "--json"}).at("waiting"), 1)
      << "as many cells as before, but others";
  EXPECT_EQ(json_of({"sweep", "study.toml", "ptq.formats=[\"e2m1\"]", "--status", "--json"})
                .at("waiting"),
            1);
  EXPECT_EQ(json_of({"sweep", "study.toml", "ptq.bits=[4]", "--quiet", "--json"}).at("failed"), 0);
  EXPECT_EQ(json_of({"runs", "runs/small", "method=rtn", "--json"}).at("rows").size(), 2u);
}

}  // namespace
}  // namespace bitlaw
