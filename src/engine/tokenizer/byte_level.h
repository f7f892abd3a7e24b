// GPT-2's one-to-one map of the 256 bytes to visible characters, so that a vocabulary of byte
// strings can be written as text: bytes that are printable in Latin-1 map to themselves, the other
// 68 to U+0100, U+0101, ... in order (a space is U+0120).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace bitlaw {

// The character (in UTF-8) of each byte.
const std::array<std::string, 256>& byte_level_characters();

// The bytes that a text of such characters encodes; empty if it contains any other character.
std::optional<std::string> bytes_of_byte_level(std::string_view text);

}  // namespace bitlaw
