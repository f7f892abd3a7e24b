// The sentences a report begins with, all computed from its document: what was measured, the best
// training precision, and the cost of one bit less after training. If the runs do not identify an
// estimate, a sentence says why.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "record/tidy_row.h"

namespace bitlaw {

// From the rows, and .summary, .constants, .post_bit and .figures.optimum of the document: an array
// of paragraphs. `about_fit` comes before what the fit says; "" = none.
Json answer_sentences(const Json& document, const std::vector<TidyRow>& rows,
                      const std::string& about_fit = "");

// On .figures.optimum: the best bits with their interval, or why they are not identified; "" without
// it.
std::string best_precision_sentence(const Json& optimum, const Json& constants);

}  // namespace bitlaw
