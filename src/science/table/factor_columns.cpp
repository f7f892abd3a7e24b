// The columns of factors and of seeds: as columns.h says, but a name may also have parts before it,
// as nested objects have ("args.lr", "config.data.path"), and numbers need no unit.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "record/factor.h"
#include "record/factor_names.h"
#include "table/columns.h"

namespace bitlaw {
namespace {

// The last `count` parts of a name with dots, or all of it.
std::string last_parts(const std::string& name, int count) {
  size_t dot = name.size();
  for (int i = 0; i < count && dot != std::string::npos && dot > 0; ++i)
    dot = name.rfind('.', dot - 1);
  return dot == std::string::npos || dot == 0 ? name : name.substr(dot + 1);
}

bool is_factor(const std::string& name, const std::string& factor) {
  const std::string plain = plain_name(name);
  const std::vector<std::string>& usual = usual_names(factor);
  return plain == plain_name(factor) || std::find(usual.begin(), usual.end(), plain) != usual.end();
}

}  // namespace

std::vector<std::string> factor_column_names() {
  std::vector<std::string> out{"seed", kCalibrationSeed};
  for (const Factor& factor : factors()) out.emplace_back(factor.name);
  return out;
}

void Columns::take_factors(const ColumnMap& given, std::vector<std::string>& notes) {
  std::vector<std::string> open;
  for (const std::string& name : factor_column_names()) {
    if (has(name) || given.count(name)) continue;
    const auto own = table_.find(name);
    if (own && !is_taken(*own)) {
      take(name, *own);
    } else {
      open.push_back(name);
    }
  }
  for (const std::string& name : open) {
    const auto take_by = [&](const auto& part_of) {
      return take_called(
          name, [&](const std::string& column) { return is_factor(part_of(column), name); }, notes);
    };
    bool found = take_by([](const std::string& column) { return column; });
    for (int parts = 1; parts <= 2 && !found; ++parts)
      found = take_by([&](const std::string& column) { return last_parts(column, parts); });
  }
}

bool Columns::take_called(const std::string& name,
                          const std::function<bool(const std::string&)>& is_it,
                          std::vector<std::string>& notes) {
  std::vector<size_t> found;
  for (size_t place = 0; place < table_.columns().size(); ++place) {
    if (!is_taken(place) && is_it(table_.columns()[place])) found.push_back(place);
  }
  if (found.size() > 1)
    settle_several(name, "a factor", found, false, notes);
  else if (!found.empty())
    recognise(name, found[0]);
  return !found.empty();
}

}  // namespace bitlaw
