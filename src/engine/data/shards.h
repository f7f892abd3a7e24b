// Token shards: files of uint16 tokens, little-endian. Version 1 of llm.c has a header of 256
// int32,
//
//   [0] 20240520 (magic)   [1] 1 (version)   [2] number of tokens   [3..255] 0
//
// and nanoGPT's has none. Both are memory mapped and read in place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {

inline constexpr int32_t kShardMagic = 20240520;
inline constexpr int32_t kShardVersion = 1;
inline constexpr size_t kShardHeaderBytes = 256 * sizeof(int32_t);

enum class ShardFormat { kAuto, kLlmC, kBare };  // kAuto: llm.c if the file begins with its magic

// The tokens of a shard in `bytes` (2-byte aligned, kept by the caller). Error, naming `where`, for
// a wrong version, a count that does not match the file's size, an odd number of bytes, no tokens
// at all, and for kLlmC without the magic.
std::span<const Token> parse_shard(std::string_view bytes, const std::string& where,
                                   ShardFormat format = ShardFormat::kAuto);

// Writes an llm.c v1 shard in pieces. The file appears at `path` when finish() returns. A writer
// that is destroyed before that, or that fails (full disk, an Error), leaves nothing behind.
class ShardWriter {
 public:
  explicit ShardWriter(const std::filesystem::path& path);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  void write(std::span<const Token> tokens);
  void finish();
  int64_t tokens() const { return tokens_; }

 private:
  void put(const void* data, size_t size);
  [[noreturn]] void fail();

  std::filesystem::path path_, temporary_;
  int file_ = -1;
  int64_t tokens_ = 0;
};

void write_shard(const std::filesystem::path& path, std::span<const Token> tokens);

// Consecutive shards as one array of tokens. Copies are cheap and share the mapping.
class TokenSet {
 public:
  TokenSet() = default;
  explicit TokenSet(std::vector<Token> tokens);  // in memory, for tests and small texts
  static TokenSet open(const std::vector<std::filesystem::path>& shards,
                       ShardFormat format = ShardFormat::kAuto);

  int64_t size() const { return size_; }
  Token operator[](int64_t position) const;  // 0 <= position < size()
  // Copies tokens [begin, begin + out.size()), which must be within the set.
  void read(int64_t begin, std::span<Token> out) const;

  Token largest() const;     // 0 for an empty set
  std::string hash() const;  // of the tokens only, regardless of the split into shards
  // Error, naming the shard and the position, if a token is not below `vocabulary`.
  void check_vocabulary(int vocabulary) const;
  // First positions of the documents; each ends with `end_of_document`.
  std::vector<int64_t> document_starts(Token end_of_document) const;

 private:
  struct Shard {
    std::string name;
    std::span<const Token> tokens;
    int64_t begin;                // position of its first token in the set
    std::shared_ptr<void> owner;  // keeps the mapping, or the vector
  };
  void add(std::string name, std::span<const Token> tokens, std::shared_ptr<void> owner);
  size_t shard_of(int64_t position) const;

  std::vector<Shard> shards_;
  int64_t size_ = 0;
};

}  // namespace bitlaw
