// Byte-pair encoding by sentencepiece, set up so that nothing of the text is lost: identity
// normalisation, no dummy prefix, no white space removed, bytes for what the vocabulary lacks.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/tokenizer.h"

namespace bitlaw {

// From the bytes of a sentencepiece model; load_tokenizer's half for such files. Errors name
// `where`.
std::unique_ptr<Tokenizer> load_bpe(std::string bytes, const std::string& where);

}  // namespace bitlaw
