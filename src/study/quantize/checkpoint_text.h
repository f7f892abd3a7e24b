// Text for a third-party checkpoint: one part for calibration, another for evaluation, in tokens of
// the checkpoint's own tokenizer.
//
// Whole documents go to one part or the other by the hash of their letters and digits, about half
// of the bytes each; equal documents count once. In each part, documents are concatenated in the
// order of these hashes, whatever their paths, with the end token (or else the begin token) between
// them, and cut into windows of T + 1 tokens; the last token of a window is the first of the next.
// A request for fewer tokens than there are takes windows by a fixed permutation, or by one of a
// seed, from the first kTextPool times as many tokens. If the checkpoint's authors put a begin token
// in front of every text, every document gets one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tokenizer/text_tokenizer.h"

namespace bitlaw {

inline constexpr int64_t kTextPool = 8;

// Windows of one text, T inputs and the token after each.
struct TextWindows {
  int64_t sequence = 0;          // T
  std::vector<int32_t> tokens;   // [windows, T + 1]
  std::vector<int64_t> cluster;  // [windows] windows with equal numbers begin in one document
  std::string clustered_by;      // "document", or "window" if all begin in one document
  double bytes_per_token = 0;    // of the targets

  int64_t size() const { return static_cast<int64_t>(cluster.size()); }
  int64_t targets() const { return size() * sequence; }
  std::span<const int32_t> window(int64_t index) const {
    return std::span(tokens).subspan(static_cast<size_t>(index * (sequence + 1)),
                                     static_cast<size_t>(sequence + 1));
  }
  std::string hash() const;  // of everything that measurements on it depend on
};

struct CheckpointText {
  TextWindows evaluation;
  TextWindows calibration;         // kTextPool times what one calibration uses
  std::vector<std::string> notes;  // sentences on what was read

  // `tokens` of the calibration part, rounded up to windows, drawn without repetition by `seed`; or
  // all of it if that is less.
  TextWindows calibration_windows(int64_t tokens, uint64_t seed) const;
  // Share of the calibration part that one such sample takes, 0 to 1. Two samples share as much of
  // their text on average; at 1 they are the same text in another order.
  double calibration_share(int64_t tokens) const;
};

struct CheckpointTextOptions {
  std::vector<std::string> roots;  // files and folders, as in data/documents.h
  int64_t sequence = 0;            // T
  int64_t evaluation_tokens = 0;   // largest number; 0: all
  int64_t calibration_tokens = 0;  // of one calibration
  std::string key = "text";        // of the text in JSON
};

// Error for text that cannot be read, is empty, or is too short for one window in either part.
CheckpointText read_checkpoint_text(const CheckpointTextOptions& options,
                                    const TextTokenizer& tokenizer);

}  // namespace bitlaw
