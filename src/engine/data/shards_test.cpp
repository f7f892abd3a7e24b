#include "data/shards.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <numeric>

#include "base/random.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

std::string shard_bytes(std::vector<int32_t> header, const std::vector<Token>& tokens) {
  header.resize(256);
  std::string bytes(kShardHeaderBytes + tokens.size() * 2, '\0');
  std::memcpy(bytes.data(), header.data(), kShardHeaderBytes);
  if (!tokens.empty())
    std::memcpy(bytes.data() + kShardHeaderBytes, tokens.data(), tokens.size() * 2);
  return bytes;
}

std::vector<Token> random_tokens(size_t count, uint64_t stream) {
  std::vector<Token> tokens(count);
  for (size_t i = 0; i < count; ++i) tokens[i] = static_cast<Token>(random_u64(11, stream, i));
  return tokens;
}

std::vector<Token> all_of(const TokenSet& set) {
  std::vector<Token> tokens(static_cast<size_t>(set.size()));
  set.read(0, tokens);
  return tokens;
}

TEST(Shards, AreWrittenByteForByteAsLlmC) {
  TestFolder folder;
  const std::vector<Token> tokens{0, 1, 255, 256, 50256, 65535};
  write_shard(folder / "a.bin", tokens);
  const std::string bytes = read_file(folder / "a.bin");
  EXPECT_EQ(bytes, shard_bytes({20240520, 1, 6}, tokens));
  // And spelled out: 20240520 = 0x0134D888, little-endian.
  EXPECT_EQ(bytes.substr(0, 16), std::string("\x88\xD8\x34\x01\x01\0\0\0\x06\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(bytes.substr(kShardHeaderBytes),
            std::string("\0\0\x01\0\xFF\0\0\x01\x50\xC4\xFF\xFF", 12));
}

TEST(Shards, WritingInPiecesIsWritingAtOnce) {
  TestFolder folder;
  const std::vector<Token> tokens = random_tokens(1000, 1);
  ShardWriter writer(folder / "a.bin");
  writer.write(std::span(tokens).first(1));
  writer.write({});
  writer.write(std::span(tokens).subspan(1));
  EXPECT_EQ(writer.tokens(), 1000);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.bin"));  // not before it is whole
  writer.finish();
  EXPECT_EQ(all_of(TokenSet::open({folder / "a.bin"})), tokens);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.bin"});
}

TEST(Shards, AWriterThatIsDroppedLeavesNothing) {
  TestFolder folder;
  {
    ShardWriter writer(folder / "a.bin");
    writer.write(random_tokens(10, 1));
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(Shards, NoSpaceIsAnErrorAndLeavesTheOldShard) {
  TestFolder folder;
  write_shard(folder / "a.bin", random_tokens(10, 1));
  const std::string before = read_file(folder / "a.bin");
  const auto write_beyond_limit = [&] {
    std::signal(SIGXFSZ, SIG_IGN);  // the write then fails as it does on a full disk
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string error =
        error_of([&] { write_shard(folder / "a.bin", random_tokens(100'000, 2)); });
    std::exit(error.find("a.bin: cannot be written") != std::string::npos ? 0 : 1);
  };
  EXPECT_EXIT(write_beyond_limit(), testing::ExitedWithCode(0), "");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.bin"});
  EXPECT_EQ(read_file(folder / "a.bin"), before);
}

TEST(Shards, AReadOnlyPlaceIsAnError) {
  EXPECT_NE(error_of([] {
              write_shard("/proc/bitlaw_no_such_place/a.bin", std::vector<Token>{1});
            }).find("cannot be created"),
            std::string::npos);
}

TEST(Shards, BareTokensAreReadWithoutAHeader) {
  const std::vector<Token> tokens = random_tokens(700, 3);
  const std::string bytes(reinterpret_cast<const char*>(tokens.data()), tokens.size() * 2);
  const auto read = parse_shard(bytes, "bare");
  EXPECT_TRUE(std::equal(read.begin(), read.end(), tokens.begin(), tokens.end()));
  // Told that it is bare, even llm.c's magic is two tokens.
  const std::string llmc = shard_bytes({20240520, 1, 2}, {7, 8});
  EXPECT_EQ(parse_shard(llmc, "x").size(), 2u);
  EXPECT_EQ(parse_shard(llmc, "x", ShardFormat::kBare).size(), 514u);
  EXPECT_EQ(parse_shard(llmc, "x", ShardFormat::kBare)[0], 20240520 & 0xFFFF);
}

TEST(Shards, EveryDamageIsAnErrorThatNamesTheFile) {
  const std::vector<Token> tokens{5, 6, 7};
  struct Case {
    std::string bytes;
    ShardFormat format;
    const char* message;
  };
  const std::string good = shard_bytes({20240520, 1, 3}, tokens);
  const Case cases[] = {
      {"", ShardFormat::kAuto, "no tokens"},
      {"", ShardFormat::kLlmC, "less than the header's 1024"},
      {good.substr(0, 1000), ShardFormat::kLlmC, "1000 bytes, less than the header's 1024"},
      {shard_bytes({20240521, 1, 3}, tokens), ShardFormat::kLlmC,
       "magic 20240521, expected 20240520"},
      {shard_bytes({20240520, 2, 3}, tokens), ShardFormat::kAuto, "shard version 2, expected 1"},
      {shard_bytes({20240520, 1, 4}, tokens), ShardFormat::kAuto,
       "says 4 tokens but 6 bytes follow it, expected 8"},
      {shard_bytes({20240520, 1, 2}, tokens), ShardFormat::kAuto, "says 2 tokens"},
      {shard_bytes({20240520, 1, -1}, tokens), ShardFormat::kAuto, "says -1 tokens"},
      {shard_bytes({20240520, 1, 0}, {}), ShardFormat::kAuto, "no tokens"},
      {good.substr(0, good.size() - 1), ShardFormat::kAuto, "cut short"},
      {good + "x", ShardFormat::kAuto, "says 3 tokens"},
      {"abc", ShardFormat::kAuto, "not a whole number"},
  };
  for (const Case& c : cases) {
    const std::string error = error_of([&] { parse_shard(c.bytes, "dir/a.bin", c.format); });
    EXPECT_NE(error.find("dir/a.bin: "), std::string::npos) << c.message;
    EXPECT_NE(error.find(c.message), std::string::npos) << error;
  }
}

TEST(TokenSet, ARowOfShardsIsOneArray) {
  TestFolder folder;
  std::vector<Token> whole;
  std::vector<std::filesystem::path> paths;
  for (const size_t size : {1, 5, 2, 300, 1}) {
    const std::vector<Token> part = random_tokens(size, size);
    paths.push_back(folder / fmt::format("s{}.bin", paths.size()));
    write_shard(paths.back(), part);
    whole.insert(whole.end(), part.begin(), part.end());
  }
  const TokenSet set = TokenSet::open(paths), one(whole);
  ASSERT_EQ(set.size(), static_cast<int64_t>(whole.size()));
  EXPECT_EQ(set.hash(), one.hash());
  EXPECT_EQ(set.largest(), *std::max_element(whole.begin(), whole.end()));
  for (size_t begin = 0; begin < whole.size(); ++begin) {
    EXPECT_EQ(set[static_cast<int64_t>(begin)], whole[begin]);
    for (size_t n : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, whole.size() - begin}) {
      n = std::min(n, whole.size() - begin);
      std::vector<Token> out(n);
      set.read(static_cast<int64_t>(begin), out);
      ASSERT_TRUE(
          std::equal(out.begin(), out.end(), whole.begin() + static_cast<ptrdiff_t>(begin)));
    }
  }
  const TokenSet copy = set;  // shares the mapping and outlives the files
  std::filesystem::remove_all(folder.path());
  EXPECT_EQ(all_of(copy), whole);
}

TEST(TokenSet, ATokenBeyondTheVocabularyIsNamed) {
  const TokenSet set(std::vector<Token>{1, 2, 9, 3});
  EXPECT_EQ(error_of([&] { set.check_vocabulary(10); }), "");
  const std::string error = error_of([&] { set.check_vocabulary(9); });
  EXPECT_NE(error.find("token 9 at position 2 is beyond the vocabulary of 9"), std::string::npos)
      << error;
  EXPECT_EQ(error_of([] { TokenSet(std::vector<Token>{65535}).check_vocabulary(65536); }), "");
}

TEST(TokenSet, DocumentsStartAfterTheEndToken) {
  EXPECT_EQ(TokenSet(std::vector<Token>{4, 5, 0, 0, 7, 0}).document_starts(0),
            (std::vector<int64_t>{0, 3, 4}));
  EXPECT_TRUE(TokenSet().document_starts(0).empty());
}

}  // namespace
}  // namespace bitlaw
