// What a table says of how a run ended, in any of the usual words.
#pragma once

#include <string>

#include "table/row_reader.h"

namespace bitlaw {

enum class RowStatus {
  kFinished,  // "finished", "done", "completed", "success" ...; or nothing is said
  kDiverged,  // "diverged", "failed", "nan" ...
  kUnknown,   // any other word: "running", "crashed", "killed", "started" ...
};

// In any case: DIVERGED and diverged are one word.
RowStatus row_status(const std::string& text);

// Whether the row is marked as unstable: by true, yes, or a number other than 0. Error if the field
// is neither that, nor false, no, 0 or empty.
bool is_marked_unstable(const RowReader& row);

}  // namespace bitlaw
