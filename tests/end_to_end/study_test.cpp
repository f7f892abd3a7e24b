// A whole study from text to report, as a user would run it, on generated English: small enough for
// one core and a minute, large enough that fewer bits cost something.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <regex>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "cli/program.h"
#include "end_to_end/small_study.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStudy = R"(
name = "little"
[base]
data.path = "data"
model.sequence = 32
train.batch_tokens = 512
train.validation_tokens = 8192
train.lr = 0.02
[variants.size]
small = { "model.width" = 16, "model.layers" = 1, "model.heads" = 1 }
large = { "model.width" = 32, "model.layers" = 2, "model.heads" = 2 }
[[grid]]
size = ["small", "large"]
"train.tokens" = [20480, 81920]
[[grid]]
size = ["small", "large"]
"train.tokens" = [20480]
"recipe.weights" = ["3", "5"]
[[grid]]
size = ["small"]
"train.tokens" = [20480]
"recipe.activations" = ["4"]
"recipe.kv" = ["16", "4"]
[ptq]
where = { "recipe.weights" = "16", "recipe.activations" = "16" }
methods = ["rtn", "gptq"]
bits = [2, 4, 6]
calibration_tokens = 2048
evaluation_tokens = 4096
)";
constexpr size_t kRuns = 4 + 4 + 2, kQuantizedRuns = 4;
constexpr size_t kCells = 3 + 2 * 3;  // round to nearest, and GPTQ on two calibrations

// Prepared with its own tokenizer.
class Study : public SmallStudy {
 public:
  Study() : SmallStudy(kStudy) { prepare(352); }
};

// What must not depend on how often a study was stopped: every run's weights, and all rows of its
// table but the times.
std::map<std::string, std::string> results_of(const Study& study, const std::string& runs) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(study.path(runs))) {
    const fs::path weights = entry.path() / "checkpoints/final/model.safetensors";
    if (fs::exists(weights)) out[entry.path().filename().string()] = hash_hex(read_file(weights));
  }
  const std::set<std::string> times{"seconds", "tokens_per_second", "flops_per_second",
                                    "peak_memory_bytes", "threads"};
  const Json rows = study.json_of({"runs", runs}).at("rows");
  for (size_t i = 0; i < rows.size(); ++i) {
    Json row = rows[i];
    for (const std::string& time : times) row.erase(time);
    out[fmt::format("row {}", i)] = dump_json(row);
  }
  return out;
}

size_t finished_runs(const fs::path& runs) {
  size_t count = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(runs, none))
    count += fs::exists(entry.path() / "result.json");
  return count;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

void kill_a_sweep_in_the_middle(const Study& study, const std::string& runs) {
  using Clock = std::chrono::steady_clock;
  const pid_t pid = start_bitlaw({"sweep", "study.toml", "--runs", runs, "--jobs", "2", "--quiet"},
                                 study.around());
  const auto deadline = Clock::now() + std::chrono::seconds(60);
  while (finished_runs(study.path(runs)) < 3 && !has_ended(pid) && Clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill_with_children(pid);
  EXPECT_GE(finished_runs(study.path(runs)), 3u);
  EXPECT_LT(finished_runs(study.path(runs)), kRuns) << "it was killed too late to say anything";
}

void check_table(const Json& rows) {
  size_t runs = 0, cells = 0;
  std::map<int, std::vector<double>> rtn_delta, gptq_delta;
  std::map<std::pair<double, double>, std::map<double, double>>
      loss;  // N, weights' bits: D -> loss
  for (const Json& row : rows) {
    EXPECT_EQ(row.at("status"), "finished");
    EXPECT_TRUE(row.at("loss").is_number()) << row.dump();
    if (row.at("method") == "none") {
      ++runs;
      if (row.at("P_a") == 16) loss[{row.at("N"), row.at("P_w")}][row.at("D")] = row.at("loss");
      continue;
    }
    ++cells;
    EXPECT_TRUE(row.at("delta").is_number());
    EXPECT_GT(row.at("standard_error").get<double>(), 0);
    auto& deltas = row.at("method") == "gptq" ? gptq_delta : rtn_delta;
    deltas[row.at("P_post").get<int>()].push_back(row.at("delta"));
  }
  EXPECT_EQ(runs, kRuns) << "every cell has a result";
  EXPECT_EQ(cells, kQuantizedRuns * kCells);
  for (const auto& [which, by_tokens] : loss) {
    for (const auto& [tokens, nats] : by_tokens)
      EXPECT_LT(nats, std::log(352)) << "better than guessing";
    EXPECT_LE(by_tokens.rbegin()->second, by_tokens.begin()->second) << "more tokens, less loss";
  }
  for (const auto& deltas : {rtn_delta, gptq_delta}) {
    EXPECT_GT(mean(deltas.at(2)), mean(deltas.at(4))) << "fewer bits, more harm";
    EXPECT_GT(mean(deltas.at(4)), mean(deltas.at(6)));
    EXPECT_GT(mean(deltas.at(2)), 0);
  }
}

void check_page(const Study& study, const Json& document) {
  const std::string page = read_file(study.path("report.html"));
  EXPECT_TRUE(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
  EXPECT_NE(page.find("</html>"), std::string::npos);
  const std::regex fetches(
      R"((src|href|action)\s*=\s*["']?\s*(https?:)?//|url\(\s*["']?\s*(https?:)?//|@import|<link(?! rel="icon" href="data:)|<iframe|fetch\(|XMLHttpRequest|WebSocket|import\()");
  std::smatch found;
  EXPECT_FALSE(std::regex_search(page, found, fetches))
      << "the page asks the network: " << found.str();
  const std::string open = "type=\"application/json\">";
  const size_t begin = page.find(open) + open.size(), end = page.find("</script>", begin);
  ASSERT_NE(end, std::string::npos);
  const Json shown = parse_json(page.substr(begin, end - begin), "report.html");  // packed
  for (const char* part : {"answer", "title"}) EXPECT_EQ(shown.at(part), document.at(part)) << part;
  for (const char* part : {"runs", "cells", "diverged", "sentence"})
    EXPECT_EQ(shown.at("summary").at(part), document.at("summary").at(part)) << part;
  for (const char* part : {"ptq", "effective", "predicted", "optimum"})
    EXPECT_TRUE(document.at("figures").contains(part)) << part;
  ASSERT_EQ(shown.at("drawings").size(), document.at("drawings").size());
  for (size_t i = 0; i < document.at("drawings").size(); ++i) {
    for (const char* part : {"id", "title", "says"})
      EXPECT_EQ(shown.at("drawings")[i].at(part), document.at("drawings")[i].at(part)) << i << part;
  }
}

TEST(SlowStudy, FromTextToReportThroughAKill) {
  const Study study;
  kill_a_sweep_in_the_middle(study, "runs");
  const Json resumed =
      study.json_of({"sweep", "study.toml", "--runs", "runs", "--jobs", "2", "--quiet"});
  EXPECT_EQ(resumed.at("done"), kRuns + kQuantizedRuns);
  EXPECT_EQ(resumed.at("failed"), 0);

  study.json_of({"sweep", "study.toml", "--runs", "whole", "--jobs", "1", "--quiet"});
  const auto results = results_of(study, "whole");
  EXPECT_EQ(results.size(), kRuns + kRuns + kQuantizedRuns * kCells);
  EXPECT_EQ(results_of(study, "runs"), results)
      << "a kill changes nothing, nor does the number of jobs";

  check_table(study.json_of({"runs", "runs"}).at("rows"));

  // The index is only a copy.
  ASSERT_EQ(run_bitlaw({"runs", "runs", "--csv", "table.csv"}, study.around()).status, 0);
  const std::string table = read_file(study.path("table.csv"));
  EXPECT_TRUE(fs::exists(study.path("runs/index.sqlite")));
  fs::remove(study.path("runs/index.sqlite"));
  ASSERT_EQ(run_bitlaw({"runs", "runs", "--csv", "table.csv"}, study.around()).status, 0);
  EXPECT_EQ(read_file(study.path("table.csv")), table);

  const Json fit =
      study.json_of({"fit", "table.csv", "--law", "kumar", "--draws", "50", "--out", "fit.json"});
  EXPECT_EQ(study.json_of({"fit", "runs", "--law", "kumar", "--draws", "50"}).at("parameters"),
            fit.at("parameters"))
      << "a directory of runs is its table";
  for (const auto& [name, parameter] : fit.at("parameters").items())
    EXPECT_TRUE(std::isfinite(parameter.at("value").get<double>())) << name;

  const Json plan = study.json_of(
      {"plan", "--fit", "fit.json", "--free", "N,D", "--bits", "4", "--compute", "1e12"});
  const double N = plan.at("optimum").at("N"), D = plan.at("optimum").at("D");
  EXPECT_NEAR(6 * N * D * 4 / 16, 1e12, 1e12 * 1e-9);

  const Json document = study.json_of({"report", "runs", "--fit", "fit.json"});
  std::set<std::string> drawn;
  for (const Json& drawing : document.at("drawings")) drawn.insert(drawing.at("id"));
  for (const char* id : {"loss-after-gptq", "loss-by-bits-weights", "learning-curves"})
    EXPECT_TRUE(drawn.contains(id)) << id;
  ASSERT_EQ(
      run_bitlaw({"report", "runs", "--fit", "fit.json", "--out", "report.html"}, study.around())
          .status,
      0);
  check_page(study, document);
}

TEST(SlowStudy, TheNumberOfThreadsChangesNoBit) {
  const Study study;
  std::set<std::string> hashes;
  for (const char* threads : {"1", "2"}) {
    const std::string runs = std::string("threads-") + threads;
    const Json result = study.json_of(
        {"train", "data.path=data", "model.width=32", "model.heads=2", "model.sequence=32",
         "train.batch_tokens=512", "train.tokens=40960", "recipe.weights=4", "recipe.activations=6",
         "recipe.kv=4", "--threads", threads, "--directory", runs, "--quiet"});
    const Json cells =
        study.json_of({"quantize", runs + "/" + result.at("run").get<std::string>(), "--bits", "3",
                       "--calibration-tokens", "1024", "--evaluation-tokens", "1024", "--threads",
                       threads, "--quiet"});
    std::string text = read_file(study.path(runs) / result.at("run").get<std::string>() /
                                 "checkpoints/final/model.safetensors") +
                       dump_json(result.at("validation"));
    for (const Json& row : cells.at("rows"))
      text += dump_json(row.at("delta")) + dump_json(row.at("layers"));
    hashes.insert(hash_hex(text));
  }
  EXPECT_EQ(hashes.size(), 1u);
}

}  // namespace
}  // namespace bitlaw
