#include "table/row_status.h"

#include <cmath>
#include <string_view>

#include "base/number.h"
#include "base/text.h"
#include "record/factor_names.h"
#include "table/words.h"

namespace bitlaw {
namespace {

constexpr std::string_view kFinished[] = {"",          "finished",  "finish", "done",
                                          "complete",  "completed", "ok",     "success",
                                          "succeeded", "successful"};
constexpr std::string_view kDiverged[] = {"diverged", "divergence", "diverging", "failed",
                                          "failure",  "fail",       "nan"};

}  // namespace

RowStatus row_status(const std::string& text) {
  const std::string plain = plain_name(text);
  if (trim(text).empty() || is_one_of(plain, kFinished)) return RowStatus::kFinished;
  const std::string first = plain.substr(0, plain.find('_'));  // "diverged (nan)"
  return is_one_of(first, kDiverged) ? RowStatus::kDiverged : RowStatus::kUnknown;
}

bool is_marked_unstable(const RowReader& row) {
  constexpr std::string_view kYes[] = {"true", "yes", "t", "y", "unstable"};
  constexpr std::string_view kNo[] = {"",   "false", "no",  "f",    "n",    "stable",
                                      "na", "n_a",   "nan", "none", "null", "unknown"};
  if (!row.has("unstable")) return false;
  const std::string text = row.text("unstable");
  const auto number = parse_finite(text);
  if (number) return *number != 0;
  const std::string plain = plain_name(text);
  if (is_one_of(plain, kYes)) return true;
  if (!is_one_of(plain, kNo)) row.fail("unstable", text, "is neither true nor false; write 1 or 0");
  return false;
}

}  // namespace bitlaw
