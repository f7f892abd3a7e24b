// The grid of `bitlaw quantize`: invalid requests are named, with the nearest valid one, and an
// interrupted command resumes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "cli/cell_rows.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class QuantizeGrid : public World {
 protected:
  fs::path in(const std::string& name) const { return around_.directory / name; }
  // One small cell; what `further` says instead counts.
  std::vector<std::string> quantize(const std::vector<std::string>& further = {}) const {
    std::vector<std::string> arguments{"quantize", run_, "--quiet", "--json"};
    for (const auto& [flag, value] :
         std::vector<std::pair<std::string, std::string>>{{"--method", "rtn"},
                                                          {"--bits", "3"},
                                                          {"--calibration-tokens", "256"},
                                                          {"--evaluation-tokens", "512"}}) {
      if (std::find(further.begin(), further.end(), flag) == further.end())
        arguments.insert(arguments.end(), {flag, value});
    }
    arguments.insert(arguments.end(), further.begin(), further.end());
    return arguments;
  }
  void refused(const std::vector<std::string>& further, const std::vector<std::string>& parts) {
    expect_refused(quantize(further), parts);
  }
  size_t cells() const {
    std::error_code none;  // they are made while this looks
    size_t count = 0;
    for (auto entry = fs::directory_iterator(in(run_) / "ptq", none);
         entry != fs::directory_iterator(); entry.increment(none))
      count += entry->path().extension() == ".json";
    return count;
  }
};

TEST_F(QuantizeGrid, MethodsAndOptionsThatAreNone) {
  refused({"--method", "awk"}, {"unknown method 'awk'", "did you mean 'awq'?"});
  refused({"--method", ""}, {"unknown method ''; known: none, rtn, gptq, awq"});
  refused({"--method", "RTN"}, {"unknown method 'RTN'; did you mean 'rtn'?"});
  refused({"--method", "rtn+assymetric"}, {"'assymetric'", "did you mean 'asymmetric'?"});
  refused({"--method", "gptq+actorder"}, {"'actorder'", "did you mean 'act-order'?"});
  refused({"--method", "rtn+"}, {"unknown option ''", "hadamard"});
  refused({"--method", "rtn+act-order"}, {"act-order applies to gptq only"});
  refused({"--method", "none+clip"}, {"none keeps the weights as they are"});
}

TEST_F(QuantizeGrid, FormatsThatAreNone) {
  refused({"--formats", "mxfp5"}, {"'mxfp5'", "did you mean 'mxfp4'"});
  refused({"--formats", "int99"}, {"'int99'"});
  refused({"--formats", "e2m1-asym"}, {"a zero point needs integers"});
  refused({"--formats", "bf16"}, {"bf16"});
  for (const char* format : {"e2m1", "mxfp4", "nvfp4"}) {
    refused({"--method", "rtn+asymmetric", "--formats", format},
            {"'rtn+asymmetric' has a zero point", format});
  }
  refused({"--bits", ""}, {"bits and formats are both empty"});
  refused({"--groups", ""}, {"groups is empty"});
  refused({"--groups", "3.5"}, {"groups must be a whole number"});
  refused({"--groups", "99999999999"}, {"groups must be a smaller number"});
}

TEST_F(QuantizeGrid, RoundingInUseThatIsNone) {
  for (const char* role : {"activations", "kv"}) {
    const std::string flag = fmt::format("--{}", role);
    SCOPED_TRACE(role);
    refused({flag, "trianed"},
            {fmt::format("{} = trianed: unknown number format 'trianed'; did you mean 'trained'?",
                         role)});
    refused({flag, "much"}, {fmt::format("{} = much: unknown number format 'much'", role)});
    refused({flag, "0"}, {fmt::format("{} = 0: integers of 0 bits", role)});
    refused({flag, "mxfp6"},
            {fmt::format("{} = mxfp6: 'mxfp6' gives bits but not the codes", role)});
    refused({flag, ""}, {fmt::format("{} is empty", role)});
    // Even if nothing is rounded by it.
    refused({flag + "-granularity", "row"},
            {fmt::format("{}_granularity = row", role), "sequence, channel, token"});
  }
}

TEST_F(QuantizeGrid, NumbersThatAreOutOfRange) {
  refused({"--damping", "0"}, {"damping = 0"});
  refused({"--damping", "nan"}, {"damping"});
  refused({"--calibration-seeds", "-1"}, {"calibration_seeds = -1"});
  refused({"--calibration-seeds", "99999999999999999999"},
          {"--calibration-seeds must be a smaller number"});
  refused({"--calibration-tokens", "0"}, {"calibration_tokens = 0"});
  refused({"--calibration-tokens", "9e18"}, {"calibration_tokens", "up to 1e15"});
  refused({"--evaluation-tokens", "9e18"}, {"evaluation_tokens", "up to 1e15"});
  refused({"--evaluation-tokens", "9223372036854775807"},
          {"--evaluation-tokens must be a smaller number"});
  refused({"--threads", "1e9"}, {"--threads"});
  refused({"--data", "nowhere"}, {"nowhere"});
  refused({"--data", "text"}, {"text"});
}

TEST_F(QuantizeGrid, BlockFormatsBringTheirOwnGroups) {
  const Json rows =
      json_of(quantize({"--formats", "mxfp4,nvfp4", "--bits", "", "--groups", "0,64"})).at("rows");
  ASSERT_EQ(rows.size(), 2u) << "each once";
  EXPECT_EQ(rows[0].at("group"), 32);
  EXPECT_EQ(rows[1].at("group"), 16);
}

TEST_F(QuantizeGrid, SeedsAndMethodsAskedForTwiceAreComputedOnce) {
  const Json rows =
      json_of(quantize({"--method", "gptq,rtn,gptq", "--calibration-seeds", "1,1"})).at("rows");
  EXPECT_EQ(rows.size(), 2u);
  EXPECT_EQ(cells(), 2u);
}

TEST_F(QuantizeGrid, DivergedRunsAndRecordsOfOthers) {
  copy_tree(in(run_), in("diverged"));
  write_text(in("diverged/result.json"), "{\"status\": \"diverged\"}");
  expect_refused({"quantize", "diverged", "--bits", "3"}, {"diverged: this run diverged"});
  copy_tree(in(run_) / "checkpoints/final", in("k"));
  const Json rows =
      json_of({"quantize", "k", "--text", "text", "--method", "rtn", "--bits", "3",
               "--evaluation-tokens", "512", "--records", "records", "--quiet", "--json"})
          .at("rows");
  const std::string record = "records/" + rows[0].at("run").get<std::string>();
  expect_refused({"quantize", record, "--bits", "3"},
                 {record, "is the record of the checkpoint", "k", "--text"});
}

TEST_F(QuantizeGrid, AReadOnlyFolderOfCells) {
  json_of(quantize());
  fs::permissions(in(run_) / "ptq", fs::perms::owner_write, fs::perm_options::remove);
  around_.no_privileges = true;
  if (run({"--version"}).status == kNoSurroundings)
    GTEST_SKIP() << "the rights of the superuser cannot be dropped here";
  refused({"--bits", "4"}, {"ptq", "Permission denied"});
  EXPECT_EQ(json_of(quantize()).at("rows").size(), 1u) << "what is there can be read";
}

TEST_F(QuantizeGrid, DamagedCellsAreNamed) {
  json_of(quantize());
  const fs::path cell = fs::directory_iterator(in(run_) / "ptq")->path();
  for (const char* text : {"", "{", "{}", "[]", "3", "null"}) {
    write_text(cell, text);
    SCOPED_TRACE(text);
    refused({}, {cell.filename().string(), "remove it to compute this cell again"});
  }
}

TEST_F(QuantizeGrid, CellsOfAnOlderVersionAreComputedAgain) {
  json_of(quantize());
  const auto there = [&] { return json_of(quantize({"--dry-run"})).at("rows")[0].at("there"); };
  EXPECT_EQ(there(), true);
  const fs::path file = fs::directory_iterator(in(run_) / "ptq")->path();
  Json cell = parse_json(read_file(file), "cell");
  cell["version"] = cell.at("version").get<int>() - 1;
  write_text(file, dump_json(cell));
  EXPECT_EQ(there(), false);
}

TEST_F(QuantizeGrid, InterruptedItGoesOn) {
  const std::vector<std::string> grid = quantize(
      {"--method", "rtn,gptq,awq", "--bits", "2..8", "--threads", "1", "--calibration-seeds", "1"});
  const pid_t pid = start_bitlaw(grid, around_);
  while (!has_ended(pid) && cells() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill_with_children(pid);
  const Json rows = without_seconds(json_of(grid).at("rows"));
  fs::remove_all(in(run_) / "ptq");
  EXPECT_EQ(without_seconds(json_of(grid).at("rows")), rows);
}

}  // namespace
}  // namespace bitlaw
