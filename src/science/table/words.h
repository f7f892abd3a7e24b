// Lists of words that a field may be.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace bitlaw {

template <size_t Count>
bool is_one_of(std::string_view text, const std::string_view (&words)[Count]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

}  // namespace bitlaw
