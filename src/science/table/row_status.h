// What a table says of how a run ended, in any of the usual words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "table/row_reader.h"

namespace bitlaw {

enum class RowStatus {
  kFinished,  // "finished", "done", "completed", "success" ...; or nothing is said
  kDiverged,  // "diverged", "failed", "nan" ...
  kUnknown,   // any other word: "running", "crashed", "killed", "started" ...
};

// In any case: DIVERGED and diverged are one word.
RowStatus row_status(const std::string& text);

// What true, false, yes, no, 1 and 0 say; "" and words for a missing value are false. Nothing for
// other texts.
std::optional<bool> read_flag(std::string_view text);

// The same of a column that says whether a run failed: an exit code other than 0, or a message (under
// the names for these), is a failure, too.
std::optional<bool> read_failure(const std::string& column, std::string_view text);
// Whether a column of this name holds messages of errors.
bool is_message(const std::string& column);

// Whether the text says, in one of the usual words, that a run finished (true) or did not (false);
// nothing for other texts, numbers and "nan".
std::optional<bool> says_whether_finished(const std::string& text);

// The column, "status", "finished" or "failed", by which it is not known that the run came to its
// end; null if none says so.
const char* unfinished_by(const RowReader& row);

// Whether the row is marked as unstable: by true, yes, or a number other than 0. Error if the field
// is neither that, nor false, no, 0 or empty.
bool is_marked_unstable(const RowReader& row);

}  // namespace bitlaw
