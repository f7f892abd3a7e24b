// The figures of docs/laws.md against fresh fits of the public tables, which are beside a developer's
// checkout only; without them these tests are skipped.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/source_folder.h"
#include "compare/compare.h"
#include "laws/registry.h"
#include "laws/verdicts.h"
#include "table/table.h"

namespace bitlaw {
namespace {

std::filesystem::path path_of_table(const std::string& name) {
  return std::filesystem::path(kSourceFolder) / "../shared/data" / (name + ".csv");
}

const Verdict& verdict_of(const std::string& table, const std::string& law) {
  for (const Verdict& each : verdicts()) {
    if (table == each.table && law == each.law) return each;
  }
  throw std::runtime_error("no verdict of " + law + " on " + table);
}

// `laws` have a fast fit of few minima.
void expect_as_measured(const std::string& table, const std::vector<std::string>& laws,
                        const TableOptions& options) {
  const std::string path = path_of_table(table).string();
  const Table read = read_table(read_file(path), path, options);
  CompareOptions asked;
  asked.laws = laws;
  const Comparison found = compare_laws(read.runs, asked);
  ASSERT_TRUE(found.training.has_value());
  for (const VerdictTable& each : verdict_tables()) {
    if (each.name == table) {
      EXPECT_EQ(found.training->points, each.points);
    }
  }
  size_t compared = 0;
  for (const ComparedLaw& law : found.training->laws) {
    const Verdict& stored = verdict_of(table, law.name);
    ASSERT_TRUE(law.fitted && law.judged) << law.name;
    EXPECT_EQ(law.k, stored.free) << law.name;
    // Stored to eight and six digits; a fit ends where its objective is flat to about 1e-8 of it.
    EXPECT_NEAR(law.r2, stored.r2, 2e-6) << law.name;
    EXPECT_NEAR(law.held_out_rms, stored.held_out, 1e-3 * stored.held_out) << law.name;
    ++compared;
  }
  EXPECT_EQ(compared, laws.size());
}

TEST(Verdicts, AFreshFitOfQuestsRunsGivesTheStoredFigures) {
  if (!std::filesystem::exists(path_of_table("quest_qat")))
    GTEST_SKIP() << "no " << path_of_table("quest_qat");
  expect_as_measured("quest_qat", {"quest", "panferov", "additive-exp", "kumar"},
                     {.columns = parse_columns("precision=P_class"),
                      .where = {"P_class=1,2,3,4,8,16,1WO,2WO,3WO,4WO"}});
}

TEST(Verdicts, AFreshFitOfChinchillasRunsGivesTheStoredFigures) {
  if (!std::filesystem::exists(path_of_table("chinchilla_kyotakano")))
    GTEST_SKIP() << "no " << path_of_table("chinchilla_kyotakano");
  expect_as_measured("chinchilla_kyotakano", {"chinchilla", "gadre", "kaplan"}, {});
}

// Every law that a table's kind allows has a place on it.
TEST(Verdicts, TableAndLawsAreKnownAndRanksHaveNoGaps) {
  for (const VerdictTable& table : verdict_tables()) {
    std::set<int> ranks;
    std::set<std::string> laws;
    for (const Verdict& each : verdicts()) {
      if (std::string(each.table) != table.name) continue;
      EXPECT_NE(find_law(each.law), nullptr) << each.law;
      EXPECT_TRUE(laws.insert(each.law).second) << each.law << " twice on " << table.name;
      EXPECT_GT(each.held_out, 0);
      ranks.insert(each.rank);
    }
    ASSERT_FALSE(ranks.empty()) << table.name;
    EXPECT_EQ(*ranks.begin(), 1);
    EXPECT_EQ(static_cast<size_t>(*ranks.rbegin()), ranks.size()) << table.name;
    if (table.deltas) continue;
    for (const Law& law : ::bitlaw::laws()) {
      if (law.predicts == Predicts::kLoss) {
        EXPECT_TRUE(laws.count(law.name))
            << law.name << " is not measured on " << table.name << "; run tools/measure_verdicts";
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
