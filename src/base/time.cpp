#include "base/time.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cmath>
#include <ctime>
#include <utility>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"

namespace bitlaw {
namespace {

// 0 for an unknown one.
double seconds_of(const std::string& unit) {
  constexpr std::array<std::pair<const char*, double>, 16> kUnits{{{"", 1},
                                                                   {"s", 1},
                                                                   {"sec", 1},
                                                                   {"second", 1},
                                                                   {"seconds", 1},
                                                                   {"m", 60},
                                                                   {"min", 60},
                                                                   {"minute", 60},
                                                                   {"minutes", 60},
                                                                   {"h", 3600},
                                                                   {"hour", 3600},
                                                                   {"hours", 3600},
                                                                   {"d", 86400},
                                                                   {"day", 86400},
                                                                   {"days", 86400},
                                                                   {"week", 604800}}};
  for (const auto& [name, seconds] : kUnits) {
    if (unit == name) return seconds;
  }
  return 0;
}

// Of the characters from `place` on that are of the kind; spaces around them are left out.
template <class Kind>
std::string take_while(const std::string& text, size_t& place, Kind is_kind) {
  const size_t begin = place;
  while (place < text.size() && (is_kind(text[place]) || text[place] == ' ')) ++place;
  return trim(text.substr(begin, place - begin));
}

}  // namespace

std::string now_iso() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

double parse_duration(const std::string& text, const std::string& what) {
  const auto fail = [&] {
    throw Error(fmt::format("{}: '{}' is not a length of time such as 90s, 30m, 2h or 1h30m", what,
                            printable(text)));
  };
  double total = 0;
  size_t place = 0;
  if (trim(text).empty()) fail();
  while (place < text.size()) {
    const std::string digits =
        take_while(text, place, [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
    const std::string unit =
        take_while(text, place, [](unsigned char c) { return std::isalpha(c) != 0; });
    const auto number = parse_number(digits);
    const double seconds = seconds_of(unit);
    if (!number || seconds == 0) fail();
    total += *number * seconds;
  }
  if (!(total > 0) || !std::isfinite(total)) fail();
  return total;
}

}  // namespace bitlaw
