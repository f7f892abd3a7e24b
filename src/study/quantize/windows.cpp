#include "quantize/windows.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "data/loader.h"

namespace bitlaw {
namespace {

TokenWindows make_windows(int64_t sequence, int64_t count) {
  TokenWindows out;
  out.sequence = sequence;
  out.tokens.resize(static_cast<size_t>(count * (sequence + 1)));
  out.cluster.resize(static_cast<size_t>(count));
  std::iota(out.cluster.begin(), out.cluster.end(), 0);
  out.clustered_by = "window";
  return out;
}

std::span<Token> window_of(TokenWindows& windows, int64_t index) {
  const auto length = static_cast<size_t>(windows.sequence + 1);
  return std::span<Token>(windows.tokens).subspan(static_cast<size_t>(index) * length, length);
}

int64_t whole_windows(int64_t tokens, int64_t sequence) {
  return (tokens + sequence - 1) / sequence;
}

}  // namespace

std::vector<std::span<const Token>> TokenWindows::spans() const {
  const auto length = static_cast<size_t>(sequence + 1);
  std::vector<std::span<const Token>> out;
  for (size_t begin = 0; begin < tokens.size(); begin += length) {
    out.push_back(std::span<const Token>(tokens).subspan(begin, length));
  }
  return out;
}

std::string TokenWindows::hash() const {
  Hasher hasher;
  hasher.update(std::to_string(sequence) + ":");
  hasher.update({reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(Token)});
  return hasher.hex();
}

TokenWindows calibration_windows(const TokenSet& train, int64_t sequence, int64_t tokens,
                                 uint64_t seed) {
  BITLAW_CHECK(tokens > 0);
  const Loader loader(train, static_cast<int>(sequence), 1, seed);
  TokenWindows out =
      make_windows(sequence, std::min(loader.windows(), whole_windows(tokens, sequence)));
  for (int64_t i = 0; i < out.size(); ++i) loader.sequence(i, 0, window_of(out, i));
  return out;
}

TokenWindows evaluation_windows(const TokenSet& validation, int64_t sequence, int64_t tokens,
                                int end_of_document) {
  BITLAW_CHECK(tokens >= 0);
  const ValidationWindows source(validation, static_cast<int>(sequence),
                                 whole_windows(tokens, sequence));
  TokenWindows out = make_windows(sequence, source.size());
  for (int64_t i = 0; i < out.size(); ++i) source.window(i, window_of(out, i));
  if (end_of_document < 0) return out;

  const std::vector<int64_t> starts =
      validation.document_starts(static_cast<Token>(end_of_document));
  std::vector<int64_t> document;  // in which each window begins
  for (int64_t i = 0; i < out.size(); ++i) {
    const auto after = std::upper_bound(starts.begin(), starts.end(), source.position(i));
    document.push_back(after - starts.begin() - 1);
  }
  if (document.back() != document.front()) {
    out.cluster = document;
    out.clustered_by = "document";
  }
  return out;
}

}  // namespace bitlaw
