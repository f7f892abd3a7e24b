// Sentencepiece's notation of tokens: U+2581 is a space, <0x41> is the byte 0x41.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bitlaw {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

std::string byte_piece(unsigned char byte);                          // "<0x41>"
std::optional<unsigned char> byte_of_piece(std::string_view piece);  // empty if it is none
std::string without_marks(std::string_view piece);                   // marks as spaces

}  // namespace bitlaw
