// Finds held-out text that also stands in training text, and takes it out.
//
// A token is *shared* if it lies in a string of n tokens that the training text has, too. The
// search is exact. A table holds every distinct string of n tokens of the held-out documents under
// its hash
//
//   h(t_1 .. t_n) = sum_k (t_k + 1) m^(n - k)  mod 2^64,
//
// which rolls along the training text in O(1) a token; where hashes agree, tokens are compared.
// Memory: at most 40 bytes a held-out token, for kStringsAtOnce of them (or one document) at a time;
// the training text is read once for each such part.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "data/shards.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {

inline constexpr int64_t kStringsAtOnce = int64_t{1} << 23;

// For each document, which of its tokens are shared with `text`. The same for any number of
// threads.
std::vector<std::vector<bool>> shared_tokens(const TokenSet& text,
                                             std::span<const std::vector<Token>> documents,
                                             int64_t n, ThreadPool& pool,
                                             int64_t strings_at_once = kStringsAtOnce);

// Of one document, in tokens.
struct Removal {
  int64_t shared = 0;  // with `text`, before anything was taken out
  int64_t removed = 0;
};

// Takes text out of `documents` until no string of n tokens is left that `text` has. Where at least
// n / 2 shared tokens follow each other in a line, or are all of it, they go with the rest of the
// line, if that is at most 4 n tokens on either side. A rest that is shorter than n, between two of
// them or of a whole document, goes, too. So a document may end up empty. Documents have no end
// token. Returns one entry per document.
std::vector<Removal> remove_near_duplicates(const TokenSet& text, const Tokenizer& tokenizer,
                                            int64_t n, std::span<std::vector<Token>> documents,
                                            ThreadPool& pool);

}  // namespace bitlaw
