#include "tokenizer/piece_notation.h"

#include <fmt/format.h>

#include <charconv>

namespace bitlaw {

std::string byte_piece(unsigned char byte) {
  return fmt::format("<0x{:02X}>", byte);
}

std::optional<unsigned char> byte_of_piece(std::string_view piece) {
  unsigned char byte = 0;
  if (piece.size() != 6) return std::nullopt;
  std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
  if (piece != byte_piece(byte)) return std::nullopt;
  return byte;
}

std::string without_marks(std::string_view piece) {
  std::string text;
  while (!piece.empty()) {
    const bool mark = piece.starts_with(kSpaceMark);
    text += mark ? ' ' : piece.front();
    piece.remove_prefix(mark ? kSpaceMark.size() : 1);
  }
  return text;
}

}  // namespace bitlaw
