#include "tokenizer/tokenizer.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "tokenizer/bpe.h"

namespace bitlaw {
namespace {

constexpr int kByteVocabulary = 257;
constexpr Token kByteEnd = 256;
constexpr std::string_view kByteFile =
    "bitlaw byte tokenizer, version 1: token b is byte b, token 256 ends a document\n";

class ByteTokenizer : public Tokenizer {
 public:
  ByteTokenizer() {
    for (size_t b = 0; b < kByteEnd; ++b) pieces_[b] = std::string(1, static_cast<char>(b));
  }
  std::string kind() const override { return "byte"; }
  int vocabulary_size() const override { return kByteVocabulary; }
  Token end_of_document() const override { return kByteEnd; }
  std::vector<Token> encode(std::string_view text) const override {
    std::vector<Token> tokens(text.size());
    for (size_t i = 0; i < text.size(); ++i) tokens[i] = static_cast<unsigned char>(text[i]);
    return tokens;
  }
  const std::string& token_bytes(Token token) const override {
    BITLAW_CHECK(token < kByteVocabulary);
    return pieces_[token];
  }
  const std::string& bytes() const override { return file_; }

 private:
  std::string pieces_[kByteVocabulary];  // the last one stays empty
  std::string file_{kByteFile};
};

}  // namespace

std::string Tokenizer::decode(std::span<const Token> tokens) const {
  std::string text;
  for (const Token token : tokens) {
    if (token >= vocabulary_size()) {
      throw Error(fmt::format(
          "token {} is beyond the vocabulary of {}; these tokens come from another tokenizer",
          token, vocabulary_size()));
    }
    text += token_bytes(token);
  }
  return text;
}

std::string Tokenizer::hash() const {
  return hash_hex(bytes());
}

void Tokenizer::save(const std::filesystem::path& path) const {
  write_file_atomically(path, bytes());
}

std::unique_ptr<Tokenizer> byte_tokenizer() {
  return std::make_unique<ByteTokenizer>();
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  if (bytes == kByteFile) return byte_tokenizer();
  return load_bpe(bytes, path.string());
}

}  // namespace bitlaw
