// Files that are something well known instead of what they are taken for, told by their first bytes.
#pragma once

#include <string>
#include <string_view>

namespace bitlaw {

// "is a git-lfs pointer, not the file itself; ..." with what to do, or "" for other content.
std::string known_content(std::string_view first_bytes);

}  // namespace bitlaw
