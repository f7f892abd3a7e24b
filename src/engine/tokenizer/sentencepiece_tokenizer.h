// The tokenizer.model of a third-party checkpoint. It follows the sentencepiece model in everything
// (normalization, dummy prefix, unknown tokens), unlike tokenizer/bpe.h, which keeps every byte of
// a text. Models that are BPE and do not change characters use HfBpe::of_sentencepiece, with the
// same tokens as the library. bitlaw's own byte tokenizer is read, too.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/special_tokens.h"
#include "tokenizer/text_tokenizer.h"

namespace bitlaw {

// From the bytes of a tokenizer.model. Error, naming `file`, if it is damaged.
std::unique_ptr<TextTokenizer> parse_sentencepiece(const std::string& bytes,
                                                   const std::string& file,
                                                   const SpecialTokenNames& names = {});

}  // namespace bitlaw
