#pragma once

#include <string>
#include <string_view>

namespace bitlaw {

// The words of `text` with one space between them. Non-breaking spaces separate words, too; signs
// that manuals put behind headings, and spaces of no width, are taken off.
std::string one_line(std::string_view text);

}  // namespace bitlaw
