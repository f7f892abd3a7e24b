// A run's tokenizer as tokenizer.json and tokenizer_config.json, so that transformers'
// AutoTokenizer and programs built on it tokenize like bitlaw.
//
//   byte  byte-level BPE without merges: token b is byte b
//   bpe   BPE with byte fallback; every way to make a piece from two others is a merge, in the
//         order in which sentencepiece would apply them
//
// The tokens equal those of Tokenizer::encode, except that text that spells a special token (</s>)
// becomes that token, and U+2581 becomes a space. There is no begin token, because documents of the
// training data have only an end token.
#pragma once

#include <cstdint>
#include <string>

#include "tokenizer/sentencepiece_proto.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {

inline constexpr const char* kByteEndToken =
    "<|endofdocument|>";  // token 256 of the byte tokenizer

// The pieces of a `bpe` tokenizer. Error for a sentencepiece model that is not BPE, and for
// user-defined and unused pieces, which other formats do not have; the two functions below throw
// it, too.
SentencepieceModel exported_sentencepiece(const Tokenizer& tokenizer);

std::string hf_tokenizer_json(const Tokenizer& tokenizer);
std::string hf_tokenizer_config(const Tokenizer& tokenizer, int64_t context);

}  // namespace bitlaw
