#include "data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

namespace bitlaw {
namespace {

constexpr uint64_t kSampleSeed = 0x73616D706C65;  // "sample": of validation, no run's seed
constexpr uint64_t kOrderStream = 0x6F72646572;   // "order": the loader's own draws of a seed
// Four rounds already make a strong permutation of a random function (Luby and Rackoff, 1988); two
// more cost nanoseconds and help the smallest halves, of one or two bits.
constexpr int kRounds = 6;

void require_one_window(const TokenSet& tokens, int sequence_length) {
  if (sequence_length < 1)
    throw Error(fmt::format("sequence length {}: must be at least 1", sequence_length));
  if (window_count(tokens.size(), sequence_length) < 1) {
    throw Error(fmt::format(
        "the text is too short for one sequence: it has {} tokens and a sequence of {} needs {}; "
        "add text or shorten the sequence",
        tokens.size(), sequence_length, int64_t{sequence_length} + 1));
  }
}

// The T + 1 tokens from `position` on as inputs and targets.
void copy_row(const TokenSet& tokens, int64_t position, std::span<Token> row, int32_t* inputs,
              int32_t* targets) {
  const auto T = static_cast<int64_t>(row.size()) - 1;
  tokens.read(position, row);
  std::copy_n(row.begin(), T, inputs);
  std::copy_n(row.begin() + 1, T, targets);
}

}  // namespace

int64_t permuted(uint64_t seed, uint64_t epoch, int64_t index, int64_t size) {
  BITLAW_CHECK(index >= 0 && index < size);
  // Two halves of `half` bits cover the size with less than four times its numbers, so the walk
  // back into it takes fewer than four turns on average.
  const int half =
      std::max(1, (static_cast<int>(std::bit_width(static_cast<uint64_t>(size - 1))) + 1) / 2);
  const uint64_t mask = (uint64_t{1} << half) - 1;
  auto value = static_cast<uint64_t>(index);
  do {
    uint64_t left = value >> half, right = value & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      // Philox words: the counter holds the epoch, the round and the right half (below 2^32).
      const uint64_t word = random_u64(seed, kOrderStream ^ (epoch << 24), round << 32 | right);
      left = std::exchange(right, left ^ (word & mask));
    }
    value = left << half | right;
  } while (value >= static_cast<uint64_t>(size));
  return static_cast<int64_t>(value);
}

std::string order_hash(uint64_t seed, int64_t windows, int64_t samples) {
  constexpr int64_t kMost = 16'384;
  Hasher hasher;
  for (int64_t sample = 0; sample < std::min(samples, kMost); ++sample) {
    const int64_t window =
        permuted(seed, static_cast<uint64_t>(sample / windows), sample % windows, windows);
    hasher.update({reinterpret_cast<const char*>(&window), sizeof window});
  }
  return hasher.hex();
}

int64_t window_count(int64_t tokens, int sequence_length) {
  return std::max<int64_t>(0, tokens - 1) / sequence_length;
}

Loader::Loader(const TokenSet& tokens, int sequence_length, int batch_sequences, uint64_t seed)
    : tokens_(tokens),
      sequence_length_(sequence_length),
      batch_sequences_(batch_sequences),
      seed_(seed) {
  if (batch_sequences < 1)
    throw Error(fmt::format("batch of {} sequences: must be at least 1", batch_sequences));
  require_one_window(tokens, sequence_length);
  windows_ = window_count(tokens.size(), sequence_length);
}

double Loader::epoch(int64_t step) const {
  return static_cast<double>(step) * batch_sequences_ / static_cast<double>(windows_);
}

int64_t Loader::window(int64_t step, int index) const {
  BITLAW_CHECK(step >= 0 && index >= 0 && index < batch_sequences_);
  const int64_t sample = step * batch_sequences_ + index;
  return permuted(seed_, static_cast<uint64_t>(sample / windows_), sample % windows_, windows_);
}

void Loader::sequence(int64_t step, int index, std::span<Token> out) const {
  BITLAW_CHECK(out.size() == static_cast<size_t>(sequence_length_) + 1);
  tokens_.read(window(step, index) * sequence_length_, out);
}

void Loader::batch(int64_t step, std::span<int32_t> inputs, std::span<int32_t> targets) const {
  const auto T = static_cast<size_t>(sequence_length_), B = static_cast<size_t>(batch_sequences_);
  BITLAW_CHECK(inputs.size() == B * T && targets.size() == B * T);
  std::vector<Token> row(T + 1);
  for (size_t b = 0; b < B; ++b) {
    copy_row(tokens_, window(step, static_cast<int>(b)) * sequence_length_, row, &inputs[b * T],
             &targets[b * T]);
  }
}

std::vector<int64_t> fixed_sample(int64_t size, int64_t count) {
  BITLAW_CHECK(size >= 0 && count >= 0);
  const int64_t taken = count == 0 ? size : std::min(size, count);
  std::vector<int64_t> out(static_cast<size_t>(taken));
  for (int64_t i = 0; i < taken; ++i)
    out[static_cast<size_t>(i)] = taken == size ? i : permuted(kSampleSeed, 0, i, size);
  std::sort(out.begin(), out.end());
  return out;
}

ValidationWindows::ValidationWindows(const TokenSet& tokens, int sequence_length, int64_t most)
    : tokens_(tokens), sequence_length_(sequence_length) {
  require_one_window(tokens, sequence_length);
  available_ = window_count(tokens.size(), sequence_length);
  windows_ = fixed_sample(available_, most);
}

void ValidationWindows::window(int64_t index, std::span<Token> out) const {
  BITLAW_CHECK(index >= 0 && index < size() &&
               out.size() == static_cast<size_t>(sequence_length_) + 1);
  tokens_.read(position(index), out);
}

void ValidationWindows::batch(int64_t begin, int count, std::span<int32_t> inputs,
                              std::span<int32_t> targets) const {
  const auto T = static_cast<size_t>(sequence_length_);
  BITLAW_CHECK(begin >= 0 && count >= 0 && begin + count <= size());
  BITLAW_CHECK(inputs.size() == static_cast<size_t>(count) * T && targets.size() == inputs.size());
  std::vector<Token> row(T + 1);
  for (int i = 0; i < count; ++i) {
    copy_row(tokens_, position(begin + i), row, &inputs[static_cast<size_t>(i) * T],
             &targets[static_cast<size_t>(i) * T]);
  }
}

}  // namespace bitlaw
