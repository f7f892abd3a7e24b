#include "tokenizer/sentencepiece_proto.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace bitlaw {
namespace {

// The fields of one message, one after another.
class Fields {
 public:
  Fields(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  bool next() {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    number_ = tag >> 3;
    number_value_ = 0;
    bytes_ = {};
    switch (tag & 7) {
      case 0:
        number_value_ = varint();
        break;
      case 1:
        bytes_ = take(8);
        break;
      case 2:
        bytes_ = take(varint());
        break;
      case 5:
        bytes_ = take(4);
        break;
      default:
        fail();
    }
    return true;
  }

  uint64_t number() const { return number_; }
  uint64_t whole() const { return number_value_; }
  std::string_view bytes() const { return bytes_; }
  float single() const {
    float value = 0;
    if (bytes_.size() != sizeof value) fail();
    std::memcpy(&value, bytes_.data(), sizeof value);
    return value;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(fmt::format("{}: not a sentencepiece model, or damaged", where_));
  }
  std::string_view take(uint64_t count) {
    if (count > rest_.size()) fail();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }

  std::string_view rest_, bytes_;
  const std::string& where_;
  uint64_t number_ = 0, number_value_ = 0;
};

SentencePiece read_piece(std::string_view bytes, const std::string& where) {
  SentencePiece piece;
  for (Fields fields(bytes, where); fields.next();) {
    if (fields.number() == 1) piece.text = fields.bytes();
    if (fields.number() == 2) piece.score = fields.single();
    if (!std::isfinite(piece.score)) {
      throw Error(where + ": has a piece whose score is not a number; it is damaged");
    }
    if (fields.number() == 3) piece.type = static_cast<PieceType>(fields.whole());
  }
  return piece;
}

}  // namespace

SentencepieceModel parse_sentencepiece_proto(std::string_view bytes, const std::string& where) {
  SentencepieceModel model;
  bool suffix = false, removes_spaces = true, escapes_spaces = true;
  for (Fields fields(bytes, where); fields.next();) {
    if (fields.number() == 1) model.pieces.push_back(read_piece(fields.bytes(), where));
    if (fields.number() == 2) {
      for (Fields trainer(fields.bytes(), where); trainer.next();) {
        if (trainer.number() == 3) model.is_bpe = trainer.whole() == 2;
        if (trainer.number() == 24) suffix = trainer.whole() != 0;
        if (trainer.number() == 35) model.byte_fallback = trainer.whole() != 0;
      }
    }
    if (fields.number() == 3) {
      for (Fields normalizer(fields.bytes(), where); normalizer.next();) {
        if (normalizer.number() == 2) model.changes_characters = !normalizer.bytes().empty();
        if (normalizer.number() == 3) model.dummy_prefix = normalizer.whole() != 0;
        if (normalizer.number() == 4) removes_spaces = normalizer.whole() != 0;
        if (normalizer.number() == 5) escapes_spaces = normalizer.whole() != 0;
      }
    }
  }
  if (model.pieces.empty()) throw Error(fmt::format("{}: has no pieces", where));
  model.plain_spaces = !suffix && !removes_spaces && escapes_spaces;
  return model;
}

}  // namespace bitlaw
