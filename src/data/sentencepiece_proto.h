// What a sentencepiece model holds and the library does not tell: the type of each piece and the
// algorithm. The model is a Protocol Buffers message (sentencepiece_model.proto); only these fields
// are read:
//
//   ModelProto     1: SentencePiece (repeated)   2: TrainerSpec
//   SentencePiece  1: piece, text    2: score, float   3: type (1 where left out)
//   TrainerSpec    3: model_type (1 where left out)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

enum class PieceType {  // sentencepiece's numbers, and GGUF's
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct SentencePiece {
  std::string text;  // spaces as U+2581
  float score = 0;   // BPE: minus the order of the merge that makes it
  PieceType type = PieceType::kNormal;
};

struct SentencepieceModel {
  std::vector<SentencePiece> pieces;  // by id
  bool is_bpe = false;                // else unigram, words or characters
};

// Error (naming `where`) for bytes that are not such a message.
SentencepieceModel parse_sentencepiece_proto(std::string_view bytes, const std::string& where);

}  // namespace bitlaw
