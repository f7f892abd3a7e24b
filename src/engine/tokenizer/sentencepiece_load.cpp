#include "tokenizer/sentencepiece_load.h"

#include <fmt/format.h>

#include <exception>

#include "base/error.h"

namespace bitlaw {

bool load_sentencepiece(const std::string& bytes, sentencepiece::SentencePieceProcessor& model) {
  try {
    return model.LoadFromSerializedProto(bytes).ok() && model.GetPieceSize() > 0;
  } catch (const std::exception&) {
    return false;
  }
}

std::vector<int> encode_sentencepiece(const sentencepiece::SentencePieceProcessor& model,
                                      std::string_view text) {
  std::vector<int> ids;
  std::string trouble;
  try {
    const auto status = model.Encode(text, &ids);
    if (!status.ok()) trouble = status.ToString();
  } catch (const std::exception& exception) {
    trouble = exception.what();
  }
  if (!trouble.empty()) throw Error(fmt::format("the tokenizer failed: {}", trouble));
  return ids;
}

}  // namespace bitlaw
