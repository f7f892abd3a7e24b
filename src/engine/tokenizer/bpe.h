// Byte-pair encoding by sentencepiece, configured to be lossless: identity normalisation, no dummy
// prefix, no white space removed, and bytes for characters that are not in the vocabulary.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/tokenizer.h"

namespace bitlaw {

// From the bytes of a sentencepiece model; load_tokenizer() calls it for such files. Error, naming
// `where`, if the model is damaged or lossy.
std::unique_ptr<Tokenizer> load_bpe(std::string bytes, const std::string& where);

// Error for a vocabulary that train_bpe refuses.
void require_bpe_vocabulary(int vocabulary);

}  // namespace bitlaw
