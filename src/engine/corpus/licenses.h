// The licences of a package, from its copyright file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// usr/share/doc/NAME/copyright
bool is_copyright(const std::string& path);

// The short names in the License fields of a machine-readable copyright file of Debian (format 1.0),
// each once, the most frequent first; empty for a file that is prose.
std::vector<std::string> licenses_of(std::string_view copyright);

}  // namespace bitlaw
