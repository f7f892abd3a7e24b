#include "tokenizer/hf_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/json_fields.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/piece_notation.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

// Where a mark follows something else; npos: nowhere.
size_t mark_after_other(std::string_view text) {
  size_t at = text.find(kSpaceMark);
  while (at == 0 || (at != std::string_view::npos && text.substr(0, at).ends_with(kSpaceMark)))
    at = text.find(kSpaceMark, at + kSpaceMark.size());
  return at;
}

void refuse_what_is_not_known(const JsonFields& model) {
  if (model.text("type", "BPE") != "BPE") {
    model.fail("type",
               fmt::format("'{}' is not supported; bitlaw reads BPE", model.text("type", "")));
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.text(key, "").empty()) model.fail(key, "is not supported");
  }
  if (model.has("dropout") && model.at("dropout") != 0)
    model.fail("dropout", "is not supported: it draws tokens at random");
}

}  // namespace

HfBpe::HfBpe(const Json& value, const std::string& file, bool byte_level)
    : byte_level_(byte_level), byte_ids_(256, -1) {
  const JsonFields model(value, file, "model");
  refuse_what_is_not_known(model);
  ignore_merges_ = model.truth("ignore_merges", false);

  const JsonFields vocabulary = model.object("vocab");
  for (const auto& [token, id] : model.at("vocab").items()) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > kLargestTokenId)
      vocabulary.fail(fmt::format("has no valid id for '{}' (a whole number from 0)", token));
    ids_.emplace(token, id.get<int32_t>());
  }
  if (!byte_level && !model.truth("byte_fallback", false)) {
    model.fail(
        "has neither byte_fallback nor a ByteLevel pre_tokenizer; such a BPE loses text and "
        "is not supported");
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = id_of(byte_level ? byte_level_characters()[byte]
                                       : byte_piece(static_cast<unsigned char>(byte)));
    // Some vocabularies lack bytes that no usual text has; a text that has one is refused.
    const bool usual = (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\t';
    if (byte_ids_[byte] < 0 && (usual || !byte_level))
      vocabulary.fail(fmt::format("lacks the byte 0x{:02X}; text would be lost", byte));
  }
  parts_at_marks_ = !byte_level && !ignore_merges_;
  read_merges(model.list("merges"), file);
  if (!ignore_merges_) return;
  whole_bytes_.reserve(ids_.size());  // so that views stay
  for (const auto& [token, id] : ids_) {
    if (!byte_level) {
      whole_.emplace(token, id);
    } else if (auto bytes = bytes_of_byte_level(token)) {
      whole_.emplace(whole_bytes_.emplace_back(*std::move(bytes)), id);
    }
  }
}

void HfBpe::read_merges(const Json& merges, const std::string& file) {
  merges_.reserve(merges.size());
  int32_t rank = 0;
  for (const Json& merge : merges) {
    const auto fail = [&](const std::string& why) {
      throw Error(fmt::format("{}: model.merges[{}] {}", file, rank, why));
    };
    std::string left, right;
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
        fail("is not two tokens with a space between them");
      left = text.substr(0, space);
      right = text.substr(space + 1);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      left = merge[0].get<std::string>();
      right = merge[1].get<std::string>();
    } else {
      fail("is not a pair of tokens");
    }
    for (const std::string& token : {left, right, left + right}) {
      if (id_of(token) < 0) fail(fmt::format("names '{}', which is not in the vocabulary", token));
    }
    if (mark_after_other(left + right) != std::string::npos) parts_at_marks_ = false;
    merges_.add(id_of(left), id_of(right), rank, id_of(left + right));
    ++rank;
  }
}

std::optional<HfBpe> HfBpe::of_sentencepiece(const SentencepieceModel& model) {
  if (!model.is_bpe || !model.byte_fallback) return std::nullopt;
  HfBpe bpe;
  bpe.byte_ids_.assign(256, -1);
  std::vector<float> scores;  // of normal pieces, highest first: the place is the rank
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    if (piece.type == PieceType::kByte) {
      if (const auto byte = byte_of_piece(piece.text)) bpe.byte_ids_[*byte] = static_cast<int>(id);
    } else if (piece.type == PieceType::kNormal) {
      if (!bpe.ids_.emplace(piece.text, static_cast<int>(id)).second) return std::nullopt;
      scores.push_back(piece.score);
    } else if (piece.type == PieceType::kUnused) {
      return std::nullopt;
    }
  }
  if (std::count(bpe.byte_ids_.begin(), bpe.byte_ids_.end(), -1) > 0) return std::nullopt;
  std::sort(scores.begin(), scores.end(), std::greater<>());
  for (const auto& [text, id] : bpe.ids_) {
    const float score = model.pieces[static_cast<size_t>(id)].score;
    const auto rank = static_cast<int32_t>(
        std::lower_bound(scores.begin(), scores.end(), score, std::greater<>()) - scores.begin());
    if (mark_after_other(text) != std::string::npos) bpe.parts_at_marks_ = false;
    for (size_t begin = 0, cut = 0; begin < text.size(); begin = cut) {
      cut += static_cast<size_t>(std::max(1, utf8_length(std::string_view(text).substr(cut))));
      // Otherwise the library would merge a character that is no piece.
      if (bpe.id_of(text.substr(begin, cut - begin)) < 0) return std::nullopt;
      const int32_t left = bpe.id_of(text.substr(0, cut)), right = bpe.id_of(text.substr(cut));
      if (left >= 0 && right >= 0) bpe.merges_.add(left, right, rank, id);
    }
  }
  return bpe;
}

int32_t HfBpe::id_of(const std::string& token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

std::string HfBpe::bytes_of(const std::string& token) const {
  if (byte_level_) return bytes_of_byte_level(token).value_or(token);
  if (const auto byte = byte_of_piece(token)) return {static_cast<char>(*byte)};
  return without_marks(token);
}

size_t HfBpe::first_part(std::string_view piece) const {
  return parts_at_marks_ ? std::min(mark_after_other(piece), piece.size()) : piece.size();
}

void HfBpe::encode(std::string_view piece, std::vector<int32_t>& tokens,
                   PairMerges::Workspace& workspace) const {
  if (ignore_merges_) {
    if (const auto found = whole_.find(piece); found != whole_.end())
      return tokens.push_back(found->second);
  }
  const size_t begin = tokens.size();
  const auto push_bytes = [&](std::string_view bytes) {
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte_ids_[byte] < 0) {
        throw Error(
            fmt::format("the text has the byte 0x{:02X}, which the tokenizer's vocabulary lacks; "
                        "remove it from the text",
                        byte));
      }
      tokens.push_back(byte_ids_[byte]);
    }
  };
  if (byte_level_) {
    push_bytes(piece);
  } else {
    std::string character;
    for (size_t i = 0; i < piece.size(); i += character.size()) {
      character = piece.substr(i, static_cast<size_t>(std::max(1, utf8_length(piece.substr(i)))));
      const int32_t id = id_of(character);
      if (id >= 0) {
        tokens.push_back(id);
      } else {
        push_bytes(character);
      }
    }
  }
  merges_.merge(tokens, begin, workspace);
}

}  // namespace bitlaw
