// The columns of factors and of the seed: as columns.h says, but a name may also have parts before
// it, as nested objects have ("args.lr"), and numbers need no unit.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "record/factor.h"
#include "record/factor_names.h"
#include "table/columns.h"

namespace bitlaw {
namespace {

std::string last_part(const std::string& name) {
  return name.substr(name.rfind('.') + 1);  // all of it without a dot
}

bool is_called(const std::string& name, const std::string& factor) {
  const std::string plain = plain_name(name);
  const std::vector<std::string>& usual = usual_names(factor);
  return plain == plain_name(factor) || std::find(usual.begin(), usual.end(), plain) != usual.end();
}

}  // namespace

std::vector<std::string> factor_column_names() {
  std::vector<std::string> out{"seed"};
  for (const Factor& factor : factors()) out.emplace_back(factor.name);
  return out;
}

void Columns::take_factors(const ColumnMap& given) {
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
    const bool whole =
        take_called(name, [&](const std::string& column) { return is_called(column, name); });
    if (!whole)
      take_called(name,
                  [&](const std::string& column) { return is_called(last_part(column), name); });
  }
}

bool Columns::take_called(const std::string& name,
                          const std::function<bool(const std::string&)>& is_it) {
  std::vector<size_t> found;
  std::vector<std::string> names;
  for (size_t place = 0; place < table_.columns().size(); ++place) {
    if (is_taken(place) || !is_it(table_.columns()[place])) continue;
    found.push_back(place);
    names.push_back(table_.columns()[place]);
  }
  if (found.size() > 1) {
    throw Error(fmt::format(
        "{}: {} could each be the factor {}; say which with --columns {}={}, or none with "
        "--columns {}=-",
        where_, printable(names), name, name, names[0], name));
  }
  if (!found.empty()) recognise(name, found[0]);
  return !found.empty();
}

}  // namespace bitlaw
