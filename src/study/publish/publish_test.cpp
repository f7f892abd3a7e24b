#include "publish/publish.h"

#include <gtest/gtest.h>

#include <set>

#include "base/command.h"
#include "base/csv.h"
#include "base/test_folder.h"
#include "base/text.h"
#include "data/prepare.h"
#include "publish/card.h"
#include "publish/sha256.h"
#include "record/cell.h"
#include "record/record_for_tests.h"
#include "record/result.h"
#include "record/tuning_marks.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

TEST(Sha256, AgreesWithFips180) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

class Publish : public testing::Test {
 protected:
  // Finished, diverged and started runs; a cell of the first.
  Publish() {
    add_run("study", 1000, ResultRecord{.validation = Validation{3.5, .01}});
    add_run("study", 2000, ResultRecord{.status = RunStatus::kDiverged});
    add_run("study", 3000, std::nullopt);
    add_run("tuning", 4000, ResultRecord{.validation = Validation{3.25, .01}});
    CellRecord cell;
    cell.key.method = "rtn";
    cell.key.bits = 4;
    cell.loss_nats = 3.75;
    cell.delta = .25;
    const fs::path run = folder_ / ("study/" + trained_run_record(1000, "16").name);
    write_cell(cell_file(run, cell.key), cell);
  }
  void add_run(const std::string& study, int64_t tokens, std::optional<ResultRecord> result) const {
    const RunRecord record = trained_run_record(tokens, "16");
    const fs::path run = folder_ / (study + "/" + record.name);
    write_run_record(run, record);
    if (!result) return;
    result->training = TrainingResult{.tokens = tokens, .seconds = 1800, .weights_hash = "w"};
    write_result(run, *result);
  }
  PublishOptions options() const {
    return {.runs = {(folder_ / "study").string(), (folder_ / "tuning/").string()},
            .to = (folder_ / "results").string(),
            .authors = {"Doe;Jane", "A group"},
            .date = "2026-11-29",
            .parquet = false};
  }
  std::string file(const std::string& name) const {
    return read_file(folder_ / ("results/" + name));
  }

  TestFolder folder_;
};

TEST_F(Publish, WritesTablesWithRecordsAndSums) {
  const Published out = publish(options());
  ASSERT_EQ(out.notes.size(), 1U);
  EXPECT_EQ(out.notes[0], "study: 1 runs have not ended and are left out");
  const std::vector<std::string> csv = split(file("study.csv"), '\n');
  EXPECT_TRUE(csv[0].starts_with("run,status,N,"));
  EXPECT_EQ(std::count_if(csv.begin(), csv.end(), [](auto& line) { return !line.empty(); }), 4);
  std::set<std::string> sums;
  for (const PublishedFile& each : out.files) {
    EXPECT_EQ(each.sha256, sha256_hex(file(each.name))) << each.name;
    EXPECT_EQ(each.bytes, static_cast<int64_t>(file(each.name).size())) << each.name;
    sums.insert(each.sha256 + "  " + each.name);
  }
  for (const std::string& line : split(file("SHA256SUMS"), '\n'))
    EXPECT_TRUE(line.empty() || sums.count(line) == 1) << line;
  EXPECT_EQ(out.files[0].rows, 3);
}

TEST_F(Publish, TheCardHasEveryColumnAndTheCost) {
  publish(options());
  const std::string card = file("README.md");
  for (const TidyColumn& column : tidy_columns())
    EXPECT_NE(card.find(std::string("| `") + column.name + "` |"), std::string::npos)
        << column.name;
  EXPECT_NE(card.find("`study.csv`: 1 runs finished, 1 diverged"), std::string::npos);
  EXPECT_NE(card.find("1 cells"), std::string::npos);
  // FLOP a token of the record times D; half an hour each.
  EXPECT_NE(card.find("Training 4.2e+07 FLOP in 1.5 core-hours"), std::string::npos) << card;
  EXPECT_NE(file("CITATION.cff").find("family-names: \"Doe\""), std::string::npos);
}

TEST_F(Publish, TheMetadataNameEveryFileAndColumn) {
  const Published out = publish(options());
  const Json metadata = parse_json(file("croissant.json"), "croissant.json");
  EXPECT_EQ(metadata.at("conformsTo"), "http://mlcommons.org/croissant/1.0");
  std::set<std::string> files;
  for (const Json& object : metadata.at("distribution")) {
    const auto name = object.at("contentUrl").get<std::string>();
    files.insert(name);
    EXPECT_EQ(object.at("sha256"), sha256_hex(file(name)));
  }
  EXPECT_EQ(files, (std::set<std::string>{"study.csv", "study.runs.jsonl", "tuning.csv",
                                          "tuning.runs.jsonl"}));
  ASSERT_EQ(metadata.at("recordSet").size(), 2U);
  EXPECT_EQ(metadata.at("recordSet")[0].at("field").size(), tidy_columns().size());
}

// By MLCommons' own reader, where it is installed (pip install mlcroissant).
TEST_F(Publish, TheMetadataAreValidCroissant) {
  if (run_command({"python3", "-c", "import mlcroissant"}, folder_.path(), folder_ / "log") != 0)
    GTEST_SKIP() << "python3 has no mlcroissant";
  publish(options());
  EXPECT_EQ(run_command({"python3", "-c",
                         "import mlcroissant, sys\n"
                         "data = mlcroissant.Dataset(jsonld=sys.argv[1])\n"
                         "rows = list(data.records(record_set='study'))\n"
                         "assert len(rows) == 3 and rows[0]['study/loss'] == 3.5, rows\n",
                         (folder_ / "results/croissant.json").string()},
                        folder_.path(), folder_ / "log"),
            0)
      << read_file(folder_ / "log");
}

TEST_F(Publish, KeepsWhatPeopleWroteAboveItsOwnPart) {
  folder_.write("results/README.md",
                "# Mine\n\nWords.\n\n" + std::string(kGeneratedFrom) + "\nstale text\n");
  publish(options());
  EXPECT_TRUE(file("README.md").starts_with("# Mine\n\nWords.\n\n" + std::string(kGeneratedFrom)));
  EXPECT_EQ(file("README.md").find("stale text"), std::string::npos);
  folder_.write("results/README.md", "# Another project\n");
  folder_.write("results/study.csv", "untouched");
  EXPECT_NE(error_of([&] { publish(options()); }).find("is not a data card that bitlaw wrote"),
            std::string::npos);
  EXPECT_EQ(file("study.csv"), "untouched") << "nothing is written then";
}

TEST_F(Publish, LeavesNoParquetThatIsOlderThanItsTable) {
  folder_.write("results/study.parquet", "as the table was");
  publish(options());
  EXPECT_FALSE(fs::exists(folder_ / "results/study.parquet"));
}

TEST_F(Publish, NamesFilesOfAnEarlierPublicationThatItDoesNotList) {
  publish(options());
  PublishOptions one = options();
  one.runs.resize(1);
  const Published out = publish(one);
  EXPECT_TRUE(fs::exists(folder_ / "results/tuning.csv"));
  ASSERT_EQ(out.notes.size(), 3U) << "runs that have not ended, tuning.csv and tuning.runs.jsonl";
  EXPECT_NE(out.notes[1].find("tuning.csv: an earlier publication wrote it"), std::string::npos);
  EXPECT_EQ(publish(one).notes.size(), 1U) << "once";
}

TEST_F(Publish, ATableHasTheNameOfItsDirectoryHoweverThatIsWritten) {
  PublishOptions dots = options();
  dots.runs = {(folder_ / "tuning/../study/.").string()};
  publish(dots);
  EXPECT_TRUE(fs::exists(folder_ / "results/study.csv"));
  dots.runs.push_back((folder_ / "study").string());
  EXPECT_NE(error_of([&] { publish(dots); }).find("two directories"), std::string::npos);
}

TEST_F(Publish, IsTheSameEveryTime) {
  publish(options());
  const std::string sums = file("SHA256SUMS");
  publish(options());
  EXPECT_EQ(file("SHA256SUMS"), sums);
}

TEST_F(Publish, NamesTheTextAndItsLicences) {
  folder_.write("text/.corpus.json",
                R"({"rules": 3, "parts": [{"name": "perl-doc", "package": "perl-doc_5_all.deb",
                    "bytes": 7, "documents": 2, "paragraphs": 3, "repeated": 0, "hash": "h",
                    "licenses": ["GPL-1+ or Artistic", "Expat"]}]})");
  PublishOptions with_text = options();
  with_text.text = (folder_ / "text").string();
  publish(with_text);
  EXPECT_EQ(file("text.csv"),
            "package,file,bytes,documents,paragraphs,licenses\n"
            "perl-doc,perl-doc_5_all.deb,7,2,3,GPL-1+ or Artistic; Expat\n");
}

// `bitlaw reproduce results/study.csv:ROW` looks for the record by the name in the row.
TEST_F(Publish, RowsHaveTheNameOfTheRunAndNotOfItsDirectory) {
  const std::string name = trained_run_record(4000, "16").name;
  fs::rename(folder_ / ("tuning/" + name), folder_ / "tuning/best");
  publish(options());
  EXPECT_NE(file("tuning.csv").find("\n" + name + ",finished,"), std::string::npos);
  EXPECT_TRUE(file("tuning.runs.jsonl").starts_with("{\"name\":\"" + name + "\""));
  fs::copy(folder_ / "tuning/best", folder_ / "tuning/copy", fs::copy_options::recursive);
  EXPECT_NE(error_of([&] { publish(options()); }).find("hold the same run"), std::string::npos);
}

// Both would be text.csv.
TEST_F(Publish, RefusesATableThatTheListOfPackagesWouldReplace) {
  fs::rename(folder_ / "study", folder_ / "text");
  folder_.write("text/.corpus.json",
                R"({"rules": 3, "parts": [{"name": "perl-doc", "package": "perl-doc_5_all.deb",
                    "bytes": 7, "documents": 2, "paragraphs": 3, "repeated": 0, "hash": "h",
                    "licenses": []}]})");
  PublishOptions both = options();
  both.runs = {(folder_ / "text").string()};
  EXPECT_EQ(error_of([&] { publish(both); }), "");
  both.text = both.runs[0];
  EXPECT_NE(error_of([&] { publish(both); }).find("rename the directory"), std::string::npos);
  EXPECT_TRUE(file("text.csv").starts_with("run,status,N,"));
}

// The folder keeps packages of a larger data set that was made before.
TEST_F(Publish, NamesThePackagesThatTheDataHave) {
  const auto text = [](const std::string& name) {
    std::string lines;
    for (int i = 0; i < 40; ++i)
      lines += R"({"text": "the )" + name + " of the words " + std::to_string(i * i) + "\"}\n";
    return lines;
  };
  folder_.write("text/perl-doc.jsonl", text("first"));
  folder_.write("text/.corpus.json",
                R"({"rules": 3, "parts": [
                    {"name": "perl-doc", "package": "perl-doc_5_all.deb", "bytes": 7, "documents": 2,
                     "paragraphs": 3, "repeated": 0, "hash": "h", "licenses": []},
                    {"name": "git-doc", "package": "git-doc_2_all.deb", "bytes": 7, "documents": 2,
                     "paragraphs": 3, "repeated": 0, "hash": "h", "licenses": []}]})");
  PrepareConfig prepare;
  prepare.from = {(folder_ / "text/perl-doc.jsonl").string()};
  prepare.to = (folder_ / "data").string();
  prepare.tokenizer = "byte";
  prepare.validation_fraction = 0.3;
  RunRecord record = trained_run_record(5000, "16");
  record.data.hash = prepare_dataset(prepare).hash;
  record.data.path = prepare.to;
  const fs::path run = folder_ / ("made/" + record.name);
  write_run_record(run, record);
  write_result(run, {.validation = Validation{3.5, .01}});
  PublishOptions made = options();
  made.runs = {(folder_ / "made").string()};
  made.text = (folder_ / "text").string();
  EXPECT_TRUE(publish(made).notes.empty());
  EXPECT_NE(file("text.csv").find("perl-doc,"), std::string::npos);
  EXPECT_EQ(file("text.csv").find("git-doc,"), std::string::npos);
  fs::remove_all(prepare.to);
  const Published unchecked = publish(made);
  ASSERT_EQ(unchecked.notes.size(), 1U);
  EXPECT_NE(unchecked.notes[0].find("it is not checked"), std::string::npos);
  EXPECT_NE(file("text.csv").find("git-doc,"), std::string::npos);
}

// A data set with many sources names the largest: text.csv once had those alone, without a word.
TEST_F(Publish, NamesAllPackagesWhereTheDataNameSome) {
  PrepareConfig prepare;
  Json parts = Json::array();
  for (int source = 0; source < 40; ++source) {
    const std::string name = "doc-" + std::to_string(source);
    std::string lines;
    for (int i = 0; i < 20; ++i)
      lines += R"({"text": "the )" + name + " of the words " + std::to_string(i * i) + "\"}\n";
    folder_.write("text/" + name + ".jsonl", lines);
    prepare.from.push_back((folder_ / ("text/" + name + ".jsonl")).string());
    parts.push_back({{"name", name},
                     {"package", name + "_5_all.deb"},
                     {"bytes", 7},
                     {"documents", 2},
                     {"paragraphs", 3},
                     {"repeated", 0},
                     {"hash", "h"},
                     {"licenses", Json::array()}});
  }
  folder_.write("text/.corpus.json", dump_json(Json{{"rules", 3}, {"parts", parts}}));
  prepare.to = (folder_ / "data").string();
  prepare.tokenizer = "byte";
  prepare.validation_fraction = 0.3;
  RunRecord record = trained_run_record(5000, "16");
  record.data.hash = prepare_dataset(prepare).hash;
  record.data.path = prepare.to;
  const fs::path run = folder_ / ("made/" + record.name);
  write_run_record(run, record);
  write_result(run, {.validation = Validation{3.5, .01}});
  PublishOptions made = options();
  made.runs = {(folder_ / "made").string()};
  made.text = (folder_ / "text").string();
  const Published published = publish(made);
  ASSERT_EQ(published.notes.size(), 1U);
  EXPECT_NE(published.notes[0].find("largest sources only"), std::string::npos);
  for (int source = 0; source < 40; ++source)
    EXPECT_NE(file("text.csv").find("\ndoc-" + std::to_string(source) + ","), std::string::npos);
}

// A fit leaves out all rows of a table of `bitlaw tune`.
TEST_F(Publish, TheCardShowsNoFitOfRunsOfTuning) {
  mark_as_tuning(folder_ / "tuning", {trained_run_record(4000, "16").name});
  PublishOptions tuned = options();
  tuned.runs = {(folder_ / "tuning").string()};
  publish(tuned);
  EXPECT_EQ(file("README.md").find("bitlaw fit"), std::string::npos);
  publish(options());
  EXPECT_NE(file("README.md").find("bitlaw fit study.csv"), std::string::npos);
}

TEST_F(Publish, RefusesTextThatOtherRulesMade) {
  folder_.write("text/.corpus.json", R"({"rules": 1, "parts": []})");
  PublishOptions with_text = options();
  with_text.text = (folder_ / "text").string();
  EXPECT_NE(error_of([&] { publish(with_text); }).find("make the text again"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(Publish, RefusesWhatCannotBeATable) {
  const auto refused = [&](auto change) {
    PublishOptions changed = options();
    change(changed);
    return error_of([&] { publish(changed); });
  };
  EXPECT_NE(refused([](auto& o) { o.runs.clear(); }).find("no directory of runs"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.to = ""; }).find("no folder given"), std::string::npos);
  for (const char* date : {"29.11.2026", "2026-13-45", "2026-02-30", "2026-1-1", "2026-11-29x"})
    EXPECT_NE(refused([&](auto& o) { o.date = date; }).find("YYYY-MM-DD"), std::string::npos);
  for (const char* license : {"", "my: own", "CC BY"})
    EXPECT_NE(refused([&](auto& o) { o.license = license; }).find("SPDX"), std::string::npos);
  for (const char* author : {"", ";", "Doe;Jane;X", "Doe;"})
    EXPECT_NE(refused([&](auto& o) { o.authors = {author}; }).find("authors"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.title = "two\nlines"; }).find("title: must be one line"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.runs[1] = o.runs[0]; }).find("two directories"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.runs[0] += "/nowhere"; }).find("nowhere"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "results"));
  const std::string damaged = trained_run_record(1000, "16").name;
  folder_.write("study/" + damaged + "/result.json", "{");
  const std::string message = refused([](auto&) {});
  EXPECT_NE(message.find(damaged), std::string::npos) << message;
  EXPECT_NE(message.find("before the table is published"), std::string::npos) << message;
}

// A study that goes on elsewhere: the runs of the first machine are in the earlier table alone.
TEST_F(Publish, RowsOfAnEarlierTableAreKept) {
  publish(options());
  const std::string csv = file("study.csv"), records = file("study.runs.jsonl");
  const std::string gone = trained_run_record(1000, "16").name;
  fs::remove_all(folder_ / ("study/" + gone));
  add_run("study", 5000, ResultRecord{.validation = Validation{3.4, .01}});

  PublishOptions again = options();
  again.have = {(folder_ / "results/study.csv").string()};
  const Published out = publish(again);
  EXPECT_EQ(out.files[0].rows, 4) << "the run and its cell, the diverged one, the new one";
  for (const std::string& line : split(csv, '\n'))
    EXPECT_NE(file("study.csv").find(line), std::string::npos) << line;
  for (const std::string& line : split(records, '\n'))
    EXPECT_NE(file("study.runs.jsonl").find(line), std::string::npos) << line;
  EXPECT_NE(file("README.md").find("in 2 core-hours"), std::string::npos) << "half an hour each";

  fs::remove(folder_ / "results/study.runs.jsonl");
  EXPECT_THROW(publish(again), Error) << "a row without a record cannot be made again";
  again.have = {(folder_ / "results/other.csv").string()};
  EXPECT_THROW(publish(again), Error) << "no directory has this name";
}

}  // namespace
}  // namespace bitlaw
