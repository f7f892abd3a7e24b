// Repeated text: a run that needs more tokens than its data set has sees some of them again.
#pragma once

#include <string>

#include "train/config.h"

namespace bitlaw {

// Passes over the training text: D over the tokens of its whole windows.
double epochs(const ResolvedConfig& resolved, const DatasetInfo& data);

// "D = 4 M is more than the 1.31 M training tokens of DATA: text repeats, 3.06 epochs"; "" if no
// token is seen twice.
std::string repetition_note(const ResolvedConfig& resolved, const DatasetInfo& data);

// "sequences of 64 tokens cut the documents of 128 of DATA: ..."; "" for text, and for sequences of
// whole documents, whose least loss is the entropy of the data (data/synthetic.h).
std::string cut_documents_note(const ResolvedConfig& resolved, const DatasetInfo& data);

}  // namespace bitlaw
