#include "sweep/have.h"

#include <gtest/gtest.h>

#include "base/csv.h"
#include "base/file.h"
#include "sweep/conditions.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

constexpr const char* kGrid =
    "train.tokens = 25_600\n[[grid]]\n\"recipe.weights\" = [\"16\", \"4\"]\n\"train.seed\" = [1, "
    "2]\n";

// The table that the runs of a plan would give.
std::vector<TidyRow> finished_rows(const SweepPlan& plan) {
  std::vector<TidyRow> rows;
  for (const PlannedRun& run : plan.runs) {
    rows.push_back(planned_row(run, plan.data_of(run)));
    rows.back().status = "finished";
    rows.back().loss = 2;
    rows.back().run_fraction = 1;
  }
  return rows;
}

// The same without some columns.
std::string without(const std::vector<std::string>& columns, const std::string& csv) {
  std::string out;
  std::vector<bool> keep;
  read_csv_records(csv, "", ',', [&](CsvRecord& record) {
    std::vector<std::string> fields;
    const bool is_header = keep.empty();
    for (size_t i = 0; i < record.fields.size(); ++i) {
      if (is_header)
        keep.push_back(std::find(columns.begin(), columns.end(), record.fields[i]) ==
                       columns.end());
      if (keep[i]) fields.push_back(record.fields[i]);
    }
    out += csv_line(fields);
  });
  return out;
}

// "t" for each cell that is taken from the table, else "-".
std::string taken(SweepPlan& plan, const StudyFolder& tiny, const std::string& csv) {
  tiny.folder().write("table.csv", csv);
  for (PlannedRun& run : plan.runs) run.table.clear();
  plan.notes.clear();
  take_from_tables(plan, {(tiny.folder() / "table.csv").string()});
  std::string out;
  for (const PlannedRun& run : plan.runs) out += run.table.empty() ? '-' : 't';
  return out;
}

TEST(Have, CellsAreFoundByTheNameOfTheirRun) {
  const StudyFolder tiny(kGrid);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  std::vector<TidyRow> rows = finished_rows(plan);
  rows[1].status = "started";
  rows[2].status = "diverged";
  rows[3].run = "0123456789abcdef";
  EXPECT_EQ(taken(plan, tiny, tidy_to_csv(rows)), "t-t-");
  EXPECT_NE(plan.notes.at(0).find(
                "table.csv: 2 of 4 cells stand in it and are not run; 1 have not ended there"),
            std::string::npos)
      << plan.notes.at(0);
  const std::vector<Job> jobs = make_jobs(plan);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].run, plan.runs[1].name);
  EXPECT_EQ(taken(plan, tiny, without({"status"}, tidy_to_csv(rows))), "ttt-") << "it has a loss";
}

TEST(Have, WithoutNamesEveryFactorMustBeTheSame) {
  const StudyFolder tiny(kGrid);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  std::vector<TidyRow> rows = finished_rows(plan);
  rows[1].weight_decay = 0.7;
  rows[2].engine = "another";
  const std::string csv = without({"run"}, tidy_to_csv(rows));
  EXPECT_EQ(taken(plan, tiny, csv), "t-tt");
  EXPECT_EQ(taken(plan, tiny, without({"weight_decay"}, csv)), "tttt")
      << "what the table does not say cannot differ";
  rows[0].seed = 7;
  EXPECT_EQ(taken(plan, tiny, without({"run"}, tidy_to_csv(rows))), "--tt");
}

TEST(Have, ATableThatSaysTooLittleIsNotUsedAndSaid) {
  const StudyFolder tiny(kGrid);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const std::string csv = tidy_to_csv(finished_rows(plan));
  EXPECT_EQ(taken(plan, tiny, without({"run", "lr", "data_hash"}, csv)), "----");
  EXPECT_NE(plan.notes.at(0).find("it has no column run, and without that it needs lr, data_hash"),
            std::string::npos)
      << plan.notes.at(0);
  EXPECT_NE(
      error_of([&] { taken(plan, tiny, "a,b\n1,2\n"); }).find("has neither the column run nor N"),
      std::string::npos);
  EXPECT_NE(error_of([&] { take_from_tables(plan, {"nowhere.csv"}); }).find("nowhere.csv"),
            std::string::npos);
}

TEST(Have, QuantizedCellsMustStandThereToo) {
  const StudyFolder tiny(kTwoRuns);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  std::vector<TidyRow> rows = finished_rows(plan);
  EXPECT_EQ(taken(plan, tiny, tidy_to_csv(rows)), "-t");
  EXPECT_NE(plan.notes.at(0).find("1 are there without all quantized cells"), std::string::npos);
  for (const int bits : {3, 4}) {
    TidyRow cell = rows[0];
    cell.method = "rtn";
    cell.P_post = bits;
    cell.format_post = "int" + std::to_string(bits);
    cell.group = 0;
    rows.push_back(cell);
    EXPECT_EQ(taken(plan, tiny, tidy_to_csv(rows)), bits == 3 ? "-t" : "tt");
  }
  EXPECT_EQ(taken(plan, tiny, without({"run"}, tidy_to_csv(rows))), "-t");
}

}  // namespace
}  // namespace bitlaw
