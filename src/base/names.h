// Mistyped names: the most likely known name, and the sentence that suggests it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// The known name with the fewest edits, ignoring case, or one that begins with `name`; "" if none
// is near (more than a third of the last dotted part would change).
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// "unknown law 'chinchila'; did you mean 'chinchilla'?", or, if none is near, "unknown law 'x';
// known: a, b, c", or the advice instead of the list: "unknown law 'x'; see --help".
std::string unknown_name(std::string_view what, std::string_view name,
                         const std::vector<std::string>& known, std::string_view advice = {});

// "unknown column 'sett'; did you mean 'set'? The columns are N, D, set"
std::string unknown_column(std::string_view name, const std::vector<std::string>& columns);

// Text from a file made safe for a message: at most 60 bytes, no control characters.
std::string printable(std::string_view text);
// Several names with commas: the first 40, then how many more.
std::string printable(const std::vector<std::string>& names);

}  // namespace bitlaw
