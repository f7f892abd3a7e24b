// Lossless conversion of text to tokens and back.
//
// Both tokenizers guarantee decode(encode(x)) == x for every string of bytes x, valid UTF-8 or not,
// and that a token has the same bytes wherever it occurs, so that bits per byte are well defined.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

using Token = uint16_t;  // as in the shards; a vocabulary has at most 65536 tokens
inline constexpr int kLargestVocabulary = 65536;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual std::string kind() const = 0;  // "byte" or "bpe"
  virtual int vocabulary_size() const = 0;
  virtual Token end_of_document() const = 0;  // never returned by encode; decodes to nothing

  // Thread-safe.
  virtual std::vector<Token> encode(std::string_view text) const = 0;

  // Throws Error for a token outside the vocabulary.
  std::string decode(std::span<const Token> tokens) const;

  // The bytes of one token; "" for special ones.
  virtual const std::string& token_bytes(Token token) const = 0;

  // The tokenizer as the content of a file that load_tokenizer reads.
  virtual const std::string& bytes() const = 0;
  std::string hash() const;                            // of bytes(), 32 hexadecimal digits
  void save(const std::filesystem::path& path) const;  // atomically
};

// Token b is byte b, token 256 ends a document: a vocabulary of 257.
std::unique_ptr<Tokenizer> byte_tokenizer();

struct BpeOptions {
  int vocabulary = 4096;  // tokens in all: 3 special, 256 bytes, then characters and merges
};

// Trains a byte-fallback BPE with sentencepiece. `next` returns the training texts one by one, and
// false at the end. The same texts give the same bytes on any machine with the same library.
// Characters take at most half of the vocabulary, in order of frequency; the others fall back to
// bytes. Error for a vocabulary outside 320..65536 and for a text too small to fill it.
std::unique_ptr<Tokenizer> train_bpe(const BpeOptions& options,
                                     const std::function<bool(std::string& text)>& next);

// Reads a file written by save(), or any lossless sentencepiece model (byte fallback, identity
// normalisation, no dummy prefix). Error for any other file.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

}  // namespace bitlaw
