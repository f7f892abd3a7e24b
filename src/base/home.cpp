#include "base/home.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"

namespace bitlaw {

std::string expand_home(const std::string& path) {
  if (!path.starts_with('~')) return path;
  if (path.size() > 1 && path[1] != '/') {
    if (path.find('/') == std::string::npos) return path;  // a file whose name begins with it
    throw Error(
        fmt::format("{}: the home of another user is not known here; write the whole path, or ./{} "
                    "for a folder of that name",
                    path, path));
  }
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home == '\0')
    throw Error(fmt::format("{}: $HOME is not set; write the whole path", path));
  return home + path.substr(1);
}

}  // namespace bitlaw
