// A run's tokenizer as tokenizer.json and tokenizer_config.json, so that transformers' AutoTokenizer
// and what builds on it read a run's text as bitlaw does.
//
//   byte  byte-level BPE without merges: token b is byte b
//   bpe   BPE with byte fallback; every way to make a piece of two others is a merge, in the order
//         in which sentencepiece would take them
//
// Equal to Tokenizer::encode but for texts that spell a special token (</s>), which become that
// token, and U+2581, which becomes a space. There is no begin token: documents of the training data
// have only an end.
#pragma once

#include <cstdint>
#include <string>

#include "tokenizer/sentencepiece_proto.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {

inline constexpr const char* kByteEndToken =
    "<|endofdocument|>";  // token 256 of the byte tokenizer

// The pieces of a `bpe` tokenizer. Error for a sentencepiece model that is not BPE, and for pieces
// that nothing else knows (user-defined, unused); the two functions below throw it, too.
SentencepieceModel exported_sentencepiece(const Tokenizer& tokenizer);

std::string hf_tokenizer_json(const Tokenizer& tokenizer);
std::string hf_tokenizer_config(const Tokenizer& tokenizer, int64_t context);

}  // namespace bitlaw
