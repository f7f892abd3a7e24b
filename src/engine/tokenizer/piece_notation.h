// How sentencepiece writes tokens: U+2581 stands for a space, <0x41> for the byte 0x41.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bitlaw {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

std::string byte_piece(unsigned char byte);                          // "<0x41>"
std::optional<unsigned char> byte_of_piece(std::string_view piece);  // nullopt: not one of these
std::string without_marks(std::string_view piece);                   // marks as spaces

}  // namespace bitlaw
