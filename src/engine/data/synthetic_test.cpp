#include "data/synthetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

SyntheticConfig small(const TestFolder& folder) {
  return {.to = (folder / "data").string(),
          .tokens = 4000,
          .validation_tokens = 800,
          .symbols = 8,
          .rules = 2,
          .levels = 3};
}

std::vector<Token> all(const TokenSet& tokens) {
  std::vector<Token> out(static_cast<size_t>(tokens.size()));
  tokens.read(0, out);
  return out;
}

TEST(Synthetic, EntropyIsThatOfTheTree) {
  SyntheticConfig config{.symbols = 16, .rules = 4, .levels = 5, .zipf = 0};
  // ln 16 for the root, ln 4 for each of 31 productions, over 32 tokens.
  EXPECT_NEAR(entropy_rate(config), (std::log(16) + 31 * std::log(4)) / 32, 1e-12);
  config.rules = 1;
  EXPECT_NEAR(entropy_rate(config), std::log(16) / 32, 1e-12) << "only the root is free";
  config = {.symbols = 16, .rules = 2, .levels = 1, .zipf = 1};
  const double p = 2.0 / 3;  // weights 1 and 1/2
  EXPECT_NEAR(entropy_rate(config),
              (std::log(16) - p * std::log(p) - (1 - p) * std::log(1 - p)) / 2, 1e-12);
}

// The entropy of many documents as they occur, counted without the formula: with 2 symbols, 2 rules
// and 2 levels there are only 16 documents, and the plug-in estimate is exact to about 1 / n.
TEST(Synthetic, EntropyAgreesWithCounts) {
  const TestFolder folder;
  const SyntheticConfig config{.to = (folder / "data").string(),
                               .tokens = 400'000,
                               .validation_tokens = 4,
                               .symbols = 2,
                               .rules = 2,
                               .levels = 2};
  make_synthetic_dataset(config);
  const std::vector<Token> tokens = all(Dataset::open(config.to).train());
  std::map<std::vector<Token>, double> counts;
  const size_t documents = tokens.size() / 4;
  for (size_t d = 0; d < documents; ++d)
    ++counts[{tokens.begin() + static_cast<int64_t>(4 * d),
              tokens.begin() + static_cast<int64_t>(4 * d + 4)}];
  double entropy = 0;
  for (const auto& [document, count] : counts) {
    const double p = count / static_cast<double>(documents);
    entropy -= p * std::log(p);
  }
  EXPECT_EQ(counts.size(), 16U);
  // The standard deviation of -ln p of a document is about 0.8: 0.0025 for the mean of 100,000.
  EXPECT_NEAR(entropy / 4, entropy_rate(config), 0.002);
}

// Every document must be a tree of the grammar: pairs of tokens have one parent each, and a parent
// has at most `rules` pairs; so there are at most symbols * rules different pairs.
TEST(Synthetic, DocumentsAreTrees) {
  const TestFolder folder;
  const SyntheticConfig config = small(folder);
  const DatasetInfo info = make_synthetic_dataset(config);
  const Dataset data = Dataset::open(config.to);
  EXPECT_EQ(info.train.documents, 500);
  EXPECT_EQ(data.train().size(), 500 * 8 + 1);
  std::set<std::pair<Token, Token>> pairs;
  const std::vector<Token> tokens = all(data.train());
  for (size_t i = 0; i + 1 < tokens.size(); i += 2) pairs.insert({tokens[i], tokens[i + 1]});
  EXPECT_EQ(pairs.size(), 16U);
}

TEST(Synthetic, IsAPureFunctionOfTheOptions) {
  const TestFolder a, b;
  SyntheticConfig first = small(a), second = small(b);
  second.shard_tokens = 100;
  const DatasetInfo one = make_synthetic_dataset(first), two = make_synthetic_dataset(second);
  EXPECT_EQ(one.train.hash, two.train.hash) << "however it is divided into shards";
  EXPECT_GT(two.train.shards.size(), 30U);
  EXPECT_NE(one.train.hash, one.validation.hash);
  const TestFolder c;
  SyntheticConfig other = small(c);
  other.seed = 2;
  EXPECT_NE(make_synthetic_dataset(other).train.hash, one.train.hash);
}

TEST(Synthetic, ALargerSetBeginsWithASmallerOne) {
  const TestFolder a, b;
  const SyntheticConfig first = small(a);
  SyntheticConfig second = small(b);
  second.tokens *= 2;
  make_synthetic_dataset(first);
  make_synthetic_dataset(second);
  std::vector<Token> one = all(Dataset::open(first.to).train());
  std::vector<Token> two = all(Dataset::open(second.to).train());
  two.resize(one.size());
  EXPECT_EQ(one, two);
}

TEST(Synthetic, KnowsADataSetThatIsThere) {
  const TestFolder folder;
  SyntheticConfig config = small(folder);
  const std::string hash = make_synthetic_dataset(config).hash;
  EXPECT_EQ(make_synthetic_dataset(config).hash, hash);
  config.seed = 2;
  EXPECT_NE(error_of([&] { make_synthetic_dataset(config); }).find("was made with other options"),
            std::string::npos);
  config.overwrite = true;
  EXPECT_NE(make_synthetic_dataset(config).hash, hash);
  EXPECT_NE(describe(Dataset::open(config.to).info()).find("entropy"), std::string::npos);
}

TEST(Synthetic, RefusesOptionsThatCannotBe) {
  const TestFolder folder;
  const auto refused = [&](auto change) {
    SyntheticConfig config = small(folder);
    change(config);
    return error_of([&] { make_synthetic_dataset(config); });
  };
  EXPECT_NE(refused([](auto& c) { c.rules = 9; }).find("rules = 9: expected 1 to 8"),
            std::string::npos);
  EXPECT_NE(refused([](auto& c) { c.levels = 0; }).find("levels"), std::string::npos);
  EXPECT_NE(refused([](auto& c) { c.symbols = 1; }).find("symbols"), std::string::npos);
  EXPECT_NE(refused([](auto& c) { c.zipf = -1; }).find("zipf"), std::string::npos);
  EXPECT_NE(refused([](auto& c) { c.tokens = 0; }).find("tokens"), std::string::npos);
  EXPECT_NE(refused([](auto& c) { c.to = ""; }).find("directory"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
