// The `model` of a tokenizer.json: a BPE vocabulary and its ranked merges. The file is not trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "tokenizer/pair_merges.h"
#include "tokenizer/sentencepiece_proto.h"

namespace bitlaw {

inline constexpr int64_t kLargestTokenId = int64_t{1} << 24;

class HfBpe {
 public:
  // With `byte_level`, pieces are bytes, written in the vocabulary as in tokenizer/byte_level.h.
  // Otherwise they are characters, and characters outside the vocabulary become tokens <0x00> ..
  // <0xFF>. Error for a model that is not such a BPE or would lose usual text, and for merges that
  // name unknown tokens.
  HfBpe(const Json& model, const std::string& file, bool byte_level);

  // The same for a sentencepiece model. A pair has the rank of the piece that it makes, which gives
  // the library's tokens an order of magnitude faster. The caller handles user-defined pieces.
  // Empty for a model that is not BPE with byte fallback, or whose pieces cannot all be reached by
  // merges of pairs.
  static std::optional<HfBpe> of_sentencepiece(const SentencepieceModel& model);

  int32_t id_of(const std::string& token) const;  // -1: none
  const std::unordered_map<std::string, int32_t>& ids() const { return ids_; }
  std::string bytes_of(const std::string& token) const;  // of a token of the vocabulary

  // Length of the first part of a piece of characters that can be encoded separately: up to the
  // next U+2581 after another character if no token extends across such a place (in Llama-2's
  // vocabulary none does), else the whole piece. Short parts recur, and keep the heap of merges
  // small.
  size_t first_part(std::string_view piece) const;

  // Appends the tokens of one piece. Error for a byte that the vocabulary lacks.
  void encode(std::string_view piece, std::vector<int32_t>& tokens,
              PairMerges::Workspace& workspace) const;

 private:
  HfBpe() = default;
  void read_merges(const Json& merges, const std::string& file);

  bool byte_level_ = false, ignore_merges_ = false;
  bool parts_at_marks_ = true;                           // whether first_part() splits
  std::unordered_map<std::string, int32_t> ids_;         // of tokens as written in the file
  std::unordered_map<std::string_view, int32_t> whole_;  // by their bytes, for ignore_merges
  std::vector<std::string> whole_bytes_;
  std::vector<int32_t> byte_ids_;  // 256
  PairMerges merges_;
};

}  // namespace bitlaw
