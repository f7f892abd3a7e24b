// The documentation packages that English text is made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitlaw {

struct DocumentationPackage {
  std::vector<std::string> names;  // of which apt knows one, by releases of Debian
  double megabytes = 0;            // of prose that it gave when last measured
};

// In the order in which they are taken.
std::span<const DocumentationPackage> documentation_packages();

}  // namespace bitlaw
