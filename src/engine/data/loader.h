// The tokens of a training step, as a pure function of the step: no state to save or restore.
//
// The tokens are cut into W = floor((size - 1) / T) windows that do not overlap. Sample g = step *
// B + b is window p_e(g mod W) of epoch e = floor(g / W). p_e is a permutation of 0..W-1 that
// depends on (seed, e): within an epoch no window repeats, and every epoch has another order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/shards.h"

namespace bitlaw {

// Element `index` of a pseudo-random permutation of 0..size-1, in O(1) memory: a Feistel network
// with Philox as round function, iterated until the result is in range (cycle walking; Black and
// Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). 0 <= index < size.
int64_t permuted(uint64_t seed, uint64_t epoch, int64_t index, int64_t size);

// Hash of the windows that a run of so many samples takes, in their order: of the first 16,384 of
// them, which tell any two orders apart.
std::string order_hash(uint64_t seed, int64_t windows, int64_t samples);

// Number of windows of T inputs in `tokens` tokens; the last input needs one more token as target.
int64_t window_count(int64_t tokens, int sequence_length);

class Loader {
 public:
  // T = sequence_length, B = batch_sequences. Error for a text too short for one window, naming the
  // tokens available and needed. Keeps a (cheap) copy of `tokens`.
  Loader(const TokenSet& tokens, int sequence_length, int batch_sequences, uint64_t seed);

  int sequence_length() const { return sequence_length_; }
  int batch_sequences() const { return batch_sequences_; }
  int64_t windows() const { return windows_; }  // W, samples in an epoch
  double epoch(int64_t step) const;             // epochs seen before `step`

  // Window number (0..W-1) of sequence `index` (0..B-1) of a step.
  int64_t window(int64_t step, int index) const;

  // T + 1 tokens: out[0..T-1] are the inputs, out[1..T] their targets.
  void sequence(int64_t step, int index, std::span<Token> out) const;

  // The whole batch, [B, T] row-major: inputs and the tokens that follow them.
  void batch(int64_t step, std::span<int32_t> inputs, std::span<int32_t> targets) const;

 private:
  TokenSet tokens_;
  int sequence_length_, batch_sequences_;
  uint64_t seed_;
  int64_t windows_;
};

// `count` of the numbers 0..size-1 in ascending order (0, or at least `size`: all of them): those
// that one fixed permutation puts first. So a sample of windows takes from the whole text, wherever
// its sources lie, and a larger one contains a smaller one.
std::vector<int64_t> fixed_sample(int64_t size, int64_t count);

// Validation: the same windows in ascending order, each once.
class ValidationWindows {
 public:
  // Error as in Loader. `most` (0: all) takes a fixed_sample of so many windows.
  ValidationWindows(const TokenSet& tokens, int sequence_length, int64_t most = 0);

  int sequence_length() const { return sequence_length_; }
  int64_t size() const { return std::ssize(windows_); }
  int64_t available() const { return available_; }  // windows in the whole text
  // Position in the text of the first token of window `index`.
  int64_t position(int64_t index) const {
    return windows_[static_cast<size_t>(index)] * sequence_length_;
  }
  // T + 1 tokens of window `index`: inputs and targets as in Loader::sequence.
  void window(int64_t index, std::span<Token> out) const;
  // Windows [begin, begin + count) as [count, T] row-major inputs and targets.
  void batch(int64_t begin, int count, std::span<int32_t> inputs, std::span<int32_t> targets) const;

 private:
  TokenSet tokens_;
  int sequence_length_;
  int64_t available_;
  std::vector<int64_t> windows_;
};

}  // namespace bitlaw
