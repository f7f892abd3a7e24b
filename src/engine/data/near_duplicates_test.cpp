#include "data/near_duplicates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace bitlaw {
namespace {

std::vector<Token> random_tokens(uint64_t seed, size_t size, uint64_t vocabulary) {
  std::vector<Token> out(size);
  for (size_t i = 0; i < size; ++i)
    out[i] = static_cast<Token>(random_below(seed, 0, i, vocabulary));
  return out;
}

// By the definition: every string of n tokens of the text in a set.
std::vector<std::vector<bool>> by_definition(const std::vector<Token>& text,
                                             const std::vector<std::vector<Token>>& documents,
                                             size_t n) {
  std::set<std::vector<Token>> strings;
  for (size_t i = 0; i + n <= text.size(); ++i)
    strings.emplace(text.begin() + static_cast<ptrdiff_t>(i),
                    text.begin() + static_cast<ptrdiff_t>(i + n));
  std::vector<std::vector<bool>> out;
  for (const std::vector<Token>& document : documents) {
    std::vector<bool> shared(document.size(), false);
    for (size_t i = 0; i + n <= document.size(); ++i) {
      const auto begin = document.begin() + static_cast<ptrdiff_t>(i);
      if (strings.contains({begin, begin + static_cast<ptrdiff_t>(n)}))
        std::fill_n(shared.begin() + static_cast<ptrdiff_t>(i), n, true);
    }
    out.push_back(shared);
  }
  return out;
}

std::vector<Token> bytes_of(const std::string& text) {
  return byte_tokenizer()->encode(text);
}

std::string text_of(const std::vector<Token>& tokens) {
  return byte_tokenizer()->decode(tokens);
}

TEST(SharedTokens, AreThoseOfTheDefinition) {
  // Strings of 2 to 5 tokens of a vocabulary of 5 recur by chance; longer ones are planted.
  std::vector<Token> text = random_tokens(1, 3000, 5);
  std::vector<std::vector<Token>> documents;
  for (uint64_t d = 0; d < 40; ++d) {
    documents.push_back(random_tokens(2 + d, random_below(7, d, 0, 60), 5));
    if (d % 3 == 0) {
      const auto from = text.begin() + static_cast<ptrdiff_t>(random_below(7, d, 1, 2900));
      documents.back().insert(documents.back().end(), from, from + 40);
    }
  }
  documents.push_back(documents[3]);  // the same strings twice
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (const size_t n : {1, 2, 3, 4, 5, 8, 32, 41}) {
      const auto expected = by_definition(text, documents, n);
      for (const int64_t at_once : {int64_t{1}, int64_t{150}, kStringsAtOnce}) {
        EXPECT_EQ(shared_tokens(TokenSet(text), documents, static_cast<int64_t>(n), pool, at_once),
                  expected)
            << "n " << n << ", " << at_once << " at once";
      }
    }
  }
}

TEST(SharedTokens, OfAWholeTextOfSeveralTasksAreFound) {
  // Longer than two blocks of the search, with strings across their borders.
  std::vector<Token> text = random_tokens(1, (2 << 20) + 500, 60000);
  std::vector<std::vector<Token>> documents;
  for (const size_t begin :
       {size_t{0}, (size_t{1} << 20) - 16, (size_t{2} << 20) - 31, text.size() - 32}) {
    const auto from = text.begin() + static_cast<ptrdiff_t>(begin);
    documents.emplace_back(from, from + 32);
  }
  documents.push_back(random_tokens(2, 32, 60000));
  ThreadPool pool(2);
  const auto shared = shared_tokens(TokenSet(text), documents, 32, pool);
  for (size_t d = 0; d < 5; ++d)
    EXPECT_EQ(std::count(shared[d].begin(), shared[d].end(), true), d < 4 ? 32 : 0) << d;
}

TEST(SharedTokens, OfAnEmptyOrShortTextAreNone) {
  ThreadPool pool(1);
  const std::vector<std::vector<Token>> documents{{1, 2, 3}, {}};
  const std::vector<std::vector<bool>> none{{false, false, false}, {}};
  EXPECT_EQ(shared_tokens(TokenSet(std::vector<Token>{1, 2}), documents, 3, pool), none);
  EXPECT_EQ(shared_tokens(TokenSet(), documents, 3, pool), none);
}

// What is left of `document` if training has `text`; strings of 16 bytes.
std::string left_of(const std::string& text, const std::string& document,
                    Removal* counts = nullptr) {
  ThreadPool pool(1);
  std::vector<std::vector<Token>> documents{bytes_of(document)};
  const auto removals =
      remove_near_duplicates(TokenSet(bytes_of(text)), *byte_tokenizer(), 16, documents, pool);
  if (counts != nullptr) *counts = removals[0];
  EXPECT_EQ(removals[0].removed, std::ssize(document) - std::ssize(documents[0]));
  return text_of(documents[0]);
}

TEST(RemoveNearDuplicates, TakesWholeLines) {
  const std::string common = "This licence is in every file of it.";
  Removal counts;
  EXPECT_EQ(
      left_of(common, "Title\n\nAbout it: " + common + " Really.\n\nText of its own.\n", &counts),
      "Title\n\nText of its own.\n");
  EXPECT_EQ(counts.shared, std::ssize(common));
  EXPECT_EQ(counts.removed, std::ssize(common) + 20);
  EXPECT_EQ(left_of("nothing in common", "Title\n\n" + common), "Title\n\n" + common);
}

TEST(RemoveNearDuplicates, ALineThatEndsLikeAnotherIsKept) {
  // The shared string begins with the last characters of the line before.
  const std::string text = "another end.\n\nThis licence is in every file of it.\n\nIt goes on";
  EXPECT_EQ(
      left_of(text, "This is its own end.\n\nThis licence is in every file of it.\n\nIt is not."),
      "This is its own end.\n\nIt is not.");
}

TEST(RemoveNearDuplicates, OfALongLineOnlyTheSharedPart) {
  const std::string before(100, 'a'), after(100, 'b'), common = "so it stands in both of them";
  EXPECT_EQ(left_of(common, before + common + after), before + after);
  // Up to 64 tokens of the line go, too; so do less than 16 between two that go.
  EXPECT_EQ(left_of(common, before + common + after.substr(0, 64)), before);
  EXPECT_EQ(left_of(common, before + common + "0123456789abcde" + common + after), before + after);
  EXPECT_EQ(left_of(common, before + common + "0123456789abcdef" + common + after),
            before + "0123456789abcdef" + after);
}

TEST(RemoveNearDuplicates, LittleThatIsLeftGoesToo) {
  const std::string common = "This licence is in every file of it.";
  EXPECT_EQ(left_of(common, "Fifteen here..\n" + common), "");
  EXPECT_EQ(left_of(common, "Sixteen is here\n" + common), "Sixteen is here\n");
  EXPECT_EQ(left_of(common, "short"), "short");  // nothing was taken out of it
}

TEST(RemoveNearDuplicates, JoinsAreSearchedAgain) {
  // Without the middle line, the document has another string of the text.
  const std::string document = "The first line\nThis licence is in every file of it.\nand the last";
  const std::string licence = "This licence is in every file of it.";
  EXPECT_EQ(left_of(licence, document), "The first line\nand the last");
  EXPECT_EQ(left_of("The first line\nand the last | " + licence, document), "");
}

TEST(RemoveNearDuplicates, LeavesNoSharedString) {
  const std::vector<Token> text = random_tokens(1, 20000, 4);
  std::vector<std::vector<Token>> documents;
  for (uint64_t d = 0; d < 30; ++d) documents.push_back(random_tokens(100 + d, 2000, 4));
  for (std::vector<Token>& document : documents) {  // some lines
    for (size_t i = 0; i < document.size(); i += 1 + random_below(5, 0, i, 90)) document[i] = '\n';
  }
  std::vector<std::vector<std::vector<Token>>> left;
  for (const int threads : {1, 4}) {
    ThreadPool pool(threads);
    left.push_back(documents);
    const auto removals =
        remove_near_duplicates(TokenSet(text), *byte_tokenizer(), 8, left.back(), pool);
    EXPECT_TRUE(std::any_of(removals.begin(), removals.end(),
                            [](const Removal& removal) { return removal.removed > 0; }));
    for (const auto& shared : by_definition(text, left.back(), 8))
      EXPECT_EQ(std::count(shared.begin(), shared.end(), true), 0);
  }
  EXPECT_EQ(left[0], left[1]);
}

}  // namespace
}  // namespace bitlaw
