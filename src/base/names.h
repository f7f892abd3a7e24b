// Names that were mistyped: which one was meant, and the sentence that says so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// The known name with the fewest edits, capitals aside, or that begins so; "" if none is near (more
// than a third of the last dotted part would change).
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// "unknown law 'chinchila'; did you mean 'chinchilla'?", or, if none is near, "unknown law 'x';
// known are a, b, c", or the advice instead of the list: "unknown law 'x'; see --help".
std::string unknown_name(std::string_view what, std::string_view name,
                         const std::vector<std::string>& known, std::string_view advice = {});

// "unknown column 'sett'; did you mean 'set'? The columns are N, D, set"
std::string unknown_column(std::string_view name, const std::vector<std::string>& columns);

// Text of a file for a message: at most 60 bytes, nothing that a terminal would obey.
std::string printable(std::string_view text);
// Several, with commas: the first 40, then how many more.
std::string printable(const std::vector<std::string>& names);

}  // namespace bitlaw
