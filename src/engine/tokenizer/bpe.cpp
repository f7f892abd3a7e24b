#include "tokenizer/bpe.h"

#include <fmt/format.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "tokenizer/piece_cache.h"
#include "tokenizer/piece_notation.h"
#include "tokenizer/sentencepiece_load.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

// sentencepiece writes a space as U+2581. A U+2581 of the text itself would come back as a space,
// so it goes around sentencepiece as three byte tokens. So do bytes that are not UTF-8, and spaces
// where the vocabulary has none (learnt from Chinese, say), which would come back as U+2581.
constexpr std::string_view kUnknownMark = "\xE2\x96\x85";  // and U+2585 is reserved while it learns

class BpeTokenizer : public Tokenizer {
 public:
  BpeTokenizer(std::string bytes, const std::string& where) : file_(std::move(bytes)) {
    if (!load_sentencepiece(file_, model_)) {
      throw Error(
          fmt::format("{}: not a tokenizer (neither a sentencepiece model nor the byte tokenizer); "
                      "prepare the data set again",
                      where));
    }
    const int vocabulary = model_.GetPieceSize();
    if (vocabulary > kLargestVocabulary) {
      throw Error(
          fmt::format("{}: a vocabulary of {} does not fit uint16 tokens; use one of at most {}",
                      where, vocabulary, kLargestVocabulary));
    }
    read_pieces();
    if (model_.eos_id() < 0 || byte_count_ < 256 || !keeps_text()) {
      throw Error(fmt::format(
          "{}: this sentencepiece model changes the text or lacks tokens (it needs byte fallback, "
          "an end token, identity normalisation, no dummy prefix); train one with tokenizer bpe",
          where));
    }
  }

  std::string kind() const override { return "bpe"; }
  int vocabulary_size() const override { return static_cast<int>(pieces_.size()); }
  Token end_of_document() const override { return static_cast<Token>(model_.eos_id()); }
  const std::string& token_bytes(Token token) const override {
    BITLAW_CHECK(token < pieces_.size());
    return pieces_[token];
  }
  const std::string& bytes() const override { return file_; }

  std::vector<Token> encode(std::string_view text) const override {
    std::vector<Token> tokens;
    tokens.reserve(text.size() / 3);
    auto cache = caches_.take();
    size_t begin = 0, end = 0;  // text that sentencepiece may see
    auto flush = [&] { encode_words(text.substr(begin, end - begin), *cache, tokens); };
    while (end < text.size()) {
      int length = utf8_length(text.substr(end));
      const bool around = length == 0 || text.substr(end).starts_with(kSpaceMark) ||
                          (text[end] == ' ' && !has_space_);
      if (!around) {
        end += static_cast<size_t>(length);
        continue;
      }
      flush();
      for (length = std::max(length, 1); length > 0; --length) {
        tokens.push_back(byte_tokens_[static_cast<unsigned char>(text[end++])]);
      }
      begin = end;
    }
    flush();
    caches_.give_back(std::move(cache));
    return tokens;
  }

 private:
  void read_pieces() {
    pieces_.resize(static_cast<size_t>(model_.GetPieceSize()));
    has_space_ = !model_.IsUnknown(model_.PieceToId(kSpaceMark));
    for (int id = 0; id < model_.GetPieceSize(); ++id) {
      const std::string& piece = model_.IdToPiece(id);
      std::string& bytes = pieces_[static_cast<size_t>(id)];
      if (const auto byte = model_.IsByte(id) ? byte_of_piece(piece) : std::nullopt) {
        bytes.assign(1, static_cast<char>(*byte));
        byte_tokens_[*byte] = static_cast<Token>(id);
        ++byte_count_;
      } else if (!model_.IsControl(id) && !model_.IsUnknown(id)) {
        bytes = without_marks(piece);
      }
    }
  }

  // No piece has a space after another character, so a text cut before each run of spaces encodes
  // as its parts do; short parts keep sentencepiece's queue small, and come again.
  void encode_words(std::string_view text, PieceCache<Token>& cache,
                    std::vector<Token>& tokens) const {
    const auto encode_new = [&](std::string_view word, std::vector<Token>& out) {
      const std::vector<int> ids = encode_sentencepiece(model_, word);
      out.insert(out.end(), ids.begin(), ids.end());
    };
    while (!text.empty()) {
      const size_t word = std::min(text.find_first_not_of(' '), text.size());
      const size_t end = std::min(text.find(' ', word), text.size());
      cache.encode(text.substr(0, end), tokens, encode_new);
      text.remove_prefix(end);
    }
  }

  bool keeps_text() const {
    for (const std::string_view probe : {" ", "  a  b ", "a\n\n b\t\r\n",
                                         "A\xC3\xA9\xEF\xAC\x81\xF0\x9F\x98\x80", "\xE3\x80\x80"}) {
      if (decode(encode(probe)) != probe) return false;
    }
    return true;
  }

  std::string file_;
  sentencepiece::SentencePieceProcessor model_;
  std::vector<std::string> pieces_;  // the bytes of each token
  std::array<Token, 256> byte_tokens_{};
  int byte_count_ = 0;
  bool has_space_ = true;
  mutable CachePool<Token> caches_;
};

// What sentencepiece asks for its training text: here pieces of lines, below its limit of 4192
// bytes.
class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const std::vector<std::string>& sentences) : sentences_(sentences) {}
  bool done() const override { return next_ == sentences_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return sentences_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& sentences_;
  size_t next_ = 0;
};

using Characters = std::unordered_set<std::string_view>;

template <class Visit>
void for_each_character(std::string_view text, const Visit& visit) {  // an invalid byte is one, too
  while (!text.empty()) {
    const auto length = static_cast<size_t>(std::max(1, utf8_length(text)));
    visit(text.substr(0, length));
    text.remove_prefix(length);
  }
}

// The commonest characters that sentencepiece can learn (no tabs, NULs and marks of its own):
// `most` of them, or fewer where those make up all but 1 in 5000 of the texts. The views point into
// `texts`.
Characters characters_to_learn(const std::vector<std::string>& texts, size_t most) {
  std::unordered_map<std::string_view, int64_t> counts;
  int64_t total = 0;
  for (const std::string& text : texts) {
    for_each_character(text, [&](std::string_view character) {
      const bool learnable = utf8_length(character) > 0 && character != "\t" &&
                             character[0] != '\0' && character != kSpaceMark &&
                             character != kUnknownMark;
      if (learnable) ++counts[character], ++total;
    });
  }
  std::vector<std::pair<std::string_view, int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  Characters learnt;
  int64_t covered = 0;
  for (const auto& [character, count] : sorted) {
    if (learnt.size() == most || covered >= total - total / 5000) break;
    learnt.insert(character);
    covered += count;
  }
  return learnt;
}

// Lines with their line end, without the characters that are not learnt (they end a sentence and
// will be encoded as bytes), cut before a space after 2 KiB: sentencepiece takes at most 4192
// bytes.
void add_sentences(std::string_view text, const Characters& learnt,
                   std::vector<std::string>& sentences) {
  constexpr size_t kLong = 2048, kLongest = 4000;
  std::string sentence;
  auto flush = [&] {
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
    sentence.clear();
  };
  for_each_character(text, [&](std::string_view character) {
    const bool keep = learnt.contains(character);
    if (!keep || (character == " " && sentence.size() > kLong) || sentence.size() > kLongest)
      flush();
    if (keep) sentence += character;
    if (character == "\n") flush();
  });
  flush();
}

// sentencepiece's "... Please set it to a value <= 304." as what the user can do.
std::string too_small(const std::string& message, int vocabulary) {
  const size_t limit = message.find("<= ");
  const std::string why = limit == std::string::npos
                              ? message
                              : fmt::format("it fills {} tokens", std::atoi(&message[limit + 3]));
  return fmt::format(
      "the text is too small for a bpe vocabulary of {} ({}); give more text or a smaller "
      "vocabulary",
      vocabulary, why);
}

}  // namespace

std::unique_ptr<Tokenizer> load_bpe(std::string bytes, const std::string& where) {
  return std::make_unique<BpeTokenizer>(std::move(bytes), where);
}

void require_bpe_vocabulary(int vocabulary) {
  constexpr int kSmallest = 320;
  if (vocabulary >= kSmallest && vocabulary <= kLargestVocabulary) return;
  throw Error(
      fmt::format("vocabulary {}: a bpe vocabulary has {} to {} tokens (256 of them are bytes)",
                  vocabulary, kSmallest, kLargestVocabulary));
}

std::unique_ptr<Tokenizer> train_bpe(const BpeOptions& options,
                                     const std::function<bool(std::string& text)>& next) {
  constexpr int kFixed = 3 + 256;
  require_bpe_vocabulary(options.vocabulary);
  std::vector<std::string> texts, sentences;
  for (std::string text; next(text);) texts.push_back(std::move(text));
  const Characters learnt =
      characters_to_learn(texts, static_cast<size_t>(options.vocabulary - kFixed) / 2);
  for (const std::string& text : texts) add_sentences(text, learnt, sentences);
  if (sentences.empty()) throw Error("there is no text to train a tokenizer on");

  // Llama's three special tokens in their places, so that its tools read the model.
  const std::unordered_map<std::string, std::string> settings{
      {"model_type", "bpe"},
      {"vocab_size", std::to_string(options.vocabulary)},
      {"character_coverage", "1.0"},
      {"byte_fallback", "true"},
      {"split_digits", "true"},
      {"allow_whitespace_only_pieces", "true"},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"unk_id", "0"},
      {"bos_id", "1"},
      {"eos_id", "2"},
      {"pad_id", "-1"},
      {"num_threads", "1"},
      {"minloglevel", "2"},
  };
  Sentences iterator(sentences);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &iterator, &model);
  if (!status.ok()) throw Error(too_small(status.ToString(), options.vocabulary));
  return load_bpe(std::move(model), "the trained tokenizer");
}

}  // namespace bitlaw
