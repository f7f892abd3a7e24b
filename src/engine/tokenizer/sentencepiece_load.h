// Loading of sentencepiece models that may be damaged. The library reports some damage by its
// status, some (a piece without text) by exceptions of its dependencies, and some only when it
// encodes.
#pragma once

#include <sentencepiece_processor.h>

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// False if the bytes are not a sentencepiece model with at least one piece.
bool load_sentencepiece(const std::string& bytes, sentencepiece::SentencePieceProcessor& model);

// The ids of `text`. Error if the library fails.
std::vector<int> encode_sentencepiece(const sentencepiece::SentencePieceProcessor& model,
                                      std::string_view text);

}  // namespace bitlaw
