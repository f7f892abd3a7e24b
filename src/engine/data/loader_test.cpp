#include "data/loader.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "base/hash.h"
#include "base/random.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(OrderHash, IsThatOfTheWindowsInTheirOrder) {
  const std::string hash = order_hash(1, 100, 250);
  Hasher hasher;
  for (int64_t sample = 0; sample < 250; ++sample) {
    const int64_t window = permuted(1, static_cast<uint64_t>(sample / 100), sample % 100, 100);
    hasher.update({reinterpret_cast<const char*>(&window), sizeof window});
  }
  EXPECT_EQ(hash, hasher.hex());
  EXPECT_NE(hash, order_hash(2, 100, 250));
  EXPECT_NE(hash, order_hash(1, 101, 250));
  EXPECT_NE(hash, order_hash(1, 100, 249));
  EXPECT_EQ(order_hash(1, 100, 16'384), order_hash(1, 100, 20'000));
}

TokenSet counting_tokens(size_t count) {
  std::vector<Token> tokens(count);
  std::iota(tokens.begin(), tokens.end(), Token{0});
  return TokenSet(std::move(tokens));
}

std::vector<int64_t> permutation(uint64_t seed, uint64_t epoch, int64_t size) {
  std::vector<int64_t> images(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i)
    images[static_cast<size_t>(i)] = permuted(seed, epoch, i, size);
  return images;
}

TEST(Permuted, IsABijectionOfEverySize) {
  std::vector<int64_t> sizes{1000, 4095, 4096, 4097, 65537, 100'003};
  for (int64_t size = 1; size <= 300; ++size) sizes.push_back(size);
  for (const int64_t size : sizes) {
    for (uint64_t epoch = 0; epoch < 2; ++epoch) {
      std::vector<int64_t> images = permutation(3, epoch, size);
      std::sort(images.begin(), images.end());
      for (int64_t i = 0; i < size; ++i) ASSERT_EQ(images[static_cast<size_t>(i)], i) << size;
    }
  }
}

TEST(Permuted, StaysInsideLargeSizes) {
  for (const int64_t size : {int64_t{1} << 40, (int64_t{1} << 33) + 1, int64_t{1'000'000'007}}) {
    for (int64_t i = 0; i < 1000; ++i) {
      const int64_t image = permuted(1, 2, size - 1 - i, size);
      ASSERT_GE(image, 0);
      ASSERT_LT(image, size);
    }
  }
}

TEST(Permuted, DiffersBySeedAndEpoch) {
  std::set<std::vector<int64_t>> seen;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint64_t epoch = 0; epoch < 20; ++epoch) seen.insert(permutation(seed, epoch, 100));
  }
  EXPECT_EQ(seen.size(), 400u);
}

// Where element 0 goes, and how far two neighbours land from each other, over many seeds:
// chi-square with n - 1 = 12 and n - 2 = 11 degrees of freedom. Under uniformity P(chi2 > 50) <
// 2e-6 for both.
TEST(Permuted, IsUniformOverSeeds) {
  constexpr int64_t n = 13;
  constexpr int kSeeds = 13'000;
  std::vector<double> images(n), differences(n);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const int64_t a = permuted(seed, seed % 5, 0, n), b = permuted(seed, seed % 5, 1, n);
    ++images[static_cast<size_t>(a)];
    ++differences[static_cast<size_t>((b - a + n) % n)];
  }
  double image_chi2 = 0, difference_chi2 = 0;
  for (const double count : images)
    image_chi2 += (count - kSeeds / 13.0) * (count - kSeeds / 13.0) / (kSeeds / 13.0);
  EXPECT_EQ(differences[0], 0);
  for (size_t d = 1; d < n; ++d) {
    difference_chi2 +=
        (differences[d] - kSeeds / 12.0) * (differences[d] - kSeeds / 12.0) / (kSeeds / 12.0);
  }
  EXPECT_LT(image_chi2, 50);
  EXPECT_LT(difference_chi2, 50);
}

TEST(Loader, CountsWindowsWithATargetForEveryInput) {
  EXPECT_EQ(window_count(0, 4), 0);
  EXPECT_EQ(window_count(4, 4), 0);
  EXPECT_EQ(window_count(5, 4), 1);
  EXPECT_EQ(window_count(8, 4), 1);
  EXPECT_EQ(window_count(9, 4), 2);
}

TEST(Loader, EveryEpochShowsEveryWindowOnceInAnotherOrder) {
  constexpr int T = 7, B = 4;  // 142 windows: batches straddle the epochs
  const TokenSet tokens = counting_tokens(1000);
  const Loader loader(tokens, T, B, 42);
  const int64_t W = loader.windows();
  ASSERT_EQ(W, 142);
  std::vector<int64_t> order;
  for (int64_t step = 0; step * B < 3 * W; ++step) {
    for (int b = 0; b < B; ++b) order.push_back(loader.window(step, b));
  }
  std::vector<std::vector<int64_t>> epochs;
  for (int64_t e = 0; e < 3; ++e) {
    epochs.emplace_back(order.begin() + e * W, order.begin() + (e + 1) * W);
    std::set<int64_t> distinct(epochs.back().begin(), epochs.back().end());
    EXPECT_EQ(static_cast<int64_t>(distinct.size()), W);
    EXPECT_EQ(*distinct.begin(), 0);
    EXPECT_EQ(*distinct.rbegin(), W - 1);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
  EXPECT_NE(epochs[0], epochs[2]);
}

TEST(Loader, ASequenceIsItsWindowAndTheNextToken) {
  constexpr int T = 16, B = 3;
  const TokenSet tokens = counting_tokens(500);
  const Loader loader(tokens, T, B, 7);
  std::vector<Token> row(T + 1);
  std::vector<int32_t> inputs(B * T), targets(B * T);
  for (int64_t step = 0; step < 40; ++step) {
    loader.batch(step, inputs, targets);
    for (int b = 0; b < B; ++b) {
      loader.sequence(step, b, row);
      for (int t = 0; t < T; ++t) {
        const auto expected = loader.window(step, b) * T + t;  // token i of this set is i
        ASSERT_EQ(row[static_cast<size_t>(t)], expected);
        ASSERT_EQ(inputs[static_cast<size_t>(b * T + t)], expected);
        ASSERT_EQ(targets[static_cast<size_t>(b * T + t)], expected + 1);
      }
      ASSERT_EQ(row[T], loader.window(step, b) * T + T);
    }
  }
}

TEST(Loader, DependsOnTheStepAlone) {
  const TokenSet tokens = counting_tokens(3000);
  const Loader in_order(tokens, 8, 5, 9);
  std::vector<std::vector<Token>> expected;
  for (int64_t step = 0; step < 200; ++step)
    expected.emplace_back(9), in_order.sequence(step, 3, expected.back());
  for (uint64_t i = 0; i < 300; ++i) {  // any order, from a loader made anew
    const auto step = static_cast<int64_t>(random_below(1, 2, i, 200));
    std::vector<Token> row(9);
    Loader(tokens, 8, 5, 9).sequence(step, 3, row);
    ASSERT_EQ(row, expected[static_cast<size_t>(step)]);
  }
  // Sample g = step * B + b is the same however it is cut into batches.
  const Loader other_batch(tokens, 8, 1, 9);
  for (int64_t g = 0; g < 500; ++g)
    ASSERT_EQ(other_batch.window(g, 0), in_order.window(g / 5, static_cast<int>(g % 5)));
}

TEST(Loader, IsTheSameForAnySharding) {
  TestFolder folder;
  const TokenSet whole = counting_tokens(1000);
  std::vector<std::filesystem::path> paths;
  for (int64_t begin = 0, size = 3; begin < 1000; begin += size, size = size * 2 + 1) {
    std::vector<Token> part(static_cast<size_t>(std::min<int64_t>(size, 1000 - begin)));
    whole.read(begin, part);
    paths.push_back(folder / std::to_string(begin));
    write_shard(paths.back(), part);
  }
  const Loader a(whole, 10, 3, 1), b(TokenSet::open(paths), 10, 3, 1);
  std::vector<Token> x(11), y(11);
  for (int64_t step = 0; step < 70; ++step) {
    a.sequence(step, 2, x);
    b.sequence(step, 2, y);
    ASSERT_EQ(x, y);
  }
}

TEST(Loader, ATextTooShortSaysHowMuchIsMissing) {
  for (const size_t size : {0, 1, 16}) {
    const TokenSet tokens = counting_tokens(size);
    const std::string expected =
        "it has " + std::to_string(size) + " tokens and a sequence of 16 needs 17";
    EXPECT_NE(error_of([&] { Loader(tokens, 16, 1, 0); }).find(expected), std::string::npos);
    EXPECT_NE(error_of([&] { ValidationWindows(tokens, 16); }).find(expected), std::string::npos);
  }
  EXPECT_EQ(error_of([] { Loader(counting_tokens(17), 16, 1, 0); }), "");
  EXPECT_NE(error_of([] { Loader(counting_tokens(17), 0, 1, 0); }).find("at least 1"),
            std::string::npos);
  EXPECT_NE(error_of([] { Loader(counting_tokens(17), 16, 0, 0); }).find("at least 1"),
            std::string::npos);
}

TEST(ValidationWindows, ComeInOrderWithoutOverlap) {
  const ValidationWindows windows(counting_tokens(101), 10);
  ASSERT_EQ(windows.size(), 10);
  std::vector<int32_t> inputs(30), targets(30), seen;
  for (int64_t begin = 0; begin < 9; begin += 3) {
    windows.batch(begin, 3, inputs, targets);
    seen.insert(seen.end(), inputs.begin(), inputs.end());
    for (size_t i = 0; i < 30; ++i) ASSERT_EQ(targets[i], inputs[i] + 1);
  }
  std::vector<int32_t> expected(90);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
  std::vector<Token> last(11);
  windows.window(9, last);
  EXPECT_EQ(last.front(), 90);
  EXPECT_EQ(last.back(), 100);
  EXPECT_EQ(ValidationWindows(counting_tokens(101), 10, 4).size(), 4);
  EXPECT_EQ(ValidationWindows(counting_tokens(101), 10, 40).size(), 10);
  EXPECT_EQ(ValidationWindows(counting_tokens(101), 10, 4).available(), 10);
}

TEST(ValidationWindows, APartOfThemComesFromTheWholeText) {
  const ValidationWindows windows(counting_tokens(10'001), 10, 100);
  ASSERT_EQ(windows.size(), 100);
  std::vector<Token> row(11);
  double mean = 0;
  for (int64_t i = 0; i < windows.size(); ++i) {
    if (i > 0) {
      EXPECT_GT(windows.position(i), windows.position(i - 1));
    }
    EXPECT_EQ(windows.position(i) % 10, 0);
    windows.window(i, row);
    EXPECT_EQ(row.front(), windows.position(i));
    EXPECT_EQ(row.back(), windows.position(i) + 10);
    mean += static_cast<double>(windows.position(i)) / 100;
  }
  // A mean of 100 of 1000 uniform positions: 5000 +- 10000 sqrt(.9 / 1200).
  EXPECT_NEAR(mean, 4995, 3 * 274);
}

TEST(FixedSample, LargerOnesContainSmallerOnes) {
  std::set<int64_t> smaller;
  for (const int64_t count : {1, 2, 5, 40, 99, 100}) {
    const std::vector<int64_t> sample = fixed_sample(100, count);
    ASSERT_EQ(std::ssize(sample), count);
    EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
    const std::set<int64_t> now(sample.begin(), sample.end());
    EXPECT_EQ(std::ssize(now), count);
    EXPECT_GE(*now.begin(), 0);
    EXPECT_LT(*now.rbegin(), 100);
    EXPECT_TRUE(std::includes(now.begin(), now.end(), smaller.begin(), smaller.end()));
    smaller = now;
  }
  EXPECT_EQ(fixed_sample(100, 0), fixed_sample(100, 100));
  EXPECT_EQ(fixed_sample(100, 1000), fixed_sample(100, 100));
  EXPECT_TRUE(fixed_sample(0, 5).empty());
}

}  // namespace
}  // namespace bitlaw
