#include "table/text_layout.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "table/csv_table.h"
#include "table/table.h"

namespace bitlaw {
namespace {

// Four runs in two sizes; `line` writes one of them.
template <class Line>
std::string four_runs(const Line& line) {
  std::string text;
  for (const char* params : {"10000000", "30000000"}) {
    for (const char* tokens : {"200000000", "1000000000"}) text += line(params, tokens, "3.25");
  }
  return text;
}

std::string separated(char by) {
  return four_runs([&](const char* n, const char* d, const char* loss) {
    return fmt::format("{}{}{}{}{}\n", n, by, d, by, loss);
  });
}

std::string piped() {
  return four_runs([](const char* n, const char* d, const char* loss) {
    return fmt::format("| {} | {} | {} |\n", n, d, loss);
  });
}

void expect_four_runs(const std::string& text) {
  SCOPED_TRACE(text);
  Table table;
  ASSERT_NO_THROW(table = read_table(text, "t"));
  ASSERT_EQ(table.runs.size(), 4u);
  EXPECT_EQ(table.runs[0].params, 1e7);
  EXPECT_EQ(table.runs[3].params, 3e7);
  EXPECT_EQ(table.runs[3].tokens, 1e9);
  EXPECT_EQ(table.runs[3].loss_nats, 3.25);
}

TEST(TextLayout, ExcelsFirstLineNamesTheSeparator) {
  expect_four_runs("sep=;\nN;D;loss\n" + separated(';'));
  expect_four_runs("\"sep=;\"\r\nN;D;loss\r\n" + separated(';'));
  expect_four_runs("sep=,\nN,D,loss\n" + separated(','));
  expect_four_runs("\xEF\xBB\xBFsep=\t\nN\tD\tloss\n" + separated('\t'));
}

TEST(TextLayout, CommentsAndTitlesBeforeTheHeaderArePassedOver) {
  expect_four_runs("# sweep of March, seed 1\n# loss in nats\nN,D,loss\n" + separated(','));
  expect_four_runs("Sweep of March\n\nN,D,loss\n" + separated(','));
  expect_four_runs("Sweep of March, seed 1\nby me\nN;D;loss\n" + separated(';'));
  expect_four_runs("March\n\nN D loss\n" + separated(' '));
  const Table table = read_table("title\nN,D,loss\n1e8,2e9,3\n1e8,4e9,2.9\n", "t");
  EXPECT_EQ(table.notes[0], "The header is line 2; the line above it is passed over.");
}

TEST(TextLayout, CommentsBetweenRowsAreCountedAndRowsAreNotLost) {
  const std::string head = "N,D,loss\n1e8,2e9,3\n";
  const Table table = read_table(head + "# later\n1e8,4e9,2.9\n", "t");
  EXPECT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.notes[0], "1 line that begins with # is passed over as a comment.");
  // Whether a row that somebody took out is meant to be left out is not guessed.
  EXPECT_THROW(read_table(head + "#1e8,4e9,2.9\n", "t"), Error);
  EXPECT_EQ(read_table("run,N,D,loss\n#1,1e8,2e9,3\n#2,1e8,4e9,2.9\n", "t").runs.size(), 2u);
}

TEST(TextLayout, NumpysHeaderIsAComment) {
  expect_four_runs("# N D loss\n" + separated(' '));
  expect_four_runs("# N,D,loss\n" + separated(','));
  expect_four_runs("#N\tD\tloss\n" + separated('\t'));
  expect_four_runs("# made by me\n# N D loss\n" + separated(' '));
  expect_four_runs("# model N D loss\n" + four_runs([](auto n, auto d, auto loss) {
                     return fmt::format("gpt {} {} {}\n", n, d, loss);
                   }));
}

TEST(TextLayout, BlanksMaySeparate) {
  expect_four_runs("N D loss\n" + separated(' '));
  expect_four_runs(" N    D  loss\n" +
                   four_runs([](const char* n, const char* d, const char* loss) {
                     return fmt::format("  {:>10}   {:>12}\t{}  \n", n, d, loss);
                   }));
  EXPECT_EQ(split_blanks("  1e8 \"a b\"\t3 "), (std::vector<std::string>{"1e8", "a b", "3"}));
}

TEST(TextLayout, TablesOfMarkdownAndTerminals) {
  expect_four_runs("| params | tokens | val_loss |\n|---:|:---:|---|\n" + piped());
  expect_four_runs("Results:\n\n| N | D | loss |\n|---|---|---|\n" + piped() + "\nThat is all.\n");
  expect_four_runs("+---+---+---+\n| N | D | loss |\n+===+===+===+\n" + piped() +
                   "+---+---+---+\n");
  expect_four_runs(" N | D | loss \n---+---+------\n" + four_runs([](auto n, auto d, auto loss) {
                     return fmt::format(" {} | {} | {}\n", n, d, loss);
                   }) +
                   "(4 rows)\n");
  expect_four_runs("N|D|loss\n" + separated('|'));
  EXPECT_EQ(split_pipes("| a \\| b | **3** | `x` |"),
            (std::vector<std::string>{"a | b", "3", "x"}));
}

TEST(TextLayout, RNamesItsRowsWithoutAHeader) {
  int row = 0;
  const auto numbered = [&](const char* n, const char* d, const char* loss) {
    return fmt::format("\"{}\" {} {} {}\n", ++row, n, d, loss);
  };
  expect_four_runs("\"N\" \"D\" \"loss\"\n" + four_runs(numbered));
  EXPECT_EQ(read_csv("N,D\nsmall,1,2\nlarge,3,4\n", "t").rows[1].at(2).text(), "large");
  EXPECT_THROW(read_csv("N,D\n1e7,1,2\n", "t"), Error) << "a column without a name";
  EXPECT_THROW(read_csv("N,D\nsmall,1,2\n3,4\n", "t"), Error);
}

TEST(TextLayout, ATableWithoutAHeaderIsSaidToHaveNone) {
  for (const char separator : {',', ';', ' '}) {
    try {
      read_table(separated(separator), "t");
      FAIL() << separator;
    } catch (const Error& error) {
      EXPECT_STREQ(
          error.what(),
          "t: line 1 holds numbers where the names of columns are expected; begin the file "
          "with a line such as N,D,loss");
    }
  }
}

TEST(TextLayout, PlainTablesAreLaidOutAsEver) {
  for (const auto& [text, separator] : {std::pair("a,b;c\n1,2\n", ','),
                                        {"a;b;c,d\n1;2;3\n", ';'},
                                        {"a\tb\n1\t2\n", '\t'},
                                        {"\"a;b;c\",d\n1,2\n", ','},
                                        {"\n\na,b\n1,2\n", ','},
                                        {"a\n1\n", ','},
                                        {"val loss,N\n1,2\n", ','}}) {
    const TextLayout layout = layout_of(text, "t");
    EXPECT_EQ(layout.separator, separator) << text;
    EXPECT_EQ(layout.titles, 0) << text;
  }
  EXPECT_EQ(read_csv("\n\na,b\n1,2\n", "t").rows[0].place, 4);
  EXPECT_EQ(read_csv("# x\n\na,b\n\"1\n1\",2\n3,4\n", "t").rows[1].place, 6);
  EXPECT_THROW(read_csv("a,b\n1,2,3\n1,2,3\n", "t"), Error) << "a header with a column missing";
}

}  // namespace
}  // namespace bitlaw
