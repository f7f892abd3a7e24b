// Tokens that are found in the text as they stand, before it is cut and merged: <|endoftext|> and
// its like. Where several begin at one place the longest wins, and matches do not overlap.
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
  std::string content;       // in the text (for `normalized` ones after normalization); not empty
  bool single_word = false;  // only between characters that are not of words
  bool left_strip = false;   // takes the white space before it
  bool right_strip = false;  // and after it
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);  // distinct contents

  // Visits a valid UTF-8 text from left to right: visit(stretch, id) for a token, visit(stretch,
  // -1) for what lies between, which is not empty.
  using Visit = std::function<void(std::string_view stretch, int32_t id)>;
  void split(std::string_view text, const Visit& visit) const;

 private:
  const AddedToken* at(std::string_view rest) const;

  std::array<std::vector<AddedToken>, 256> by_first_byte_;  // longest first
  bool any_ = false;
};

}  // namespace bitlaw
