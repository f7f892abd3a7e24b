#include "fit/freeze_from.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "laws/bind.h"

namespace bitlaw {

void freeze_from(const Fit& other, const std::string& where, std::vector<std::string> wanted,
                 const Law& law, const std::vector<Observation>& runs,
                 std::vector<std::string>& freeze) {
  const bool all = wanted.empty();
  const BoundLaw bound = bind_law(law, runs);
  const auto is_set = [&](const std::string& name) {
    return std::any_of(freeze.begin(), freeze.end(), [&](const std::string& item) {
      return trim(item.substr(0, item.find('='))) == name;
    });
  };
  std::vector<std::string> names, added;
  for (const FittedParameter& p : other.parameters) {
    names.push_back(p.name);
    const bool asked = all || std::erase(wanted, p.name) > 0;
    if (!asked || parameter_index(bound.law(), p.name) < 0 || is_set(p.name)) continue;
    added.push_back(fmt::format("{}={}", p.name, p.value));
  }
  if (!wanted.empty()) {
    throw Error(
        fmt::format("freeze-from: {}: {}", where, unknown_name("constant", wanted[0], names)));
  }
  if (added.empty()) {
    throw Error(fmt::format("freeze-from: {} is a fit of {}, which shares no constant with {}",
                            where, other.law, law.name));
  }
  freeze.insert(freeze.end(), added.begin(), added.end());
}

}  // namespace bitlaw
