#include "runs/index.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/condition.h"
#include "base/parallel.h"
#include "record/old_names.h"
#include "runs/index_file.h"
#include "runs/row_fields.h"
#include "runs/run_table.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// The file is written again if more than 1 / 64 of the runs had to be read, or if rows have changed
// since it was written this long ago: other programs may read it.
constexpr size_t kShareToWrite = 64;
constexpr std::chrono::seconds kOldest{60};

Condition condition_of(const std::string& text) {
  Condition condition("condition", text);
  condition.find(find_tidy_column, tidy_column_names());
  return condition;
}

std::vector<Condition> tests_of(const std::vector<std::string>& conditions,
                                std::vector<std::string>& notes) {
  std::vector<Condition> tests;
  for (const std::string& text : with_current_scales("condition", conditions, notes))
    tests.push_back(condition_of(text));
  return tests;
}

bool all_hold(const std::vector<Condition>& tests, const TidyRow& row) {
  const std::vector<Field> fields = fields_of(row);
  return std::all_of(tests.begin(), tests.end(), [&](const Condition& test) {
    return test.holds(test.field_of([&](size_t column) { return fields[column]; }));
  });
}

}  // namespace

RunIndex::RunIndex(const fs::path& runs, Along along) {
  const IndexFile file(runs);
  RunTable table(file.read());
  const RunTable::Changes changes = table.update(runs, hardware_threads());
  problems_ = table.problems(along);
  // To read a few runs again takes less time than to write the file.
  const bool many = changes.read > table.runs().size() / kShareToWrite;
  const bool due = many || (changes.rows && file.is_older_than(kOldest));
  if (due && (!table.runs().empty() || file.exists())) note_ = file.write(table);
  rows_ = table.take_rows(along);
}

std::vector<TidyRow> RunIndex::select(const std::vector<std::string>& conditions) const& {
  std::vector<std::string> notes;
  return select(conditions, notes);
}

std::vector<TidyRow> RunIndex::select(const std::vector<std::string>& conditions,
                                      std::vector<std::string>& notes) const& {
  const std::vector<Condition> tests = tests_of(conditions, notes);
  if (tests.empty()) return rows_;
  std::vector<TidyRow> out;
  std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(out),
               [&](const TidyRow& row) { return all_hold(tests, row); });
  return out;
}

std::vector<TidyRow> RunIndex::select(const std::vector<std::string>& conditions,
                                      std::vector<std::string>& notes) && {
  const std::vector<Condition> tests = tests_of(conditions, notes);
  if (!tests.empty()) std::erase_if(rows_, [&](auto& row) { return !all_hold(tests, row); });
  return std::move(rows_);
}

bool ask_for_models_along(const std::vector<std::string>& conditions) {
  return std::any_of(conditions.begin(), conditions.end(), [](const std::string& text) {
    return Condition("condition", text).mentions("run_fraction");
  });
}

}  // namespace bitlaw
