// Prepares a data set from text. Every document goes to training or validation as a whole, by the
// hash of its letters and digits only, so that two documents that differ only in case, spaces or
// punctuation are never on both sides. Exact duplicates are dropped. Validation has all sources in
// proportion, in the order of the hashes, so that any first part of it is a random sample, and
// without text that training also has (docs/decisions/0013-validation-text.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace bitlaw {

struct PrepareConfig {
  std::vector<std::string> from;       // folders or files of text
  std::string to;                      // directory of the data set
  std::string text_key = "text";       // of JSON: a key, or keys with dots between
  std::string tokenizer = "bpe";       // "byte", "bpe", or the path of a tokenizer.model
  int vocabulary = 4096;               // tokens of a "bpe" that is trained here
  double validation_fraction = 0.05;   // of the text's bytes
  int64_t near_duplicate_tokens = 32;  // 0: validation keeps what training also has
  int64_t sample_bytes = 10'000'000;   // of training text for training the tokenizer
  int64_t shard_tokens = 100'000'000;  // largest shard
  int threads = 0;                     // 0: all
  bool overwrite = false;              // replace another data set in `to`

  template <class V>
  void visit(V& v) {
    v("from", from, "folders or files of text: .txt, .jsonl, .json, each also .gz or .zst");
    v("to", to, "directory of the data set");
    v("text_key", text_key,
      "key of the text in JSON, with dots into objects and lists: turns.content");
    v("tokenizer", tokenizer, "byte, bpe (trained here), or the path of a tokenizer.model");
    v("vocabulary", vocabulary, "vocabulary size of the trained bpe");
    v("validation_fraction", validation_fraction,
      "share of the text kept for validation, by bytes");
    v("near_duplicate_tokens", near_duplicate_tokens,
      "validation text that stands in training in strings of so many tokens (four bytes count as "
      "one) is dropped; 0 = kept");
    v("sample_bytes", sample_bytes, "bytes of training text that the bpe is trained on");
    v("shard_tokens", shard_tokens, "largest number of tokens in one shard");
    v("threads", threads, "threads; 0 for all");
    v("overwrite", overwrite, "replace another data set in the directory");
  }
};

// Called repeatedly with the stage ("reading", "training the tokenizer", "writing tokens",
// "comparing validation with training") and its progress, 0..1.
using PrepareProgress = std::function<void(std::string_view stage, double fraction)>;

// The error of prepare_dataset for options or a directory that no text could make right; the text need
// not be there yet.
void require_options(const PrepareConfig& config);

// Creates the data set and returns its dataset.json. The result is a pure function of the text and
// the options, for any number of threads. The directory is created atomically; if it already
// contains the data set of the same text and options, that is returned and nothing is written.
// Error for a bad option, unreadable or missing text, fewer than two distinct documents, a
// directory that contains something else, and a full disk.
DatasetInfo prepare_dataset(const PrepareConfig& config, const PrepareProgress& progress = {});

}  // namespace bitlaw
