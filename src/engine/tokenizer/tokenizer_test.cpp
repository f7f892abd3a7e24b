#include "tokenizer/tokenizer.h"

#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include "base/random.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

// English with some structure: frequent words, numbers, code, indentation, other scripts.
std::vector<std::string> training_texts() {
  const char* words[] = {"the",       "law",        "of",       "scaling",   "relates", "loss",
                         "to",        "parameters", "and",      "tokens",    "at",      "every",
                         "precision", "model",      "training", "quantized", "weights", "(see",
                         "below).",   "We",         "find"};
  std::vector<std::string> texts;
  for (uint64_t t = 0; t < 200; ++t) {
    std::string text;
    for (uint64_t i = 0; i < 300; ++i) {
      text += words[random_below(5, t, i, std::size(words))];
      const double separator = random_uniform(6, t, i);
      if (separator < 0.03) text.append(" ").append(std::to_string(i * t)).append("\n    ");
      text += separator < 0.85 ? " " : separator < 0.95 ? ".\n" : "  ";
    }
    texts.push_back(text + "na\xC3\xAFve \xCE\xBB \xE6\x97\xA5\xE6\x9C\xAC");
  }
  return texts;
}

std::unique_ptr<Tokenizer> train(int vocabulary,
                                 const std::vector<std::string>& texts = training_texts()) {
  size_t next = 0;
  return train_bpe({.vocabulary = vocabulary}, [&](std::string& text) {
    if (next == texts.size()) return false;
    text = texts[next++];
    return true;
  });
}

const Tokenizer& trained() {
  static const auto tokenizer = train(500);
  return *tokenizer;
}

std::vector<std::string> probes() {
  std::vector<std::string> texts{
      "",
      " ",
      "   ",
      "the law of scaling",
      " leading, trailing  and   several    spaces   ",
      "\n\n\nline\r\nends\rand\ttabs\t\t\v\f\n",
      std::string("NUL \0 inside", 12),
      "\xEF\xBB\xBF byte order mark",
      "Gr\xC3\xBC\xC3\x9F"
      "e, \xCE\xB1\xCE\xB2\xCE\xB3, \xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82",
      "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E \xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4 "
      "\xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A "
      "\xE0\xA4\xB9\xE0\xA4\xBF\xE0\xA4\xA8\xE0\xA5\x8D\xE0\xA4\xA6\xE0\xA5\x80",
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80 emoji, e\xCC\x81 combining, \xEF\xAC\x81 "
      "ligature, \xEF\xBC\xA1 full width",
      "\xC2\xA0no-break \xE3\x80\x80ideographic \xE2\x80\x89thin spaces",
      "sentencepiece's own \xE2\x96\x81 mark\xE2\x96\x81\xE2\x96\x81, \xE2\x96\x85 and "
      "\xE2\x81\x87",
      "<s> </s> <unk> <pad> <0x0A> <0xFF> special names as text",
      "invalid \xFF\xFE \xC3 \xE2\x96 \xF0\x9F\x98 bytes \xED\xA0\x80",
  };
  for (uint64_t i = 0; i < 300; ++i) {  // bytes at random, and characters at random
    std::string bytes, characters;
    for (uint64_t k = 0; k < i % 50; ++k) {
      bytes.push_back(static_cast<char>(random_u64(8, i, k)));
      const char* some[] = {
          " ", "\n", "a", "the", "\xE2\x96\x81", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xFF", "12", "."};
      characters += some[random_below(9, i, k, std::size(some))];
    }
    texts.push_back(bytes);
    texts.push_back(characters);
  }
  return texts;
}

TEST(Tokenizer, DecodingGivesBackEveryByte) {
  const auto bytes = byte_tokenizer();
  for (const Tokenizer* tokenizer : {static_cast<const Tokenizer*>(bytes.get()), &trained()}) {
    const Tokenizer& t = *tokenizer;
    for (const std::string& text : probes()) {
      const std::vector<Token> tokens = t.encode(text);
      ASSERT_EQ(t.decode(tokens), text) << t.kind();
      std::string joined;
      for (const Token token : tokens) {
        ASSERT_LT(token, t.vocabulary_size());
        ASSERT_NE(token, t.end_of_document());
        ASSERT_FALSE(t.token_bytes(token).empty());
        joined += t.token_bytes(token);
      }
      ASSERT_EQ(joined, text);
    }
    EXPECT_EQ(t.decode(std::vector<Token>{t.end_of_document()}), "");
    const auto beyond = static_cast<Token>(t.vocabulary_size());
    EXPECT_NE(error_of([&] { t.decode(std::vector<Token>{beyond}); }).find("beyond the vocabulary"),
              std::string::npos);
  }
}

TEST(Tokenizer, BytesAreTheirOwnNumbers) {
  const auto tokenizer = byte_tokenizer();
  EXPECT_EQ(tokenizer->vocabulary_size(), 257);
  EXPECT_EQ(tokenizer->end_of_document(), 256);
  EXPECT_EQ(tokenizer->encode("a\xFF"), (std::vector<Token>{97, 255}));
}

TEST(Bpe, HasLlamasLayoutAndTheAskedVocabulary) {
  EXPECT_EQ(trained().vocabulary_size(), 500);
  EXPECT_EQ(trained().end_of_document(), 2);
  for (int b = 0; b < 256; ++b)
    EXPECT_EQ(trained().token_bytes(static_cast<Token>(3 + b)),
              std::string(1, static_cast<char>(b)));
}

TEST(Bpe, CompressesWhatItLearntFrom) {
  const std::string text = training_texts()[3];
  EXPECT_LT(trained().encode(text).size() * 2,
            text.size());  // each word became a few tokens at most
}

// encode() cuts the text before runs of spaces and looks up words that it has seen; sentencepiece
// given the whole text must agree.
TEST(Bpe, CuttingIntoWordsChangesNothing) {
  sentencepiece::SentencePieceProcessor whole;
  ASSERT_TRUE(whole.LoadFromSerializedProto(trained().bytes()).ok());
  for (const std::string& text : {training_texts()[0], training_texts()[1] + "   \n  x",
                                  std::string("  a   b\n c  \xC3\xA9 \xE6\x97\xA5 ")}) {
    std::vector<int> ids;
    ASSERT_TRUE(whole.Encode(text, &ids).ok());
    for (int time = 0; time < 2; ++time) {  // the second time, all words have been seen
      const std::vector<Token> tokens = trained().encode(text);
      EXPECT_TRUE(std::equal(ids.begin(), ids.end(), tokens.begin(), tokens.end()));
    }
  }
}

TEST(Bpe, TrainingIsDeterministic) {
  EXPECT_EQ(train(400)->bytes(), train(400)->bytes());
  EXPECT_NE(train(400)->hash(), train(401)->hash());
}

TEST(Bpe, ManyScriptsInASmallVocabularyFallBackToBytes) {
  std::vector<std::string> texts;
  for (uint64_t t = 0; t < 100; ++t) {
    std::string text;
    for (uint64_t i = 0; i < 200; ++i) {  // 3000 different characters, far more than the vocabulary
      const auto point = static_cast<uint32_t>(0x4E00 + random_below(7, t, i, 3000));
      text += {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
               static_cast<char>(0x80 | (point & 63))};
    }
    texts.push_back(text);
  }
  const auto tokenizer = train(600, texts);
  EXPECT_EQ(tokenizer->vocabulary_size(), 600);
  for (const std::string& text : probes())
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  int characters = 0;
  for (int token = 0; token < 600; ++token)
    characters += tokenizer->token_bytes(static_cast<Token>(token)).size() == 3;
  EXPECT_EQ(characters,
            (600 - 3 - 256) / 2);  // half of what is left holds the commonest characters
}

TEST(Bpe, AnImpossibleVocabularyIsAnError) {
  EXPECT_NE(error_of([] { train(100); }).find("320 to 65536"), std::string::npos);
  EXPECT_NE(error_of([] { train(70000); }).find("320 to 65536"), std::string::npos);
  EXPECT_NE(error_of([] { train(30000); }).find("more text or a smaller vocabulary"),
            std::string::npos);
  EXPECT_NE(error_of([] { train(400, {}); }).find("no text"), std::string::npos);
  EXPECT_NE(error_of([] { train(400, {"\t\t"}); }).find("no text"), std::string::npos);
}

TEST(Tokenizer, SavedIsLoaded) {
  TestFolder folder;
  byte_tokenizer()->save(folder / "byte.model");
  trained().save(folder / "bpe.model");
  const auto bytes = load_tokenizer(folder / "byte.model"),
             bpe = load_tokenizer(folder / "bpe.model");
  EXPECT_EQ(bytes->kind(), "byte");
  EXPECT_EQ(bytes->hash(), byte_tokenizer()->hash());
  EXPECT_EQ(bpe->kind(), "bpe");
  EXPECT_EQ(bpe->hash(), trained().hash());
  EXPECT_EQ(bpe->encode("the law of scaling"), trained().encode("the law of scaling"));
}

TEST(Tokenizer, OtherFilesAreErrors) {
  TestFolder folder;
  EXPECT_NE(error_of([&] { load_tokenizer(folder / "none"); }).find("cannot be read"),
            std::string::npos);
  std::vector<std::string> contents{"", "text", std::string("\0\1\2", 3),
                                    trained().bytes().substr(0, 3000)};
  for (const std::string& bytes : contents) {
    folder.write("x.model", bytes);
    const std::string error = error_of([&] { load_tokenizer(folder / "x.model"); });
    EXPECT_NE(error.find("x.model: "), std::string::npos) << bytes.size() << error;
  }
}

}  // namespace
}  // namespace bitlaw
