// Which tokens a training step sees, as a pure function of the step: no state to save or restore.
//
// The tokens are cut into W = floor((size - 1) / T) windows that do not overlap. Sample g = step *
// B + b is window p_e(g mod W) of epoch e = floor(g / W), where p_e is a permutation of 0..W-1 that
// (seed, e) chooses: within an epoch no window comes twice, and every epoch has another order.
#pragma once

#include <cstdint>
#include <span>

#include "data/shards.h"

namespace bitlaw {

// Element `index` of a pseudo-random permutation of 0..size-1, in O(1) memory: a Feistel network
// whose round function is Philox, walked until it falls inside (Black and Rogaway, "Ciphers with
// arbitrary finite domains", CT-RSA 2002). 0 <= index < size.
int64_t permuted(uint64_t seed, uint64_t epoch, int64_t index, int64_t size);

// Windows of T inputs, each followed by the last one's target, in `tokens` tokens.
int64_t window_count(int64_t tokens, int sequence_length);

class Loader {
 public:
  // T = sequence_length, B = batch_sequences. Throws Error for a text too short for one window,
  // naming the tokens there are and the tokens needed. Keeps a (cheap) copy of `tokens`.
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

// Validation: the same windows in their order, every one once.
class ValidationWindows {
 public:
  // Throws Error as Loader does. `most` (0: all) keeps only the first windows.
  ValidationWindows(const TokenSet& tokens, int sequence_length, int64_t most = 0);

  int sequence_length() const { return sequence_length_; }
  int64_t size() const { return windows_; }
  // T + 1 tokens of window `index`: inputs and targets as in Loader::sequence.
  void window(int64_t index, std::span<Token> out) const;
  // Windows [begin, begin + count) as [count, T] row-major inputs and targets.
  void batch(int64_t begin, int count, std::span<int32_t> inputs, std::span<int32_t> targets) const;

 private:
  TokenSet tokens_;
  int sequence_length_;
  int64_t windows_;
};

}  // namespace bitlaw
