#include "tokenizer/byte_level.h"

#include <unordered_map>

#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

std::array<std::string, 256> make_characters() {
  std::array<std::string, 256> characters;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    const unsigned code = visible ? byte : next++;
    if (code < 0x80) {
      characters[byte] = {static_cast<char>(code)};
    } else {  // all below U+0800: two bytes
      characters[byte] = {static_cast<char>(0xC0 | code >> 6),
                          static_cast<char>(0x80 | (code & 0x3F))};
    }
  }
  return characters;
}

}  // namespace

const std::array<std::string, 256>& byte_level_characters() {
  static const std::array<std::string, 256> characters = make_characters();
  return characters;
}

std::optional<std::string> bytes_of_byte_level(std::string_view text) {
  static const auto inverse = [] {
    std::unordered_map<std::string_view, char> map;
    for (size_t byte = 0; byte < 256; ++byte)
      map.emplace(byte_level_characters()[byte], static_cast<char>(byte));
    return map;
  }();
  std::string bytes;
  while (!text.empty()) {
    const auto length = static_cast<size_t>(utf8_length(text));
    const auto found = inverse.find(text.substr(0, length));
    if (length == 0 || found == inverse.end()) return std::nullopt;
    bytes += found->second;
    text.remove_prefix(length);
  }
  return bytes;
}

}  // namespace bitlaw
