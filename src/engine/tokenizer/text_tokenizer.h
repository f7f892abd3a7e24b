// Text as the tokens of a third-party checkpoint, with the tokenizer in the checkpoint's directory:
//
//   tokenizer.json    byte-level BPE (GPT-2, GPT-NeoX, OLMo-2, Llama-3, Qwen2) or BPE with byte
//                     fallback (Llama-2, Mistral), tokenizer/hf_tokenizer.h; preferred to the other
//   tokenizer.model   any sentencepiece model, or one of bitlaw's own (tokenizer/tokenizer.h)
//
// Text is encoded as it is, without special tokens, so that losses per token and bits per byte
// count only the text. `with_begin` puts the begin token in front, for models that need it. Bytes
// outside valid UTF-8 become U+FFFD first, one for each byte, as in tokenizer/utf8.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/special_tokens.h"

namespace bitlaw {

class TextTokenizer {
 public:
  virtual ~TextTokenizer() = default;

  virtual std::string kind() const = 0;     // "byte-level bpe", "bpe", "sentencepiece" or "byte"
  virtual int vocabulary_size() const = 0;  // ids are 0 .. vocabulary_size() - 1
  // The same without special tokens that were added at the end, such as a [PAD], which no text gives
  // unless it names them. The begin and the end token count.
  virtual int text_vocabulary_size() const { return vocabulary_size(); }

  // Thread-safe. Error if `with_begin` is set and the tokenizer has no begin token, and for a byte
  // that the vocabulary lacks.
  std::vector<int32_t> encode(std::string_view text, bool with_begin = false) const;

  // The bytes of one token; "" for special ones. Error for a token outside the vocabulary.
  const std::string& token_bytes(int32_t token) const;

  // -1 if there is none.
  int32_t begin_token() const { return begin_; }
  int32_t end_token() const { return end_; }
  // Whether the checkpoint's authors put the begin token in front of every text.
  bool adds_begin() const { return adds_begin_; }

 protected:
  virtual const std::string& piece(int32_t token) const = 0;  // within the vocabulary
  virtual void append(std::string_view valid_text, std::vector<int32_t>& tokens) const = 0;

  // Sets the special tokens from the files next to the tokenizer, or else from the tokenizer itself
  // (-1: not given). `id_of` returns the id of a token, -1 if there is none.
  void set_special_tokens(const SpecialTokenNames& names, int32_t own_begin, int32_t own_end,
                          bool own_adds_begin,
                          const std::function<int32_t(const std::string&)>& id_of);

 private:
  int32_t begin_ = -1, end_ = -1;
  bool adds_begin_ = false;
};

// The tokenizer in a checkpoint's directory. Special tokens are those of tokenizer_config.json,
// else of the tokenizer, else of config.json. Error, naming the file and what is missing, damaged
// or not supported.
std::unique_ptr<TextTokenizer> load_text_tokenizer(const std::filesystem::path& directory);

// Error unless the tokenizer fits a model with `vocabulary` tokens: every id but those of special
// tokens is below it, and at least half of it are ids (models pad their vocabulary by a few per
// cent).
void require_vocabulary(const TextTokenizer& tokenizer, int64_t vocabulary);

}  // namespace bitlaw
