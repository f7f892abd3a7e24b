// The windows of text that a study of one checkpoint looks at: T + 1 tokens each, inputs and the
// token after each of them. They are copied out of the data set once, so that every cell sees the
// same.
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

// `tokens` (rounded up to whole windows) of training text: windows that do not overlap, drawn
// without repetition by `seed`; all windows there are, where the text is shorter. Throws Error for
// a text too short for one window.
TokenWindows calibration_windows(const TokenSet& train, int64_t sequence, int64_t tokens,
                                 uint64_t seed);

// The first `tokens` (rounded up to whole windows; 0: all) of validation text, in its order.
// Windows that begin in the same document make one cluster: what a long document shares stays
// together, and so does the context of a window that holds many short ones. Without
// `end_of_document` (-1), and where all windows begin in one document, every window is a cluster.
// Throws Error for a text too short for one window.
TokenWindows evaluation_windows(const TokenSet& validation, int64_t sequence, int64_t tokens,
                                int end_of_document);

}  // namespace bitlaw
