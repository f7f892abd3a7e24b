// Text to a data set. Every document lands in training or in validation as a whole, by the hash of
// its letters and digits alone, so that two documents which differ only in case, spaces or
// punctuation are never on both sides; exact duplicates are dropped.
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
  std::string tokenizer = "bpe";       // "byte", "bpe", or the path of a tokenizer.model
  int vocabulary = 4096;               // tokens, of a "bpe" that is trained here
  double validation_fraction = 0.05;   // of the text's bytes
  int64_t sample_bytes = 10'000'000;   // of training text that the tokenizer learns from
  int64_t shard_tokens = 100'000'000;  // largest shard
  int threads = 0;                     // 0: all
  bool overwrite = false;              // replace another data set in `to`

  template <class V>
  void visit(V& v) {
    v("from", from, "folders or files of text: .txt, .jsonl with \"text\", each also .gz or .zst");
    v("to", to, "directory of the data set");
    v("tokenizer", tokenizer, "byte, bpe (trained here), or the path of a tokenizer.model");
    v("vocabulary", vocabulary, "tokens of the bpe vocabulary");
    v("validation_fraction", validation_fraction,
      "share of the text kept for validation, by bytes");
    v("sample_bytes", sample_bytes, "bytes of training text that the bpe learns from");
    v("shard_tokens", shard_tokens, "largest number of tokens in one shard");
    v("threads", threads, "threads; 0 for all");
    v("overwrite", overwrite, "replace another data set in the directory");
  }
};

// Called now and then with the stage ("reading", "learning the tokenizer", "writing tokens") and
// the share of it that is done, 0..1.
using PrepareProgress = std::function<void(std::string_view stage, double fraction)>;

// Makes the data set and returns its dataset.json. The result is a pure function of the text and
// the options, for any number of threads. The directory appears whole or not at all; where it
// already holds the data set of the same text and options, that is returned and nothing is written.
// Throws Error for a bad option, unreadable or no text, fewer than two different documents, a
// directory that holds something else, and no space left.
DatasetInfo prepare_dataset(const PrepareConfig& config, const PrepareProgress& progress = {});

}  // namespace bitlaw
