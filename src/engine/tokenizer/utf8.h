// UTF-8 as in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitlaw {

// Bytes of the valid sequence at the front of `text` (1..4), or 0 if there is none.
int utf8_length(std::string_view text);

// A copy with every byte outside a valid sequence replaced by U+FFFD (EF BF BD). The number of such
// bytes is added to `*replaced` unless that is null.
std::string valid_utf8(std::string_view text, int64_t* replaced = nullptr);

}  // namespace bitlaw
