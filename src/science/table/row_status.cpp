#include "table/row_status.h"

#include <cmath>
#include <string_view>

#include "base/number.h"
#include "base/text.h"
#include "record/factor_names.h"
#include "table/missing.h"
#include "table/words.h"

namespace bitlaw {
namespace {

constexpr std::string_view kFinished[] = {
    "",        "finished",  "finish",     "done",     "complete", "completed", "ok",
    "success", "succeeded", "successful", "inactive", "ended",    "published"};
constexpr std::string_view kDiverged[] = {"diverged", "divergence", "diverging", "failed",
                                          "failure",  "fail",       "error",     "errored",
                                          "nan",      "inf",        "exploded"};
// Words that occur in columns of any name. Other words of a column called status count, too.
constexpr std::string_view kUnfinished[] = {
    "running",   "crashed",     "crash",         "killed",    "pending",     "queued",
    "preempted", "cancelled",   "canceled",      "timeout",   "timed_out",   "oom",
    "scheduled", "pruned",      "out_of_memory", "node_fail", "interrupted", "aborted",
    "suspended", "incomplete",  "unfinished",    "stopped",   "in_progress", "started",
    "failing",   "not_started", "terminated"};
constexpr std::string_view kYes[] = {"true", "yes", "t", "y"};
constexpr std::string_view kNo[] = {"",    "false", "no",   "f",    "n",      "na",
                                    "n_a", "nan",   "none", "null", "unknown"};

}  // namespace

std::optional<bool> read_flag(std::string_view text) {
  if (const auto number = parse_finite(text); number && (*number == 0 || *number == 1))
    return *number == 1;
  const std::string plain = plain_name(text);
  if (is_one_of(plain, kYes)) return true;
  if (is_one_of(plain, kNo)) return false;
  return std::nullopt;
}

bool is_message(const std::string& column) {
  constexpr std::string_view kMessages[] = {"error_message", "exception", "traceback",
                                            "failure_reason", "error"};
  return is_one_of(plain_name(column), kMessages);
}

std::optional<bool> read_failure(const std::string& column, std::string_view text) {
  if (is_message(column)) {
    if (is_missing_word(text) || trim(text).empty()) return false;
    return parse_number(text) ? std::nullopt : std::optional(true);
  }
  const std::string plain = plain_name(column);
  const bool is_code = plain.find("code") != std::string::npos || plain == "exit_status";
  if (const auto flag = read_flag(text); flag || !is_code) return flag;
  // Slurm writes exit code and signal: "0:9".
  bool failed = false;
  for (const std::string& part : split(std::string(text), ':')) {
    const auto number = parse_finite(part);
    if (!number || *number != std::round(*number)) return std::nullopt;
    failed = failed || *number != 0;
  }
  return failed;
}

std::optional<bool> says_whether_finished(const std::string& text) {
  const std::string plain = plain_name(text);
  if (plain.empty() || plain == "nan" || plain == "inf") return std::nullopt;
  if (is_one_of(plain, kFinished)) return true;
  const std::string first = plain.substr(0, plain.find('_'));
  if (is_one_of(plain, kUnfinished) || is_one_of(first, kUnfinished) || is_one_of(first, kDiverged))
    return false;
  return std::nullopt;
}

RowStatus row_status(const std::string& text) {
  const std::string plain = plain_name(text);
  if (trim(text).empty() || is_one_of(plain, kFinished)) return RowStatus::kFinished;
  const std::string first = plain.substr(0, plain.find('_'));  // "diverged (nan)"
  return is_one_of(first, kDiverged) ? RowStatus::kDiverged : RowStatus::kUnknown;
}

bool is_marked_unstable(const RowReader& row) {
  if (!row.has("unstable")) return false;
  const std::string text = row.text("unstable");
  if (const auto number = parse_finite(text)) return *number != 0;
  const std::string plain = plain_name(text);
  if (plain == "stable" || plain == "unstable") return plain == "unstable";
  const std::optional<bool> flag = read_flag(text);
  if (!flag) row.fail("unstable", text, "is neither true nor false; write 1 or 0");
  return *flag;
}

const char* unfinished_by(const RowReader& row) {
  if (row.has("finished") && read_flag(row.text("finished")) == false) return "finished";
  if (row.has("failed") && read_failure(row.column_name("failed"), row.text("failed")) == true)
    return "failed";
  return row_status(row.text("status")) == RowStatus::kUnknown ? "status" : nullptr;
}

}  // namespace bitlaw
