#include "data/shards.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/temporary.h"

namespace bitlaw {

static_assert(std::endian::native == std::endian::little,
              "shards are little-endian and read in place");

std::span<const Token> parse_shard(std::string_view bytes, const std::string& where,
                                   ShardFormat format) {
  int32_t header[3] = {};
  if (bytes.size() >= kShardHeaderBytes) std::memcpy(header, bytes.data(), sizeof header);
  // A bare shard could begin with the magic's two tokens, but only by writing 2020 after 54408.
  const bool has_header = header[0] == kShardMagic && format != ShardFormat::kBare;
  if (!has_header && format == ShardFormat::kLlmC) {
    throw Error(fmt::format(
        "{}: not an llm.c token shard ({}); prepare the data set again", where,
        bytes.size() < kShardHeaderBytes
            ? fmt::format("{} bytes, less than the header's {}", bytes.size(), kShardHeaderBytes)
            : fmt::format("magic {}, expected {}", header[0], kShardMagic)));
  }
  if (has_header) {
    if (header[1] != kShardVersion) {
      throw Error(fmt::format(
          "{}: shard version {}, expected {} (uint16 tokens); prepare the data set again", where,
          header[1], kShardVersion));
    }
    bytes.remove_prefix(kShardHeaderBytes);
    if (header[2] < 0 || bytes.size() != static_cast<size_t>(header[2]) * sizeof(Token)) {
      throw Error(fmt::format(
          "{}: the header says {} tokens but {} bytes follow it, expected {}; the file is cut "
          "short or damaged, copy or prepare it again",
          where, header[2], bytes.size(), int64_t{header[2]} * 2));
    }
  }
  if (bytes.size() % sizeof(Token) != 0) {
    throw Error(
        fmt::format("{}: {} bytes is not a whole number of uint16 tokens; the file is cut short or "
                    "is not a token shard",
                    where, bytes.size()));
  }
  if (bytes.empty())
    throw Error(fmt::format("{}: the shard has no tokens; prepare the data set again", where));
  BITLAW_CHECK(reinterpret_cast<uintptr_t>(bytes.data()) % alignof(Token) == 0);
  return {reinterpret_cast<const Token*>(bytes.data()), bytes.size() / sizeof(Token)};
}

ShardWriter::ShardWriter(const std::filesystem::path& path)
    : path_(path), temporary_(temporary_beside(path)) {
  if (path.has_parent_path()) make_directories(path.parent_path());
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_ < 0) fail();
  const std::array<char, kShardHeaderBytes> blank{};
  put(blank.data(), blank.size());
}

ShardWriter::~ShardWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

void ShardWriter::fail() {
  const std::string why = std::strerror(errno);
  if (file_ >= 0) {
    ::close(std::exchange(file_, -1));
    ::unlink(temporary_.c_str());
  }
  throw Error(fmt::format("{}: cannot be written: {}; nothing was kept", path_.string(), why));
}

void ShardWriter::put(const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(file_, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail();
    bytes += n;
    size -= static_cast<size_t>(n);
  }
}

void ShardWriter::write(std::span<const Token> tokens) {
  BITLAW_CHECK(file_ >= 0 && tokens_ + static_cast<int64_t>(tokens.size()) <= INT32_MAX);
  put(tokens.data(), tokens.size_bytes());
  tokens_ += static_cast<int64_t>(tokens.size());
}

void ShardWriter::finish() {
  BITLAW_CHECK(file_ >= 0);
  const int32_t header[3] = {kShardMagic, kShardVersion, static_cast<int32_t>(tokens_)};
  if (::lseek(file_, 0, SEEK_SET) != 0) fail();
  put(header, sizeof header);
  if (::fsync(file_) != 0) fail();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
  ::close(std::exchange(file_, -1));
}

void write_shard(const std::filesystem::path& path, std::span<const Token> tokens) {
  ShardWriter writer(path);
  writer.write(tokens);
  writer.finish();
}

TokenSet::TokenSet(std::vector<Token> tokens) {
  if (tokens.empty()) return;
  auto owner = std::make_shared<std::vector<Token>>(std::move(tokens));
  const std::span<const Token> view = *owner;
  add("tokens in memory", view, std::move(owner));
}

TokenSet TokenSet::open(const std::vector<std::filesystem::path>& shards, ShardFormat format) {
  TokenSet set;
  for (const std::filesystem::path& path : shards) {
    auto file = std::make_shared<MappedFile>(path);
    const std::span<const Token> tokens = parse_shard(file->bytes(), path.string(), format);
    set.add(path.string(), tokens, std::move(file));
  }
  return set;
}

void TokenSet::add(std::string name, std::span<const Token> tokens, std::shared_ptr<void> owner) {
  shards_.push_back({std::move(name), tokens, size_, std::move(owner)});
  size_ += static_cast<int64_t>(tokens.size());
}

size_t TokenSet::shard_of(int64_t position) const {
  BITLAW_CHECK(position >= 0 && position < size_);
  const auto after =
      std::upper_bound(shards_.begin(), shards_.end(), position,
                       [](int64_t p, const Shard& shard) { return p < shard.begin; });
  return static_cast<size_t>(after - shards_.begin()) - 1;
}

Token TokenSet::operator[](int64_t position) const {
  const Shard& shard = shards_[shard_of(position)];
  return shard.tokens[static_cast<size_t>(position - shard.begin)];
}

void TokenSet::read(int64_t begin, std::span<Token> out) const {
  if (out.empty()) return;
  BITLAW_CHECK(begin >= 0 && begin + static_cast<int64_t>(out.size()) <= size_);
  for (size_t i = shard_of(begin); !out.empty(); ++i) {
    const Shard& shard = shards_[i];
    const auto skip = static_cast<size_t>(begin - shard.begin);
    const size_t n = std::min(out.size(), shard.tokens.size() - skip);
    std::copy_n(shard.tokens.begin() + static_cast<ptrdiff_t>(skip), n, out.begin());
    out = out.subspan(n);
    begin += static_cast<int64_t>(n);
  }
}

Token TokenSet::largest() const {
  Token most = 0;
  for (const Shard& shard : shards_) {
    for (const Token token : shard.tokens) most = std::max(most, token);
  }
  return most;
}

std::string TokenSet::hash() const {
  Hasher hasher;
  for (const Shard& shard : shards_) {
    hasher.update({reinterpret_cast<const char*>(shard.tokens.data()), shard.tokens.size_bytes()});
  }
  return hasher.hex();
}

void TokenSet::check_vocabulary(int vocabulary) const {
  if (largest() < vocabulary) return;
  for (const Shard& shard : shards_) {
    for (size_t i = 0; i < shard.tokens.size(); ++i) {
      if (shard.tokens[i] >= vocabulary) {
        throw Error(fmt::format(
            "{}: token {} at position {} is beyond the vocabulary of {}; give the vocabulary "
            "it was made with, or prepare the data set again",
            shard.name, shard.tokens[i], i, vocabulary));
      }
    }
  }
}

std::vector<int64_t> TokenSet::document_starts(Token end_of_document) const {
  std::vector<int64_t> starts;
  bool at_start = true;
  for (const Shard& shard : shards_) {
    for (size_t i = 0; i < shard.tokens.size(); ++i) {
      if (at_start) starts.push_back(shard.begin + static_cast<int64_t>(i));
      at_start = shard.tokens[i] == end_of_document;
    }
  }
  return starts;
}

}  // namespace bitlaw
