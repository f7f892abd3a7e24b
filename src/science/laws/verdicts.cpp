#include "laws/verdicts.h"

#include <algorithm>

namespace bitlaw {
namespace {

constexpr VerdictTable kTables[] = {
#define BITLAW_VERDICT_TABLE(...) {__VA_ARGS__},
#include "laws/verdicts.inc"
#undef BITLAW_VERDICT_TABLE
};

constexpr Verdict kVerdicts[] = {
#define BITLAW_VERDICT(...) {__VA_ARGS__},
#include "laws/verdicts.inc"
#undef BITLAW_VERDICT
};

}  // namespace

std::span<const VerdictTable> verdict_tables() {
  return kTables;
}

std::span<const Verdict> verdicts() {
  return kVerdicts;
}

std::vector<Verdict> verdicts_of(std::string_view law) {
  std::vector<Verdict> out;
  for (const VerdictTable& table : kTables) {
    for (const Verdict& each : kVerdicts) {
      if (law == each.law && std::string_view(table.name) == each.table) out.push_back(each);
    }
  }
  return out;
}

int worst_rank(std::string_view table) {
  int out = 0;
  for (const Verdict& each : kVerdicts) {
    if (table == each.table) out = std::max(out, each.rank);
  }
  return out;
}

}  // namespace bitlaw
