// Words that tables have for a value that is not there: NA (R), NaN and None (pandas), null (SQL), -.
#pragma once

#include <string_view>

namespace bitlaw {

// In any case; "" is none of them.
bool is_missing_word(std::string_view text);

}  // namespace bitlaw
