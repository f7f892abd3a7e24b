#include "base/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace bitlaw {
namespace {

constexpr size_t kLongest = 60, kMost = 40;

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  const std::string plain = lower(name);
  const size_t last = name.size() - (name.rfind('.') + 1);  // npos + 1 is 0
  const size_t most = std::max<size_t>(2, last / 3);
  std::string best;
  std::pair<size_t, size_t> fewest{most + 1, 0};  // edits without and with capitals
  for (const std::string& each : known) {
    const std::string other = lower(each);
    const bool is_beginning = plain.size() >= 3 && other.starts_with(plain);
    const std::pair edits{is_beginning ? 0 : edit_distance(plain, other),
                          edit_distance(name, each)};
    if (edits >= fewest || edits.first >= std::max<size_t>(1, last)) continue;
    fewest = edits;
    best = each;
  }
  return best;
}

std::string unknown_name(std::string_view what, std::string_view name,
                         const std::vector<std::string>& known, std::string_view advice) {
  const std::string near = nearest_name(name, known);
  const std::string rest = !near.empty()    ? fmt::format("did you mean '{}'?", printable(near))
                           : advice.empty() ? fmt::format("known: {}", printable(known))
                                            : std::string(advice);
  return fmt::format("unknown {} '{}'; {}", what, printable(name), rest);
}

std::string unknown_column(std::string_view name, const std::vector<std::string>& columns) {
  const std::string known = printable(columns);
  std::string out = unknown_name("column", name, columns, "the columns are " + known);
  if (out.ends_with("'?")) out += " The columns are " + known;
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kLongest));
  for (char& c : out) {
    if (std::iscntrl(static_cast<unsigned char>(c))) c = '?';
  }
  return out;
}

std::string printable(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() < kMost) shown.push_back(printable(name));
  }
  std::string out = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > kMost) out += fmt::format(" and {} more", names.size() - kMost);
  return out;
}

}  // namespace bitlaw
