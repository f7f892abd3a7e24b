// A prepared data set: a directory with
//
//   train_000000.bin ...   shards of training tokens (data/shards.h)
//   val_000000.bin ...     shards of validation tokens; every document ends with a special token
//   tokenizer.model        the tokenizer (tokenizer/tokenizer.h)
//   dataset.json           DatasetInfo: sizes, origin and hashes
//
// Directories of llm.c or nanoGPT shards without dataset.json can be opened, too (train*.bin and
// val*.bin, or *_train_*.bin and *_val_*.bin), with less information.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "data/shards.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {

struct SplitInfo {
  int64_t tokens = 0;  // including end-of-document tokens
  int64_t documents = 0;
  int64_t bytes = 0;                // of the documents' text, UTF-8
  std::string hash;                 // of the tokens
  std::vector<std::string> shards;  // file names in order

  template <class V>
  void visit(V& v) {
    v("tokens", tokens);
    v("documents", documents);
    v("bytes", bytes);
    v("hash", hash);
    v("shards", shards);
  }
};

// What came from one folder or file of the text, without equal documents.
struct SourceInfo {
  std::string name;
  int64_t train_documents = 0, train_tokens = 0;
  int64_t validation_documents = 0, validation_tokens = 0;
  int64_t dropped_tokens = 0;  // of validation, as near-duplicates

  template <class V>
  void visit(V& v) {
    v("name", name);
    v("train_documents", train_documents);
    v("train_tokens", train_tokens);
    v("validation_documents", validation_documents);
    v("validation_tokens", validation_tokens);
    v("dropped_tokens", dropped_tokens);
  }
};

// Validation text that training also has, which was dropped (data/near_duplicates.h).
struct NearDuplicates {
  int64_t string_tokens = 0;    // length of the strings compared; 0: nothing was
  int64_t shared_tokens = 0;    // in strings that training also has
  int64_t dropped_tokens = 0;   // these lines
  int64_t documents = 0;        // that lost something
  int64_t whole_documents = 0;  // of these, dropped as a whole

  template <class V>
  void visit(V& v) {
    v("string_tokens", string_tokens);
    v("shared_tokens", shared_tokens);
    v("dropped_tokens", dropped_tokens);
    v("documents", documents);
    v("whole_documents", whole_documents);
  }
};

// Of tokens that are drawn, not text (data/synthetic.h).
struct SyntheticSource {
  double entropy_rate = 0;      // nats a token: the least loss, if sequences are whole documents
  int64_t document_tokens = 0;  // of each document

  template <class V>
  void visit(V& v) {
    v("entropy_rate", entropy_rate);
    v("document_tokens", document_tokens);
  }
};

struct DatasetInfo {
  std::string hash;  // of both splits' tokens and the tokenizer: names the data in a run's record
  std::string tokenizer_kind;  // "byte", "bpe", or "unknown": no dataset.json, or no text
  std::string tokenizer_hash;
  int vocabulary = 0;
  int end_of_document = -1;  // token, or -1 if not known
  SplitInfo train, validation;
  // By size; empty, as near_duplicates, in data sets of earlier versions.
  std::vector<SourceInfo> sources;
  std::optional<NearDuplicates> near_duplicates;
  std::optional<SyntheticSource> synthetic;
  std::string source_hash;        // of the documents read, before the split
  int64_t duplicates = 0;         // documents dropped because an equal one came before
  int64_t invalid_bytes = 0;      // replaced by U+FFFD
  std::string split_rule;         // in words
  Json options = Json::object();  // the PrepareConfig that made it, without its paths
  // Sentences on what was read, from prepare_dataset alone; they are not kept.
  std::vector<std::string> notes;

  template <class V>
  void visit(V& v) {
    v("hash", hash);
    v("tokenizer_kind", tokenizer_kind);
    v("tokenizer_hash", tokenizer_hash);
    v("vocabulary", vocabulary);
    v("end_of_document", end_of_document);
    v("train", train);
    v("validation", validation);
    v.known("sources", sources);
    v.known("near_duplicates", near_duplicates);
    v.known("synthetic", synthetic);
    v("source_hash", source_hash);
    v("duplicates", duplicates);
    v("invalid_bytes", invalid_bytes);
    v("split_rule", split_rule);
    v("options", options);
  }
};

Json to_json(const DatasetInfo& info);
// Error, naming `where`, for a document that is not a dataset.json of this version.
DatasetInfo read_dataset_info(const Json& document, const std::string& where);

// A few lines for people: tokens, documents, bytes per token, vocabulary, hash; what each source
// gives to training and to validation.
std::string describe(const DatasetInfo& info);

// A sentence for each thing that whoever trains on it should know: its notes; validation that has
// another share of the text than was asked for; a source whose shares of training and validation
// differ by more than five times, or which lost half of its validation text as near-duplicates; much
// text that is no UTF-8.
std::vector<std::string> warnings(const DatasetInfo& info);

class Dataset {
 public:
  // Opens and validates: shard headers and sizes, token counts and hashes against dataset.json,
  // every token below the vocabulary. `expected_vocabulary` (0: any) must equal the data set's; for
  // a directory without dataset.json it is required and bounds the tokens. Error, naming the file
  // and what to do next.
  static Dataset open(const std::filesystem::path& directory, int expected_vocabulary = 0);

  const TokenSet& train() const { return train_; }
  const TokenSet& validation() const { return validation_; }
  const DatasetInfo& info() const { return info_; }
  const std::string& hash() const { return info_.hash; }
  const std::string& validation_hash() const { return info_.validation.hash; }  // of its tokens
  int64_t train_tokens() const { return train_.size(); }  // unique ones: those of one epoch
  int vocabulary() const { return info_.vocabulary; }

  // Bytes of validation text per validation token, so that bits per byte = nats per token / (ln 2 *
  // bytes_per_token()). 0 if not known (no dataset.json).
  double bytes_per_token() const;

  // The tokenizer of the data set. Error if the directory has none.
  std::unique_ptr<Tokenizer> tokenizer() const;

 private:
  std::filesystem::path directory_;
  DatasetInfo info_;
  TokenSet train_, validation_;
};

}  // namespace bitlaw
