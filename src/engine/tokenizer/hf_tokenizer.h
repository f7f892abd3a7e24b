// tokenizer.json, the format of the `tokenizers` library
// (https://github.com/huggingface/tokenizers): added tokens are taken out, the rest is normalized,
// cut into pieces and each piece merged. Equal to that library token for token; what a file asks
// for and bitlaw does not know is an Error that names it.
//
//   normalizer      tokenizer/text_normalizer.h
//   pre_tokenizer   tokenizer/pretokenizer.h
//   model           tokenizer/hf_model.h
//   added_tokens    tokenizer/added_tokens.h
//   post_processor  only for the token it puts in front of a text
//   decoder         not used: token_bytes() follows from the model
//   truncation, padding   not used: the library's callers set their own
#pragma once

#include <memory>
#include <string>

#include "tokenizer/special_tokens.h"
#include "tokenizer/text_tokenizer.h"

namespace bitlaw {

// From the text of a tokenizer.json. Errors name `file`.
std::unique_ptr<TextTokenizer> parse_hf_tokenizer(const std::string& text, const std::string& file,
                                                  const SpecialTokenNames& names = {});

}  // namespace bitlaw
