// The sentences a report begins with, all computed from its document: what was measured, the best
// training precision, and the cost of one bit less after training. If the runs do not identify an
// estimate, a sentence says why.
#pragma once

#include <vector>

#include "base/json.h"
#include "record/tidy_row.h"

namespace bitlaw {

// From the rows, and .summary, .constants, .post_bit and .figures.optimum of the document: an array
// of paragraphs.
Json answer_sentences(const Json& document, const std::vector<TidyRow>& rows);

}  // namespace bitlaw
