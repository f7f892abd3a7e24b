// tokenizer.model as text for somebody's checkpoint: whatever the sentencepiece model says
// (normalization, a space in front, unknown tokens) is done; bitlaw's own byte tokenizer is read,
// too. Models that are BPE and leave characters as they are go through HfBpe::of_sentencepiece, to
// the tokens that the library gives; unlike tokenizer/bpe.h, which keeps every byte of a text.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/special_tokens.h"
#include "tokenizer/text_tokenizer.h"

namespace bitlaw {

// From the bytes of a tokenizer.model. Errors name `file`.
std::unique_ptr<TextTokenizer> parse_sentencepiece(const std::string& bytes,
                                                   const std::string& file,
                                                   const SpecialTokenNames& names = {});

}  // namespace bitlaw
