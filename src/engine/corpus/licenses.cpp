#include "corpus/licenses.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "tokenizer/utf8.h"

namespace bitlaw {

bool is_copyright(const std::string& path) {
  return path.ends_with("/copyright") && path.find("usr/share/doc/") != std::string::npos;
}

std::vector<std::string> licenses_of(std::string_view copyright) {
  constexpr std::string_view kField = "License:";
  constexpr std::ptrdiff_t kMostSpaces = 5;  // with more words it is the licence itself
  std::map<std::string, int> counts;
  for (const std::string& line : split(valid_utf8(copyright), '\n')) {
    if (!line.starts_with(kField)) continue;
    std::string name = trim(std::string_view(line).substr(kField.size()));
    if (!name.empty() && std::count(name.begin(), name.end(), ' ') <= kMostSpaces) ++counts[name];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : counts) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return counts.at(a) > counts.at(b);
  });
  return names;
}

}  // namespace bitlaw
