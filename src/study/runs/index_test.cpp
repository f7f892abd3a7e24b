#include "runs/index.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "record/cell.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Index : public testing::Test {
 protected:
  Index() : runs_(fs::path(testing::TempDir()) / ("index" + std::to_string(::getpid()))) {
    fs::remove_all(runs_);
    make_directories(runs_);
  }
  ~Index() override { fs::remove_all(runs_); }

  void add_run(const std::string& name, int64_t tokens, const std::string& weights,
               const std::string& status) {
    write_run_record(runs_ / name, trained_run_record(tokens, weights));
    if (status == "started") return;
    ResultRecord result;
    if (status == "diverged") result.status = RunStatus::kDiverged;
    if (status == "finished") result.validation = Validation{3.25, 0.01, kNoNumber, 100, 5};
    result.training = TrainingResult{.tokens = tokens, .seconds = 2.5};
    write_result(runs_ / name, result);
  }
  void add_cell(const std::string& run, const std::string& name, const std::string& method,
                int bits, double delta) {
    CellRecord cell;
    cell.key.method = method;
    cell.key.bits = bits;
    cell.key.format = cell.key.scheme = "int" + std::to_string(bits);
    cell.key.calibration = CalibrationText{.tokens = 512, .seed = 7, .hash = "c"};
    cell.key.evaluation = {.tokens = 1024, .hash = "e"};
    cell.key.first_damping = 0.02;
    cell.key.checkpoint = name;
    cell.loss_nats = 3.25 + delta;
    cell.delta = delta;
    cell.standard_error = 0.001;
    write_cell(cell_file(runs_ / run, cell.key), cell);
  }
  // The metrics of a model kept along the run, and a cell of it.
  void add_kept(const std::string& run, int64_t tokens, double loss) {
    write_file_atomically(
        runs_ / run / "metrics.jsonl",
        dump_json(Json{{"step", 1}, {"tokens", tokens}, {"loss_nats", 3.5}}) + "\n" +
            dump_json(
                Json{{"step", 1},
                     {"tokens", tokens},
                     {"validation", struct_to_json(Validation{.loss_nats = loss, .tokens = 99})},
                     {"checkpoint", "tokens-" + std::to_string(tokens)}}) +
            "\n");
    CellRecord cell;
    cell.at_tokens = tokens;
    cell.key.method = "rtn";
    cell.key.bits = 4;
    cell.delta = 0.02;
    write_cell(cell_file(runs_ / run, cell.key), cell);
  }
  fs::path runs_;
};

// Their learning rate had not decayed: they are no finished runs of fewer tokens.
TEST_F(Index, ModelsAlongTheRunsAreListedIfAskedFor) {
  add_run("aa", 100'000, "4", "finished");
  add_cell("aa", "x", "rtn", 4, 0.05);
  add_kept("aa", 25'600, 4.5);
  EXPECT_EQ(RunIndex(runs_).select({}).size(), 2u);
  EXPECT_EQ(RunIndex(runs_).select({})[0].run_fraction, 1);
  const std::vector<TidyRow> rows = RunIndex(runs_, Along::kInclude).select({"run_fraction<1"});
  ASSERT_EQ(rows.size(), 2u);
  for (const TidyRow& row : rows) {
    EXPECT_TRUE(row.is_along());
    EXPECT_EQ(row.run, "aa");
    EXPECT_EQ(row.D, 25'600);
    EXPECT_EQ(row.run_fraction, 0.256);
    EXPECT_EQ(row.steps, 100);
    EXPECT_EQ(row.unique_tokens, 25'600);
    EXPECT_EQ(row.P_w, 4);
    EXPECT_EQ(row.lr, 0.01);
  }
  EXPECT_EQ(rows[0].loss, 4.5);
  EXPECT_EQ(rows[0].train_loss, 3.5);
  EXPECT_EQ(rows[0].validation_tokens, 99);
  EXPECT_TRUE(std::isnan(rows[0].seconds));
  EXPECT_EQ(rows[1].method, "rtn");
  EXPECT_EQ(rows[1].delta, 0.02);
  EXPECT_TRUE(ask_for_models_along({"P_w=4", "run_fraction<1"}));
  EXPECT_FALSE(ask_for_models_along({"P_w=4"}));
}

// The sweep that made it counts it as done, so it must not be left out in silence.
TEST_F(Index, AResultWithoutItsRecordIsAProblem) {
  add_run("aa", 2000, "16", "finished");
  add_run("bb", 1000, "4", "finished");
  fs::remove(runs_ / "bb/run.json");
  make_directories(runs_ / "logs");
  for (int look = 0; look < 2; ++look) {
    const RunIndex index(runs_);
    EXPECT_EQ(index.select({}).size(), 1u);
    ASSERT_EQ(index.problems().size(), 1u);
    EXPECT_NE(index.problems()[0].find("bb/run.json: is missing"), std::string::npos)
        << index.problems()[0];
  }
}

TEST_F(Index, GivesARowPerRunAndPerCell) {
  add_run("aa", 2000, "16", "finished");
  add_cell("aa", "x", "rtn", 4, 0.05);
  add_cell("aa", "y", "gptq", 3, 0.04);
  add_run("bb", 1000, "e2m1", "diverged");
  add_run("cc", 3000, "3", "started");
  const RunIndex index(runs_);
  EXPECT_TRUE(index.problems().empty());
  const std::vector<TidyRow> all = index.select({});
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].run, "bb");  // fewest tokens first
  EXPECT_EQ(all[0].P_w, 4);
  EXPECT_EQ(all[0].format_w, "e2m1");
  EXPECT_TRUE(std::isnan(all[0].loss));
  EXPECT_EQ(all[1].method, "none");
  EXPECT_EQ(all[1].P_post, 16);
  EXPECT_EQ(all[1].loss, 3.25);
  const std::vector<TidyRow> cells = index.select({"method=gptq", "P_post<=3"});
  ASSERT_EQ(cells.size(), 1u);
  EXPECT_EQ(cells[0].delta, 0.04);
  EXPECT_EQ(cells[0].calibration_seed, 7);
  EXPECT_EQ(cells[0].calibration_tokens, 512);
  EXPECT_EQ(cells[0].calibration_hash, "c");
  EXPECT_EQ(cells[0].evaluation_tokens, 1024);
  EXPECT_EQ(cells[0].evaluation_hash, "e");
  EXPECT_EQ(cells[0].first_damping, 0.02);
  EXPECT_EQ(cells[0].N, 1000);
  EXPECT_EQ(index.select({"status!=started", "method=none"}).size(), 2u);
  EXPECT_EQ(index.select({"P_post=3,4", "method=gptq,rtn"}).size(), 2u);
  EXPECT_EQ(index.select({"D=1k..2k"}).size(), 4u);
  EXPECT_EQ(index.select({"D/N>2"}).size(), 1u);
  EXPECT_EQ(index.select({"delta="}).size(), 3u) << "what does not apply is empty";
}

// Bits are those of the codes; the format says the rest, and what shares a scale.
TEST_F(Index, AFormatCarriesTheRoundingOfItsScales) {
  add_run("aa", 1000, "mxfp4", "finished");
  add_run("bb", 2000, "int4-e8m0", "finished");
  add_run("cc", 3000, "4", "finished");
  const std::vector<TidyRow> rows = RunIndex(runs_).select({});
  ASSERT_EQ(rows.size(), 3u);
  for (const TidyRow& row : rows) EXPECT_EQ(row.P_w, 4);
  EXPECT_EQ(rows[0].format_w, "mxfp4");
  EXPECT_EQ(rows[0].granularity_w, "group32");
  EXPECT_EQ(rows[1].format_w, "int4-e8m0");
  EXPECT_EQ(rows[1].granularity_w, "") << "the record does not say";
  EXPECT_EQ(rows[2].format_w, "int4");
  EXPECT_EQ(rows[0].format_a, "bf16");
  EXPECT_EQ(rows[0].granularity_a, "");
}

TEST_F(Index, WhatIsNotQuantizedSharesNoScale) {
  for (const char* bits : {"16", "8"}) {
    RunRecord record = trained_run_record(1000, "4");
    record.config["recipe"]["activations"] = bits;
    record.config["recipe"]["activations_granularity"] = "token";
    record.config["recipe"]["kv_granularity"] = "token";
    write_named_run(runs_ / bits, record);
  }
  const std::vector<TidyRow> rows = RunIndex(runs_).select({});
  ASSERT_EQ(rows.size(), 2u);
  for (const TidyRow& row : rows) {
    EXPECT_EQ(row.granularity_a, row.P_a < 16 ? "token" : "");
    EXPECT_EQ(row.granularity_kv, "");
    EXPECT_EQ(row.granularity_q, "");
  }
  EXPECT_EQ(RunIndex(runs_).select({"granularity_a=token,"}).size(), 2u) << "token, or none";
  EXPECT_EQ(RunIndex(runs_).select({"granularity_a=token"}).size(), 1u);
}

TEST_F(Index, EveryFactorIsAColumn) {
  add_run("aa", 250'000, "4", "finished");
  add_cell("aa", "x", "rtn", 3, 0.05);
  const std::vector<TidyRow> rows = RunIndex(runs_).select({});
  ASSERT_EQ(rows.size(), 2u);
  for (const TidyRow& row : rows) {  // of a cell: those of its run
    EXPECT_EQ(row.P_k, 16);
    EXPECT_EQ(row.P_v, 16);
    EXPECT_EQ(row.P_q, 16);
    EXPECT_EQ(row.unique_tokens, 99'999 / 32 * 32);
    EXPECT_DOUBLE_EQ(row.epochs, 250'000.0 / (99'999 / 32 * 32));
    EXPECT_EQ(row.steps, 250'000 / 256);
    EXPECT_EQ(row.lr, 0.01);
    EXPECT_EQ(row.peak_lr, 0.01);
    EXPECT_EQ(row.weight_decay, 0.1);
    EXPECT_EQ(row.schedule, "cosine");
    EXPECT_EQ(row.warmup, 0.1);
    EXPECT_EQ(row.decay, 0);
    EXPECT_EQ(row.final_rate, 0.1);
    EXPECT_EQ(row.optimizer, "adamw");
    EXPECT_EQ(row.beta1, 0.9);
    EXPECT_EQ(row.beta2, 0.95);
    EXPECT_EQ(row.epsilon, 1e-15);
    EXPECT_EQ(row.clip, 1);
    EXPECT_EQ(row.extra_norm, "true");
    EXPECT_EQ(row.tied_head, "false");
    EXPECT_EQ(row.head_width, 16);
    EXPECT_EQ(row.kv_heads, 4);
    EXPECT_EQ(row.hidden, 176);
    EXPECT_EQ(row.gradient_format, "bf16");
    EXPECT_EQ(row.data_hash, "abc");
    EXPECT_EQ(row.validation_hash, "def");
    EXPECT_EQ(row.validation_tokens, 100) << "those of the result, not those asked for";
    EXPECT_EQ(row.validation_part, "first") << "8192 of 10,000";
    EXPECT_EQ(row.engine, "avx2");
  }
  EXPECT_EQ(RunIndex(runs_).select({"extra_norm=true", "epochs>1"}).size(), 2u);
}

TEST_F(Index, WhichPartOfTheValidationTextIsNamed) {
  const auto part = [&](int version, int64_t tokens) {
    RunRecord record = trained_run_record(1000, "4");
    record.config["version"] = version;
    record.config["train"]["validation_tokens"] = tokens;
    write_named_run(runs_ / "aa", record);
    return RunIndex(runs_).select({})[0].validation_part;
  };
  EXPECT_EQ(part(1, 9'999 / 32 * 32), "all");
  EXPECT_EQ(part(2, 9'999 / 32 * 32), "all");
  EXPECT_EQ(part(1, 9'999 / 32 * 32 - 32), "first");
  EXPECT_EQ(part(2, 3200), "sample");
}

TEST_F(Index, ThreeBitsOfActivationsOrKvAreMarked) {
  const auto marked = [&](const char* weights, const char* activations, const char* kv) {
    RunRecord record = trained_run_record(1000, weights);
    record.config["recipe"]["activations"] = activations;
    record.config["recipe"]["kv"] = kv;
    write_named_run(runs_ / "aa", record);
    return RunIndex(runs_).select({}).at(0).unstable;
  };
  EXPECT_EQ(marked("3", "16", "16"), 0);
  EXPECT_EQ(marked("16", "3", "16"), 1);
  EXPECT_EQ(marked("16", "16", "3"), 1);
  EXPECT_EQ(marked("16", "e2m0", "16"), 1);
  EXPECT_EQ(marked("4", "4", "4"), 0);
}

TEST_F(Index, ARecordOfAnEarlierVersionLeavesColumnsEmpty) {
  RunRecord record = trained_run_record(1000, "4");
  for (const char* key : {"kv_heads", "hidden", "tied_head", "extra_norm"})
    record.config["model"].erase(key);
  record.config.erase("optimizer");
  record.config["schedule"] = {{"kind", "cosine"}};
  record.data.validation_hash.clear();
  record.build->engine.clear();
  write_named_run(runs_ / "aa", record);
  const std::vector<TidyRow> rows = RunIndex(runs_).select({});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].extra_norm, "");
  EXPECT_EQ(rows[0].optimizer, "");
  EXPECT_TRUE(std::isnan(rows[0].weight_decay));
  EXPECT_FALSE(rows[0].hidden.has_value());
  EXPECT_EQ(rows[0].validation_hash, "");
  EXPECT_EQ(rows[0].engine, "avx2") << "the instruction set is what is known";
  EXPECT_EQ(rows[0].unique_tokens, 1000);
}

TEST_F(Index, IsRebuiltFromTheDirectories) {
  add_run("aa", 1000, "16", "finished");
  EXPECT_EQ(RunIndex(runs_).select({}).size(), 1u);
  EXPECT_TRUE(fs::exists(runs_ / "index.sqlite"));
  write_file_atomically(runs_ / "index.sqlite", "not a database");
  add_run("bb", 1000, "16", "finished");
  EXPECT_EQ(RunIndex(runs_).select({}).size(), 2u);
}

TEST_F(Index, LeavesNothingInADirectoryWithoutRuns) {
  EXPECT_TRUE(RunIndex(runs_).select({}).empty());
  EXPECT_TRUE(fs::is_empty(runs_));
}

TEST_F(Index, LeavesOutADamagedRunAndNamesIt) {
  add_run("aa", 1000, "16", "finished");
  add_run("bb", 1000, "16", "finished");
  write_file_atomically(runs_ / "bb" / "result.json", "{\"status\": \"fin");
  const RunIndex index(runs_);
  EXPECT_EQ(index.select({}).size(), 1u);
  ASSERT_EQ(index.problems().size(), 1u);
  EXPECT_NE(index.problems()[0].find("bb/result.json"), std::string::npos);
}

TEST_F(Index, ADamagedCellCostsThatCellAlone) {
  add_run("aa", 1000, "16", "finished");
  add_cell("aa", "x", "rtn", 4, 0.05);
  write_file_atomically(runs_ / "aa" / "ptq" / "y.json", "{\"method\": ");
  const RunIndex index(runs_);
  EXPECT_EQ(index.select({}).size(), 2u);
  ASSERT_EQ(index.problems().size(), 1u);
  EXPECT_NE(index.problems()[0].find("y.json"), std::string::npos);
}

// A record edited by hand is not what was measured.
TEST_F(Index, LeavesOutWhatWasChangedAndNamesIt) {
  const auto changed = [&](const fs::path& file, const char* place, const Json& value) {
    fs::remove_all(runs_);
    add_run("aa", 1000, "16", "finished");
    add_cell("aa", "x", "rtn", 4, 0.05);
    const fs::path path = file == "cell" ? cell_files(runs_ / "aa")[0] : runs_ / "aa" / file;
    Json document = parse_json(read_file(path), path.string());
    document.erase("checksum");  // as in files of earlier versions
    Json* at = find_json_pointer(document, place);
    EXPECT_NE(at, nullptr) << place;
    *at = value;
    write_file_atomically(path, dump_json(document, 1));
    const RunIndex index(runs_);
    EXPECT_EQ(index.problems().size(), 1u) << place;
    if (!index.problems().empty()) {
      EXPECT_NE(index.problems()[0].find(path.string() + ": "), std::string::npos);
    }
    return index.select({}).size();
  };
  EXPECT_EQ(changed("run.json", "/config/recipe/weights", "3"), 0u);
  EXPECT_EQ(changed("run.json", "/config/train/tokens", 2000), 0u);
  EXPECT_EQ(changed("run.json", "/name", "aa"), 0u);
  EXPECT_EQ(changed("result.json", "/validation/loss_nats", -1), 0u);
  EXPECT_EQ(changed("result.json", "/validation/clusters", 1000), 0u);
  EXPECT_EQ(changed("result.json", "/tokens", 1001), 0u) << "not those of its run";
  EXPECT_EQ(changed("cell", "/bits", nullptr), 1u);
  EXPECT_EQ(changed("cell", "/bits", 3), 1u);
  EXPECT_EQ(changed("cell", "/method", "gptq"), 1u);
}

TEST_F(Index, ACopiedOrRenamedDirectoryIsTheSameRun) {
  add_run("aa", 1000, "16", "finished");
  add_cell("aa", "x", "rtn", 4, 0.05);
  fs::rename(runs_ / "aa", runs_ / "the best one");
  const RunIndex index(runs_);
  EXPECT_TRUE(index.problems().empty());
  EXPECT_EQ(index.select({"run=the best one"}).size(), 2u);
}

TEST_F(Index, OldNamesInConditionsMatchWithANote) {
  RunRecord record = trained_run_record(1000, "4");
  record.config["recipe"]["activations"] = "int8";
  record.config["recipe"]["activations_granularity"] = "tensor";  // as version 0.2 wrote it
  write_named_run(runs_ / "aa", record);
  std::vector<std::string> notes;
  EXPECT_EQ(RunIndex(runs_).select({"granularity_a=tensor"}, notes).size(), 1u);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("whose name is now 'sequence'"), std::string::npos);
}

TEST_F(Index, RefusesFiltersItDoesNotUnderstand) {
  const RunIndex index(runs_);
  EXPECT_THROW(index.select({"P_w"}), Error);
  EXPECT_THROW(index.select({"P_w=four"}), Error);
  try {
    index.select({"P_wt=4"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'P_w'"), std::string::npos);
  }
  EXPECT_THROW(RunIndex(runs_ / "absent"), Error);
}

TEST_F(Index, CsvKeepsEveryDigitAndQuotes) {
  add_run("a,\"b", 1000, "16", "finished");
  add_cell("a,\"b", "x", "rtn", 4, 0.1 + 0.2);
  const std::string csv = tidy_to_csv(RunIndex(runs_).select({}));
  EXPECT_EQ(csv.substr(0, 16), "run,status,N,N_t");
  EXPECT_NE(csv.find("\"a,\"\"b\",finished,1000,3000,1000,16"), std::string::npos);
  EXPECT_NE(csv.find("0.30000000000000004"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
