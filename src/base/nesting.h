// How deeply texts may be nested. Reading, printing and destroying a document go down with it, on
// the stack, and a file must not choose how far.
#pragma once

#include <string_view>

namespace bitlaw {

inline constexpr int kDeepestNesting = 200;  // arrays and objects inside each other

// How deeply the tables and arrays of a TOML text are nested at most. Every part of a dotted key is
// a table: toml++ limits brackets, not these. May be one too many; never too few.
int toml_nesting(std::string_view text);

}  // namespace bitlaw
