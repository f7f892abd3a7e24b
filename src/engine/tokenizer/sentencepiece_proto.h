// Fields of a sentencepiece model that the library does not expose: the type of each piece and the
// algorithm. The model is a Protocol Buffers message (sentencepiece_model.proto); only these fields
// are read:
//
//   ModelProto      1: SentencePiece (repeated)   2: TrainerSpec   3: NormalizerSpec
//   SentencePiece   1: piece, text    2: score, float   3: type (default 1)
//   TrainerSpec     3: model_type (default 1)   24: treat_whitespace_as_suffix
//                   35: byte_fallback (defaults false)
//   NormalizerSpec  2: precompiled_charsmap, bytes   3: add_dummy_prefix
//                   4: remove_extra_whitespaces   5: escape_whitespaces (defaults true)
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
  float score = 0;   // BPE: minus the rank of the merge that makes it
  PieceType type = PieceType::kNormal;
};

struct SentencepieceModel {
  std::vector<SentencePiece> pieces;  // by id
  bool is_bpe = false;                // else unigram, words or characters
  bool byte_fallback = false;         // characters without a piece become bytes
  bool changes_characters = false;    // by a table, as NFKC does
  bool dummy_prefix = true;           // a space is put in front of a text
  bool plain_spaces = false;          // all spaces are kept as U+2581, before their words
};

// Error (naming `where`) for bytes that are not such a message.
SentencepieceModel parse_sentencepiece_proto(std::string_view bytes, const std::string& where);

}  // namespace bitlaw
