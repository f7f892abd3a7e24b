// The windows of text for one checkpoint: T + 1 tokens each, the inputs and the token after each of
// them. They are copied from the data set once, so that every cell sees the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/shards.h"

namespace bitlaw {

struct TokenWindows {
  int64_t sequence = 0;          // T
  std::vector<Token> tokens;     // [windows, T + 1]
  std::vector<int64_t> cluster;  // [windows] windows with equal numbers are correlated
  std::string clustered_by;      // "document" or "window"

  int64_t size() const { return static_cast<int64_t>(cluster.size()); }
  int64_t targets() const { return size() * sequence; }
  std::vector<std::span<const Token>> spans() const;  // valid while `tokens` is
  std::string hash() const;                           // of the tokens and T
};

// `tokens` (rounded up to whole windows) of training text, as windows that do not overlap, drawn
// without repetition by `seed`; all windows if the text is shorter. Error for a text too short for
// one window.
TokenWindows calibration_windows(const TokenSet& train, int64_t sequence, int64_t tokens,
                                 uint64_t seed);

// `tokens` (rounded up to whole windows; 0: all) of validation text, in its order: the windows that
// validation after training takes (data/loader.h), from the whole text. Windows that begin in the same document are one cluster: what a long document has in common stays
// together, and so does the context of a window with many short ones. Without `end_of_document`
// (-1), or if all windows begin in one document, every window is a cluster. Error for a text too
// short for one window.
TokenWindows evaluation_windows(const TokenSet& validation, int64_t sequence, int64_t tokens,
                                int end_of_document);

}  // namespace bitlaw
