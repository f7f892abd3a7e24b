#include "tokenizer/text_tokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <array>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/source_folder.h"
#include "base/test_folder.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/hf_tokenizer.h"
#include "tokenizer/sentencepiece_tokenizer.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(kSourceFolder) / "tests/golden/tokenizers";

Json read_json(const fs::path& path) {
  return parse_json(read_file(path), path.string());
}

std::vector<std::string> texts() {
  return read_json(kGolden / "texts.json").get<std::vector<std::string>>();
}

class Family : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(TextTokenizer, Family,
                         testing::Values("gpt2", "neox", "olmo2", "llama3", "qwen2", "o200k",
                                         "starcoder", "llama2", "metaspace", "sp_bpe",
                                         "sp_unigram"));

TEST_P(Family, EqualsTheReferenceTokenForToken) {
  const auto tokenizer = load_text_tokenizer(kGolden / GetParam());
  const Json expected = read_json(kGolden / GetParam() / "tokens.json");
  const auto all = texts();
  ASSERT_EQ(expected.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(tokenizer->encode(all[i]), expected[i].get<std::vector<int32_t>>()) << all[i];
}

TEST_P(Family, SameTokensFromSeveralThreads) {
  const auto tokenizer = load_text_tokenizer(kGolden / GetParam());
  const auto all = texts();
  std::vector<std::vector<int32_t>> alone;
  for (const std::string& text : all) alone.push_back(tokenizer->encode(text));
  std::vector<int> different(4, -1);
  std::vector<std::thread> threads;
  for (int& count : different) {
    threads.emplace_back([&] {
      count = 0;
      for (size_t i = 0; i < all.size(); ++i) count += tokenizer->encode(all[i]) != alone[i];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, std::vector<int>(4, 0));
}

// Tokens of a tokenizer that does not change text give back the text, byte by byte.
TEST(TextTokenizer, BytesOfTokensAreTheText) {
  for (const char* name : {"gpt2", "olmo2", "qwen2", "o200k"}) {
    const auto tokenizer = load_text_tokenizer(kGolden / name);
    for (const std::string& text : texts()) {
      if (text.find('<') != std::string::npos || text.find("e\xCC\x81") != std::string::npos ||
          name == std::string("qwen2"))
        continue;  // special tokens have no bytes; NFC changes text
      std::string bytes;
      for (const int32_t token : tokenizer->encode(text)) bytes += tokenizer->token_bytes(token);
      EXPECT_EQ(bytes, text) << name;
    }
  }
}

TEST(TextTokenizer, SpecialTokensOfEachFamily) {
  const auto ids = [](const char* name) {
    const auto t = load_text_tokenizer(kGolden / name);
    return std::array<int, 4>{t->begin_token(), t->end_token(), t->adds_begin(),
                              t->vocabulary_size()};
  };
  EXPECT_EQ(ids("gpt2"), (std::array<int, 4>{-1, -1, 0, 641}));
  EXPECT_EQ(ids("neox"), (std::array<int, 4>{640, 640, 0, 669}));
  EXPECT_EQ(ids("llama3"), (std::array<int, 4>{640, 641, 1, 647}));
  EXPECT_EQ(ids("llama2"), (std::array<int, 4>{1, -1, 1, 725}));
  EXPECT_EQ(ids("sp_bpe"), (std::array<int, 4>{1, 2, 0, 700}));
}

TEST(TextTokenizer, BeginTokenOnlyWhereAsked) {
  const auto llama3 = load_text_tokenizer(kGolden / "llama3");
  auto plain = llama3->encode("hello");
  plain.insert(plain.begin(), llama3->begin_token());
  EXPECT_EQ(llama3->encode("hello", true), plain);
  EXPECT_EQ(llama3->token_bytes(llama3->begin_token()), "");
  const auto gpt2 = load_text_tokenizer(kGolden / "gpt2");
  EXPECT_EQ(error_of([&] { gpt2->encode("hello", true); }),
            "this tokenizer has no begin token; encode without one");
}

TEST(TextTokenizer, ConfigOfTheModelNamesSpecialTokensLast) {
  const TestFolder folder;
  fs::copy(kGolden / "gpt2/tokenizer.json", folder.path() / "tokenizer.json");
  write_file_atomically(folder.path() / "config.json",
                        R"({"bos_token_id": 640, "eos_token_id": [7, 8]})");
  const auto tokenizer = load_text_tokenizer(folder.path());
  EXPECT_EQ(tokenizer->begin_token(), 640);
  EXPECT_EQ(tokenizer->end_token(), 7);
}

TEST(TextTokenizer, InvalidBytesAreReplacedOneByOne) {
  for (const char* name : {"gpt2", "llama2", "sp_bpe"}) {
    const auto tokenizer = load_text_tokenizer(kGolden / name);
    const std::string broken("a\xFF\xC3\xE2\x82z \xED\xA0\x80");
    EXPECT_EQ(tokenizer->encode(broken), tokenizer->encode(valid_utf8(broken))) << name;
  }
}

TEST(TextTokenizer, OwnTokenizersOfRunsLoad) {
  const TestFolder folder;
  byte_tokenizer()->save(folder.path() / "tokenizer.model");
  const auto bytes = load_text_tokenizer(folder.path());
  EXPECT_EQ(bytes->kind(), "byte");
  EXPECT_EQ(bytes->vocabulary_size(), 257);
  EXPECT_EQ(bytes->end_token(), 256);
  EXPECT_EQ(bytes->encode("a\n"), (std::vector<int32_t>{'a', '\n'}));
}

TEST(TextTokenizer, HasToFitTheModel) {
  // 641 tokens, of which the last was added: no text gives it unless it names it.
  const auto tokenizer = load_text_tokenizer(kGolden / "gpt2");
  for (const int64_t fits : {640, 641, 768, 1282})
    EXPECT_NO_THROW(require_vocabulary(*tokenizer, fits));
  for (const int64_t other : {639, 1283, 50304}) {
    EXPECT_EQ(
        error_of([&] { require_vocabulary(*tokenizer, other); }),
        fmt::format(
            "the tokenizer has 641 tokens but the model {}: they belong to different "
            "checkpoints{}; use the tokenizer that came with the model",
            other, other < 641 ? ", or tokens were added for which the model has no weights" : ""));
  }
}

// Some vocabularies lack bytes that no usual text has.
TEST(TextTokenizer, AMissingByteIsRefusedInTheText) {
  TestFolder folder;
  const fs::path golden = kGolden / "gpt2/tokenizer.json";
  Json document = parse_json(read_file(golden), golden.string());
  for (const unsigned byte : {0x00u, 0x0Bu, 0xFFu})
    document["model"]["vocab"].erase(byte_level_characters()[byte]);
  folder.write("tokenizer.json", dump_json(document));
  const auto tokenizer = load_text_tokenizer(folder.path());
  const std::string usual =
      "Usual text,\n\twith Gr\xC3\xBC\xC3\x9F"
      "e.";
  EXPECT_EQ(tokenizer->encode(usual), load_text_tokenizer(kGolden / "gpt2")->encode(usual));
  EXPECT_EQ(
      error_of([&] { tokenizer->encode("a form\vfeed"); }),
      "the text has the byte 0x0B, which the tokenizer's vocabulary lacks; remove it from the "
      "text");
}

// Ids that no text gives do not count.
TEST(TextTokenizer, AnAddedPadTokenMayBeBeyondTheModel) {
  TestFolder folder;
  const fs::path golden = fs::path(kSourceFolder) / "tests/golden/tokenizers/gpt2/tokenizer.json";
  Json document = parse_json(read_file(golden), golden.string());
  const auto add = [&](int64_t id, const std::string& content, bool special) {
    document["added_tokens"].push_back({{"id", id},
                                        {"content", content},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false},
                                        {"special", special}});
  };
  add(641, "[PAD]", true);
  folder.write("tokenizer.json", dump_json(document));
  folder.write("tokenizer_config.json", R"({"eos_token": "<|endoftext|>"})");
  const auto tokenizer = load_text_tokenizer(folder.path());
  EXPECT_EQ(tokenizer->vocabulary_size(), 642);
  EXPECT_EQ(tokenizer->text_vocabulary_size(), 641);
  EXPECT_EQ(error_of([&] { require_vocabulary(*tokenizer, 641); }), "");
  EXPECT_NE(error_of([&] { require_vocabulary(*tokenizer, 640); })  // the end token's id
                .find("or tokens were added for which the model has no weights"),
            std::string::npos);
  add(642, "word", false);  // a text may have it
  folder.write("tokenizer.json", dump_json(document));
  EXPECT_NE(error_of([&] { require_vocabulary(*load_text_tokenizer(folder.path()), 641); }), "");
}

TEST(TextTokenizer, MissingOrDamagedFilesAreOneSentence) {
  const TestFolder folder;
  const std::string where = folder.path().string();
  const auto error = [&] { return error_of([&] { load_text_tokenizer(folder.path()); }); };
  EXPECT_EQ(error(), where +
                         ": has no tokenizer.json or tokenizer.model; copy the checkpoint's "
                         "tokenizer into it");
  write_file_atomically(folder.path() / "tokenizer.model", "not a model");
  EXPECT_EQ(error(), where +
                         "/tokenizer.model: not a sentencepiece model, or damaged; copy "
                         "the checkpoint's again");
  const std::string good = read_file(kGolden / "gpt2/tokenizer.json");
  write_file_atomically(folder.path() / "tokenizer.json", good.substr(0, good.size() / 2));
  EXPECT_TRUE(error().starts_with(where + "/tokenizer.json")) << error();
  write_file_atomically(folder.path() / "tokenizer.json", good);
  write_file_atomically(folder.path() / "tokenizer_config.json", R"({"bos_token": 5})");
  EXPECT_EQ(error(), where + "/tokenizer_config.json: bos_token must be text, not 5");
}

// Those that are encoded without the library: with a dummy prefix and a user-defined piece (added
// to the message by hand), and bitlaw's own, which have neither.
TEST(TextTokenizer, SentencepieceModelsGiveTheTokensOfTheLibrary) {
  const std::string user_defined = std::string("\x0A\x0E\x0A\x05[DOC]\x15\0\0\0\0\x18\x04", 16);
  size_t next = 0;
  const auto own = train_bpe({.vocabulary = 330}, [&](std::string& text) {
    text = texts()[next];
    return next++ < 40;
  });
  for (const std::string& bytes :
       {read_file(kGolden / "sp_bpe/tokenizer.model") + user_defined, own->bytes()}) {
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.LoadFromSerializedProto(bytes).ok());
    const auto tokenizer = parse_sentencepiece(bytes, "t.model");
    EXPECT_EQ(tokenizer->vocabulary_size(), library.GetPieceSize());
    for (const std::string& text : texts()) {
      for (const std::string& variant :
           {text, "[DOC]" + text, text + " [DOC][DOC" + text.substr(0, text.find(' '))}) {
        std::vector<int> expected;
        ASSERT_TRUE(library.Encode(variant, &expected).ok());
        EXPECT_EQ(tokenizer->encode(variant), expected) << variant;
      }
    }
  }
}

// A piece without text, and one that begins with a NUL, which the library's trie throws at.
TEST(TextTokenizer, SentencepieceModelsWithEmptyPiecesAreAnError) {
  const std::string good = read_file(kGolden / "sp_unigram/tokenizer.model");
  for (const std::string& text : {std::string(), std::string(1, '\0')}) {
    const std::string piece = "\x0A" + std::string(1, static_cast<char>(text.size())) + text +
                              std::string("\x15\0\0\0\0", 5);  // its score
    const std::string bytes =
        good + "\x0A" + std::string(1, static_cast<char>(piece.size())) + piece;
    EXPECT_EQ(error_of([&] { parse_sentencepiece(bytes, "t.model"); }),
              "t.model: not a sentencepiece model, or damaged; copy the checkpoint's again");
  }
}

// One change to a good document, and the sentence it gives.
struct Damage {
  const char* path;  // of what is replaced or added
  const char* value;
  const char* sentence;
};

void set_path(Json& document, const std::string& path, Json value) {
  const size_t slash = path.rfind('/');
  Json& parent = *find_json_pointer(document, path.substr(0, slash));
  const std::string last = path.substr(slash + 1);
  (parent.is_array() ? parent[std::stoul(last)] : parent[last]) = std::move(value);
}

TEST(TextTokenizer, WhatIsWrongOrNotSupportedIsNamed) {
  const Json good = read_json(kGolden / "neox/tokenizer.json");
  const Damage damages[] = {
      {"/model", "3", "t.json: model must be an object, not 3"},
      {"/model/type", "\"WordPiece\"",
       "t.json: model.type 'WordPiece' is not supported; bitlaw reads BPE"},
      {"/model/dropout", "0.1",
       "t.json: model.dropout is not supported: it draws tokens at random"},
      {"/model/end_of_word_suffix", "\"</w>\"",
       "t.json: model.end_of_word_suffix is not supported"},
      {"/model/vocab", "{}", "t.json: model.vocab lacks the byte 0x09; text would be lost"},
      {"/model/vocab/a", "-1",
       "t.json: model.vocab has no valid id for 'a' (a whole number from 0)"},
      {"/model/vocab/a", "3", "t.json: id 3 belongs to both '$' and 'a'"},
      {"/model/vocab/zzz", "9999",
       "t.json: 9330 of 10000 ids have no token (the first is 669); the vocabulary is damaged"},
      {"/model/merges/0", "\"a  b\"",
       "t.json: model.merges[0] is not two tokens with a space between them"},
      {"/model/merges/0", "7", "t.json: model.merges[0] is not a pair of tokens"},
      {"/model/merges/1", "[\"a\", \"qqq\"]",
       "t.json: model.merges[1] names 'qqq', which is not in the vocabulary"},
      {"/normalizer", R"({"type": "Lowercase"})",
       "t.json: normalizer 'Lowercase' is not supported; bitlaw reads NFC, NFD, NFKC, NFKD, "
       "Prepend, Replace and a Sequence of these"},
      {"/pre_tokenizer", R"({"type": "Punctuation"})",
       "t.json: pre_tokenizer 'Punctuation' is not supported; bitlaw reads Split, ByteLevel, "
       "Digits, Metaspace and a Sequence of these"},
      {"/pre_tokenizer", "null",
       "t.json: model has neither byte_fallback nor a ByteLevel pre_tokenizer; such a BPE loses "
       "text and is not supported"},
      {"/pre_tokenizer",
       R"({"type": "Split", "pattern": {"Regex": "a\\b"}, "behavior": "Isolated"})",
       "t.json: pre_tokenizer.pattern: '\\b' in a pattern is not supported"},
      {"/pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"})",
       "t.json: pre_tokenizer.pattern: a pattern is invalid or not supported: missing closing "
       "parenthesis"},
      {"/pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Odd"})",
       "t.json: pre_tokenizer.behavior 'Odd' is not supported"},
      {"/pre_tokenizer",
       R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]})",
       "t.json: pre_tokenizer.pretokenizers[1] comes after ByteLevel, which is not supported"},
      {"/added_tokens/0/content", "\"\"", "t.json: added_tokens[0].content is empty"},
      {"/added_tokens/1/content", "\"<|endoftext|>\"",
       "t.json: added_tokens[1].content '<|endoftext|>' appears twice"},
      {"/added_tokens/0/content", "\"a\"",
       "t.json: added_tokens[0].id is 640, and 'a' is 64 in the vocabulary"},
      {"/added_tokens/0/lstrip", "\"yes\"",
       "t.json: added_tokens[0].lstrip must be true or false, not \"yes\""},
  };
  for (const Damage& damage : damages) {
    Json document = good;
    set_path(document, damage.path, Json::parse(damage.value));
    EXPECT_EQ(error_of([&] { parse_hf_tokenizer(document.dump(), "t.json"); }), damage.sentence);
  }
  EXPECT_EQ(error_of([&] { parse_hf_tokenizer("[1, 2]", "t.json"); }),
            "t.json: the document must be an object, not [1,2]");
}

// A word of a megabyte is merged in a moment (by a heap, not by looking for the best pair anew).
TEST(TextTokenizer, VeryLongWords) {
  const auto tokenizer = load_text_tokenizer(kGolden / "gpt2");
  std::string word;
  while (word.size() < 1 << 20) word += "the";
  const auto tokens = tokenizer->encode(word);
  std::string bytes;
  for (const int32_t token : tokens) bytes += tokenizer->token_bytes(token);
  EXPECT_EQ(bytes, word);
}

}  // namespace
}  // namespace bitlaw
