// Tokens such as <|endoftext|> that are matched literally in the text before it is split and
// merged. If several begin at one position, the longest wins; matches do not overlap.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

struct AddedToken {
  int32_t id;
  std::string content;       // text to match (after normalization if `normalized`); not empty
  bool single_word = false;  // only if not next to a word character
  bool left_strip = false;   // consumes the white space before it
  bool right_strip = false;  // consumes the white space after it
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);  // distinct contents

  // Visits a valid UTF-8 text from left to right: visit(stretch, id) for a token, visit(stretch,
  // -1) for the text between tokens, which is not empty.
  using Visit = std::function<void(std::string_view stretch, int32_t id)>;
  void split(std::string_view text, const Visit& visit) const;

 private:
  const AddedToken* at(std::string_view rest) const;

  std::array<std::vector<AddedToken>, 256> by_first_byte_;  // longest first
  bool any_ = false;
};

}  // namespace bitlaw
