// Synthetic tokens with an exactly known entropy, so that a fitted E can be compared with the truth.
//
// A document is a random tree of 2^levels tokens. Every symbol of a level has `rules` productions,
// each a pair of symbols of the level below; no pair is the production of two symbols of a level.
// The root is any symbol with the same probability, production r of `rules` has a probability in
// proportion to (r + 1)^-zipf, and the symbols of the lowest level are the tokens. (The random
// hierarchy model of Cagnetta et al., Phys. Rev. X 14, 031001, 2024.)
//
// As no two trees give the same tokens, the entropy of a document is that of its tree:
//
//   H = ln(symbols) + (2^levels - 1) H(production),   entropy rate = H / 2^levels
//
// Documents are independent and have no end token. So H / 2^levels is the least expected loss, in
// nats a token, of a model whose sequences are whole documents: their length is a multiple of
// 2^levels. Shorter sequences cut trees, and their least loss is higher.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "data/prepare.h"

namespace bitlaw {

struct SyntheticConfig {
  std::string to;                       // directory of the data set
  int64_t tokens = 20'000'000;          // of training
  int64_t validation_tokens = 500'000;  //
  int symbols = 32;                     // of each level; the vocabulary
  int rules = 4;                        // productions of a symbol
  int levels = 7;                       // of a tree: documents have 2^levels tokens
  double zipf = 1;                      // production r has the weight (r + 1)^-zipf
  int64_t seed = 1;
  int64_t shard_tokens = 100'000'000;  // largest shard
  bool overwrite = false;              // replace another data set in `to`

  template <class V>
  void visit(V& v) {
    v("to", to, "directory of the data set");
    v("tokens", tokens, "training tokens, rounded up to whole documents");
    v("validation_tokens", validation_tokens, "validation tokens, rounded up likewise");
    v("symbols", symbols, "symbols of each level of the trees; the vocabulary");
    v("rules", rules, "productions of each symbol");
    v("levels", levels, "levels of a tree: documents have 2^levels tokens");
    v("zipf", zipf, "production r = 1, 2, .. has a probability in proportion to r^-zipf");
    v("seed", seed, "of the productions and of the documents");
    v("shard_tokens", shard_tokens, "largest number of tokens in one shard");
    v("overwrite", overwrite, "replace another data set in the directory");
  }
};

// Nats a token. Error for a bad option.
double entropy_rate(const SyntheticConfig& config);

// Creates the data set and returns its dataset.json, a pure function of the options. What is said of
// prepare_dataset holds here, too.
DatasetInfo make_synthetic_dataset(const SyntheticConfig& config,
                                   const PrepareProgress& progress = {});

}  // namespace bitlaw
