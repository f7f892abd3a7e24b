#include "table/column_names.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "base/file.h"
#include "base/source_folder.h"
#include "record/tidy_row.h"

namespace bitlaw {
namespace {

std::set<std::string> words_of(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text + ' ') {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else if (!word.empty()) {
      words.insert(word);
      word.clear();
    }
  }
  return words;
}

TEST(ColumnNames, DocsTablesNamesThemAll) {
  const std::set<std::string> words =
      words_of(read_file(kSourceFolder + std::string("/docs/tables.md")));
  for (const ColumnNames& column : column_names()) {
    EXPECT_TRUE(words.contains(column.name)) << column.name;
    for (const std::string& name : column.usual)
      EXPECT_TRUE(words.contains(name)) << name << ", a usual name of " << column.name;
  }
  for (const TidyColumn& column : tidy_columns())
    EXPECT_TRUE(words.contains(column.name)) << column.name << ", which bitlaw runs writes";
}

TEST(ColumnNames, AUsualNameMeansOneColumn) {
  // N_total may be a count by a name of N, and a column of losses or errors depends on what is beside.
  std::set<std::string> seen;
  for (const ColumnNames& column : column_names()) {
    for (const std::string& name : std::set(column.usual.begin(), column.usual.end()))
      EXPECT_TRUE(seen.insert(name).second) << name << " of " << column.name;
  }
}

}  // namespace
}  // namespace bitlaw
