#include "data/dataset.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/hash.h"
#include "base/test_folder.h"
#include "data/prepare.h"

namespace bitlaw {
namespace {

class DatasetTest : public testing::Test {
 protected:
  DatasetTest() {
    for (int d = 0; d < 40; ++d) {
      folder_.write("text/" + std::to_string(d) + ".txt",
                    "Document number " + std::to_string(d) + " says hello.\n");
    }
    PrepareConfig config;
    config.from = {(folder_ / "text").string()};
    config.to = set_.string();
    config.tokenizer = "byte";
    config.shard_tokens = 400;
    info_ = prepare_dataset(config);
  }

  std::string open_error(int vocabulary = 0) const {
    return error_of([&] { Dataset::open(set_, vocabulary); });
  }
  void change(const std::string& name, const std::function<void(std::string&)>& edit) const {
    std::string bytes = read_file(set_ / name);
    edit(bytes);
    write_file_atomically(set_ / name, bytes);
  }
  void describe_as(const std::function<void(Json&)>& edit) const {
    Json document = to_json(info_);
    edit(document);
    write_file_atomically(set_ / "dataset.json", document.dump());
  }

  TestFolder folder_;
  std::filesystem::path set_ = folder_ / "set";
  DatasetInfo info_;
};

TEST_F(DatasetTest, OpensWhatWasPrepared) {
  const Dataset set = Dataset::open(set_, 257);
  EXPECT_EQ(set.train().size(), info_.train.tokens);
  EXPECT_EQ(set.validation().size(), info_.validation.tokens);
  EXPECT_EQ(set.vocabulary(), 257);
  EXPECT_EQ(set.hash(), info_.hash);
  EXPECT_EQ(set.validation_hash(), set.validation().hash());
  EXPECT_EQ(set.train_tokens(), info_.train.tokens);
  EXPECT_EQ(set.tokenizer()->hash(), info_.tokenizer_hash);
  EXPECT_EQ(to_json(set.info()), to_json(info_));
  EXPECT_EQ(to_json(read_dataset_info(to_json(info_), "x")), to_json(info_));
  EXPECT_NE(describe(info_).find("vocabulary 257"), std::string::npos);
}

TEST_F(DatasetTest, OfAnEarlierVersionIsOpenedWithANote) {
  describe_as([](Json& document) {
    document["version"] = 1;
    document.erase("sources");
    document.erase("near_duplicates");
  });
  const Dataset set = Dataset::open(set_);
  EXPECT_EQ(set.hash(), info_.hash);
  EXPECT_NE(describe(set.info()).find("an earlier version prepared it"), std::string::npos);
  EXPECT_EQ(describe(info_).find("an earlier version prepared it"), std::string::npos);
}

TEST_F(DatasetTest, CanBeMoved) {
  std::filesystem::rename(set_, folder_ / "elsewhere");
  EXPECT_EQ(Dataset::open(folder_ / "elsewhere").hash(), info_.hash);
}

TEST_F(DatasetTest, AnotherVocabularyIsAnError) {
  EXPECT_NE(open_error(1024).find("the vocabulary is 257 but the model has 1024"),
            std::string::npos);
}

TEST_F(DatasetTest, DamagedShardsAreErrors) {
  const std::string shard = "train_000000.bin";
  const std::string good = read_file(set_ / shard);
  const auto restore = [&] { write_file_atomically(set_ / shard, good); };
  change(shard, [](std::string& bytes) { bytes.resize(bytes.size() - 10); });
  EXPECT_NE(open_error().find(shard + ": the header says"), std::string::npos);
  restore();
  change(shard,
         [](std::string& bytes) { bytes[kShardHeaderBytes + 20] ^= 1; });  // one bit of one token
  EXPECT_NE(open_error().find("not the ones that dataset.json describes"), std::string::npos);
  restore();
  std::filesystem::remove(set_ / shard);
  EXPECT_NE(open_error().find(shard + ": cannot be read"), std::string::npos);
  restore();
  EXPECT_EQ(open_error(), "");
}

TEST_F(DatasetTest, TokensBeyondTheVocabularyAreErrors) {
  const std::vector<Token> tokens{1, 2, 300};
  write_shard(set_ / "val_000000.bin", tokens);
  describe_as(
      [&](Json& document) {  // a description that fits the shard, so that only the token is wrong
        document["validation"]["tokens"] = 3;
        document["validation"]["shards"] = {"val_000000.bin"};
        document["validation"]["hash"] = TokenSet(tokens).hash();
      });
  EXPECT_NE(open_error().find("token 300 at position 2 is beyond the vocabulary of 257"),
            std::string::npos);
}

TEST_F(DatasetTest, BadDescriptionsAreErrors) {
  const std::vector<std::function<void(Json&)>> edits{
      [](Json& d) { d = Json::array(); },
      [](Json& d) { d["version"] = 0; },
      [](Json& d) { d["version"] = 3; },
      [](Json& d) { d.erase("train"); },
      [](Json& d) { d["train"] = "x"; },
      [](Json& d) { d.erase("vocabulary"); },
      [](Json& d) { d["vocabulary"] = "257"; },
      [](Json& d) { d["vocabulary"] = 0; },
      [](Json& d) { d["vocabulary"] = 65537; },
      [](Json& d) { d["vocabulary"] = uint64_t{1} << 63; },
      [](Json& d) { d["vocabulary"] = (int64_t{1} << 32) + 257; },
      [](Json& d) { d["end_of_document"] = 257; },
      [](Json& d) { d["train"]["tokens"] = -5; },
      [](Json& d) { d["train"]["tokens"] = 1.5; },
      [](Json& d) { d["train"]["tokens"] = 7; },
      [](Json& d) { d["train"]["hash"] = "0"; },
      [](Json& d) { d["train"]["shards"] = "train_000000.bin"; },
      [](Json& d) { d["train"]["shards"] = {1}; },
      [](Json& d) { d["train"]["shards"] = {"../set/train_000000.bin"}; },
      [](Json& d) { d["train"]["shards"] = {""}; },
      [](Json& d) { d["train"]["shards"] = Json::array(); },
  };
  for (size_t i = 0; i < edits.size(); ++i) {
    describe_as(edits[i]);
    EXPECT_NE(open_error().find("prepare the data set again"), std::string::npos)
        << i << ": " << open_error();
  }
  for (const std::string bytes : {"", "{", "\xFF", "{\"version\": 1e999}"}) {
    write_file_atomically(set_ / "dataset.json", bytes);
    EXPECT_NE(open_error().find("dataset.json: "), std::string::npos) << bytes;
  }
}

TEST_F(DatasetTest, AnotherTokenizerIsAnError) {
  write_file_atomically(set_ / "tokenizer.model", "something else");
  EXPECT_NE(error_of([&] { Dataset::open(set_); }).find("tokenizer.model: "), std::string::npos);
}

TEST_F(DatasetTest, NoDirectoryIsAnError) {
  EXPECT_NE(error_of([&] { Dataset::open(folder_ / "none"); }).find("no data set there"),
            std::string::npos);
  EXPECT_NE(error_of([&] { Dataset::open(folder_ / "text"); }).find("no train shard"),
            std::string::npos);
}

TEST(Dataset, OpensShardsOfOthers) {
  TestFolder folder;
  const std::vector<Token> tokens{1, 2, 3, 4, 5};
  write_shard(folder / "llmc/fineweb_train_000002.bin", std::span(tokens).last(2));
  write_shard(folder / "llmc/fineweb_train_000001.bin", std::span(tokens).first(3));
  write_shard(folder / "llmc/fineweb_val_000000.bin", tokens);
  folder.write("nano/train.bin", std::string("\x01\0\x02\0\x03\0\x04\0\x05\0", 10));
  folder.write("nano/val.bin", std::string("\x01\0\x02\0\x03\0\x04\0\x05\0", 10));
  const Dataset llmc = Dataset::open(folder / "llmc", 6), nano = Dataset::open(folder / "nano", 6);
  for (const Dataset* set : {&llmc, &nano}) {
    EXPECT_EQ(set->train().hash(), TokenSet(tokens).hash());
    EXPECT_EQ(set->validation().hash(), TokenSet(tokens).hash());
    EXPECT_EQ(set->bytes_per_token(), 0);
    EXPECT_EQ(set->vocabulary(), 6);
  }
  EXPECT_EQ(llmc.hash(), nano.hash());
  EXPECT_NE(error_of([&] { Dataset::open(folder / "nano"); }).find("vocabulary must be given"),
            std::string::npos);
  EXPECT_NE(error_of([&] { Dataset::open(folder / "nano", 5); }).find("token 5 at position 4"),
            std::string::npos);
}

DatasetInfo of_two_sources() {
  DatasetInfo info;
  info.train.tokens = 1000;
  info.validation.tokens = 100;
  info.train.bytes = 4000;
  info.validation.bytes = 400;
  info.sources = {{.name = "big", .train_tokens = 700, .validation_tokens = 70},
                  {.name = "mid", .train_tokens = 300, .validation_tokens = 30}};
  return info;
}

TEST(DatasetWarnings, EqualSharesNeedNone) {
  EXPECT_TRUE(warnings(of_two_sources()).empty());
}

TEST(DatasetWarnings, ASourceThatIsInOneSplitAlone) {
  DatasetInfo info = of_two_sources();
  info.sources[1].validation_tokens = 0;
  ASSERT_EQ(warnings(info).size(), 1u);
  EXPECT_EQ(warnings(info)[0].find("mid is 30.0 % of training and 0.0 % of validation"), 0u)
      << warnings(info)[0];
  info.sources[1] = {.name = "mid", .train_tokens = 0, .validation_tokens = 30};
  EXPECT_EQ(warnings(info)[0].find("mid is 0.0 % of training and 30.0 % of validation"), 0u);
}

TEST(DatasetWarnings, ASmallSourceMayBeInOneSplitAlone) {
  DatasetInfo info = of_two_sources();
  info.sources.push_back({.name = "readme", .train_tokens = 9});
  EXPECT_TRUE(warnings(info).empty());
}

TEST(DatasetWarnings, ASourceThatLostItsValidationAndTextThatIsNone) {
  DatasetInfo info = of_two_sources();
  info.sources[0].dropped_tokens = 100;
  info.invalid_bytes = 440;
  const std::vector<std::string> said = warnings(info);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].find("big lost 58.8 % of its validation text"), 0u) << said[0];
  EXPECT_EQ(said[1].find("10 % of the bytes are no UTF-8"), 0u) << said[1];
}

}  // namespace
}  // namespace bitlaw
