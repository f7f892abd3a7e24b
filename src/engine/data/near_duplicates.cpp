#include "data/near_duplicates.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr uint32_t kNowhere = UINT32_MAX;
constexpr int64_t kBlockStrings = 1 << 20;  // of the training text, a task each

// The hash of the last n tokens.
class RollingHash {
 public:
  explicit RollingHash(int64_t n) {
    for (int64_t i = 0; i < n; ++i) leaving_ *= kMultiplier;
  }

  uint64_t value() const { return value_; }
  void push(Token in) { value_ = value_ * kMultiplier + in + 1; }
  void roll(Token out, Token in) {
    push(in);
    value_ -= (uint64_t{out} + 1) * leaving_;
  }

 private:
  static constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // odd, its bits well mixed
  uint64_t value_ = 0;
  uint64_t leaving_ = 1;  // m^n
};

// Calls visit(i, hash) for the string of n tokens that begins at each i.
template <class Visit>
void each_string(std::span<const Token> tokens, int64_t n, const Visit& visit) {
  const auto length = static_cast<size_t>(n);
  if (tokens.size() < length) return;
  RollingHash hash(n);
  for (size_t i = 0; i < length; ++i) hash.push(tokens[i]);
  visit(size_t{0}, hash.value());
  for (size_t i = length; i < tokens.size(); ++i) {
    hash.roll(tokens[i - length], tokens[i]);
    visit(i - length + 1, hash.value());
  }
}

// Distinct strings of n tokens, named by the place in `tokens` where the first of their kind
// begins. Open addressing, at most half full.
class StringTable {
 public:
  StringTable(std::span<const Token> tokens, int64_t n)
      : tokens_(tokens),
        n_(static_cast<size_t>(n)),
        bits_(std::bit_width(std::max<size_t>(2 * tokens.size(), 2) - 1)),
        slots_(size_t{1} << bits_) {}

  // The place of the equal string that was entered before; else enters this one.
  uint32_t enter(uint64_t hash, uint32_t place) {
    Slot& slot = slots_[slot_of(hash, tokens_.data() + place)];
    if (slot.place == kNowhere) slot = {tag_of(hash), place};
    return slot.place;
  }
  // kNowhere if there is none.
  uint32_t find(uint64_t hash, const Token* string) const {
    return slots_[slot_of(hash, string)].place;
  }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t place = kNowhere;
  };
  // A polynomial's low bits know only the tokens' low bits; its high bits know all.
  static uint64_t mixed(uint64_t hash) {
    hash ^= hash >> 32;
    return hash * 0xD6E8FEB86659FD93;
  }
  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(mixed(hash)); }

  // Where the string is, or would be entered.
  size_t slot_of(uint64_t hash, const Token* string) const {
    const uint32_t tag = tag_of(hash);
    for (size_t i = mixed(hash) >> (64 - bits_);; i = (i + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[i];
      if (slot.place == kNowhere) return i;
      if (slot.tag == tag && std::equal(string, string + n_, tokens_.data() + slot.place)) return i;
    }
  }

  std::span<const Token> tokens_;
  size_t n_;
  int bits_;
  std::vector<Slot> slots_;
};

// Sets found[place] for each string of the table that `text` has.
void search(const TokenSet& text, int64_t n, const StringTable& table, std::vector<uint8_t>& found,
            ThreadPool& pool) {
  const int64_t strings = text.size() - n + 1;
  if (strings < 1) return;
  std::vector<std::vector<Token>> buffers(static_cast<size_t>(pool.threads()));
  pool.parallel_for((strings + kBlockStrings - 1) / kBlockStrings, [&](int64_t block, int worker) {
    const int64_t begin = block * kBlockStrings;
    std::vector<Token>& tokens = buffers[static_cast<size_t>(worker)];
    tokens.resize(static_cast<size_t>(std::min(kBlockStrings, strings - begin) + n - 1));
    text.read(begin, tokens);
    each_string(tokens, n, [&](size_t i, uint64_t hash) {
      const uint32_t place = table.find(hash, tokens.data() + i);
      if (place != kNowhere) std::atomic_ref(found[place]).store(1, std::memory_order_relaxed);
    });
  });
}

// The same for some of the documents, all of whose strings are in the table at once.
void mark_shared(const TokenSet& text, std::span<const std::vector<Token>> documents, int64_t n,
                 ThreadPool& pool, std::span<std::vector<bool>> shared) {
  std::vector<Token> all;
  for (const std::vector<Token>& document : documents)
    all.insert(all.end(), document.begin(), document.end());
  BITLAW_CHECK(all.size() < kNowhere);

  StringTable table(all, n);
  std::vector<uint32_t> kind(all.size(), kNowhere);  // by the place where a string begins
  size_t begin = 0;
  for (const std::vector<Token>& document : documents) {
    each_string(document, n, [&](size_t i, uint64_t hash) {
      kind[begin + i] = table.enter(hash, static_cast<uint32_t>(begin + i));
    });
    begin += document.size();
  }
  std::vector<uint8_t> found(all.size(), 0);
  search(text, n, table, found, pool);

  begin = 0;
  for (size_t d = 0; d < documents.size(); ++d) {
    const size_t size = documents[d].size();
    shared[d].assign(size, false);
    size_t until = 0;  // the end of the last string found
    for (size_t i = 0; i < size; ++i) {
      const uint32_t name = kind[begin + i];
      if (name != kNowhere && found[name] != 0) until = i + static_cast<size_t>(n);
      if (i < until) shared[d][i] = true;
    }
    begin += size;
  }
}

// Where lines end, by token. Blank lines belong to the line before them.
class Lines {
 public:
  explicit Lines(const Tokenizer& tokenizer) {
    for (int token = 0; token < tokenizer.vocabulary_size(); ++token) {
      const std::string& bytes = tokenizer.token_bytes(static_cast<Token>(token));
      const bool has_end = bytes.find('\n') != std::string::npos;
      ends_.push_back(has_end);
      only_ends_.push_back(has_end && bytes.find_first_not_of('\n') == std::string::npos);
    }
  }

  // Whether a line begins at `i`, or the document ends there.
  bool begins_at(std::span<const Token> document, size_t i) const {
    return i == 0 || i == document.size() || (ends_[document[i - 1]] && !only_ends_[document[i]]);
  }

 private:
  std::vector<bool> ends_, only_ends_;
};

// A part [begin, end) of a document.
struct Part {
  size_t begin, end;
};

std::vector<Part> lines_of(std::span<const Token> document, const Lines& lines) {
  std::vector<Part> out;
  for (size_t i = 1; i <= document.size(); ++i) {
    if (lines.begins_at(document, i)) out.push_back({out.empty() ? 0 : out.back().end, i});
  }
  return out;
}

// What a line loses: shared runs that are long, or all of it, and what is left of it beside them.
// Of a string of n shared tokens, one line has (n + 1) / 2 or it has a whole line, so that each
// loses something.
void add_losses(const Part& line, const std::vector<bool>& shared, size_t n,
                std::vector<Part>& losses) {
  for (size_t i = line.begin; i < line.end;) {
    if (!shared[i]) {
      ++i;
      continue;
    }
    Part run{i, i};
    while (run.end < line.end && shared[run.end]) ++run.end;
    i = run.end;
    const size_t size = run.end - run.begin;
    if (2 * size < n && size < line.end - line.begin) continue;
    if (run.begin - line.begin <= 4 * n) run.begin = line.begin;
    if (line.end - run.end <= 4 * n) run.end = line.end;
    losses.push_back(run);
  }
}

// What is kept of a document.
std::vector<Token> remainder(const std::vector<Token>& document, const std::vector<bool>& shared,
                             const Lines& lines, size_t n) {
  std::vector<Part> losses;
  for (const Part& line : lines_of(document, lines)) add_losses(line, shared, n, losses);
  std::vector<Token> kept;
  size_t lost_until = 0;
  const auto keep = [&](size_t begin, size_t end) {
    kept.insert(kept.end(), document.begin() + static_cast<ptrdiff_t>(begin),
                document.begin() + static_cast<ptrdiff_t>(end));
  };
  for (const Part& loss : losses) {
    // The first piece of a document is kept, however short: a title.
    if (lost_until == 0 || loss.begin >= lost_until + n)
      keep(lost_until, std::max(lost_until, loss.begin));
    lost_until = std::max(lost_until, loss.end);
  }
  keep(lost_until, document.size());
  if (!losses.empty() && kept.size() < n) kept.clear();
  return kept;
}

}  // namespace

std::vector<std::vector<bool>> shared_tokens(const TokenSet& text,
                                             std::span<const std::vector<Token>> documents,
                                             int64_t n, ThreadPool& pool, int64_t strings_at_once) {
  BITLAW_CHECK(n > 0);
  std::vector<std::vector<bool>> shared(documents.size());
  for (size_t begin = 0; begin < documents.size();) {
    size_t end = begin;
    int64_t tokens = 0;
    do {
      tokens += static_cast<int64_t>(documents[end++].size());
    } while (end < documents.size() &&
             tokens + static_cast<int64_t>(documents[end].size()) <= strings_at_once);
    mark_shared(text, documents.subspan(begin, end - begin), n, pool,
                std::span(shared).subspan(begin, end - begin));
    begin = end;
  }
  return shared;
}

std::vector<Removal> remove_near_duplicates(const TokenSet& text, const Tokenizer& tokenizer,
                                            int64_t n, std::span<std::vector<Token>> documents,
                                            ThreadPool& pool) {
  const Lines lines(tokenizer);
  std::vector<Removal> removals(documents.size());
  // Where text was taken out, what came before it meets what comes after it: search again.
  bool first = true;
  for (bool changed = true; changed; first = false) {
    changed = false;
    const std::vector<std::vector<bool>> shared = shared_tokens(text, documents, n, pool);
    for (size_t d = 0; d < documents.size(); ++d) {
      const auto found = std::count(shared[d].begin(), shared[d].end(), true);
      if (found == 0) continue;
      std::vector<Token> kept = remainder(documents[d], shared[d], lines, static_cast<size_t>(n));
      if (first) removals[d].shared = found;
      removals[d].removed += static_cast<int64_t>(documents[d].size() - kept.size());
      documents[d] = std::move(kept);
      changed = true;
    }
  }
  return removals;
}

}  // namespace bitlaw
