// "~" in paths that no shell has read, such as `data.path=~/data` and those of a study file.
#pragma once

#include <string>

namespace bitlaw {

// "~" and "~/..." with $HOME in place of "~"; anything else as it is, also a file "~name". Error
// without $HOME, and for "~name/...", which only a shell knows. "./~" names a folder of that name.
std::string expand_home(const std::string& path);

}  // namespace bitlaw
