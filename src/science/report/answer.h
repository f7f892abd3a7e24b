// The sentences a report begins with, all computed from its document: what was measured, the best
// precision of training, and what a bit less costs after training. An estimate that the runs do not
// identify gets a sentence that says why instead of a number.
#pragma once

#include <vector>

#include "base/json.h"
#include "record/tidy_row.h"

namespace bitlaw {

// From the rows, and .summary, .constants, .post_bit and .figures.optimum of the document: an array
// of paragraphs.
Json answer_sentences(const Json& document, const std::vector<TidyRow>& rows);

}  // namespace bitlaw
