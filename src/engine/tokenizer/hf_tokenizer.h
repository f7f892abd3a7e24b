// tokenizer.json, the format of the `tokenizers` library
// (https://github.com/huggingface/tokenizers): added tokens are split off, the rest is normalized
// and cut into pieces, and each piece is merged. The result equals that library's token for token.
// Settings that bitlaw does not support are an Error that names them.
//
//   normalizer      tokenizer/text_normalizer.h
//   pre_tokenizer   tokenizer/pretokenizer.h
//   model           tokenizer/hf_model.h
//   added_tokens    tokenizer/added_tokens.h
//   post_processor  only the token that it puts in front of a text
//   decoder         not used: token_bytes() follows from the model
//   truncation, padding   not used: the library's callers set their own
#pragma once

#include <memory>
#include <string>

#include "tokenizer/special_tokens.h"
#include "tokenizer/text_tokenizer.h"

namespace bitlaw {

// From the text of a tokenizer.json. Error, naming `file` and the setting, if it is damaged or not
// supported.
std::unique_ptr<TextTokenizer> parse_hf_tokenizer(const std::string& text, const std::string& file,
                                                  const SpecialTokenNames& names = {});

}  // namespace bitlaw
