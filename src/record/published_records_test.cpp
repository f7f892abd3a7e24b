#include "record/published_records.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "record/record_for_tests.h"

namespace bitlaw {
namespace {

// Two runs, the second without a result, and their file.
class PublishedRecords : public testing::Test {
 protected:
  PublishedRecords() {
    for (const int64_t tokens : {1000, 2000}) {
      const RunRecord record = trained_run_record(tokens, "4");
      names_.push_back(record.name);
      write_run_record(folder_ / record.name, record);
    }
    write_result(folder_ / names_[0],
                 {.status = RunStatus::kDiverged, .training = TrainingResult{.tokens = 1000}});
    for (const std::string& name : names_) text_ += published_line(folder_ / name) + "\n";
    folder_.write("t.runs.jsonl", text_);
  }
  TestFolder folder_;
  std::vector<std::string> names_;
  std::string text_;
};

TEST_F(PublishedRecords, AreFoundByTheNameOfTheRun) {
  EXPECT_EQ(published_records_file("results/t.csv"), "results/t.runs.jsonl");
  const auto first = find_published_record(folder_ / "t.runs.jsonl", names_[0]);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->run.config, trained_run_record(1000, "4").config);
  EXPECT_EQ(first->result->status, RunStatus::kDiverged);
  const auto second = find_published_record(folder_ / "t.runs.jsonl", names_[1]);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->run.name, names_[1]);
  EXPECT_FALSE(second->result);
  EXPECT_FALSE(find_published_record(folder_ / "t.runs.jsonl", "0123456789abcdef"));
}

TEST_F(PublishedRecords, AChangedLineIsRefused) {
  std::string changed = text_;
  changed.replace(changed.find("\"bf16\""), 6, "\"fp32\"");
  EXPECT_NE(error_of([&] { find_published_record(changed, names_[0], "f"); }).find("f, line 1"),
            std::string::npos);
  EXPECT_TRUE(find_published_record(changed, names_[1], "f")) << "the others can be read";
  // Under the name of another run.
  std::string renamed = text_;
  renamed.replace(renamed.find(names_[0]), 16, "0123456789abcdef");
  EXPECT_NE(error_of([&] {
              find_published_record(renamed, "0123456789abcdef", "f");
            }).find("record of another run"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              find_published_record(text_.substr(0, 200), names_[0], "f");
            }).find("f, line 1"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
