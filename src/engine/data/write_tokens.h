// The second reading of a text: its documents become the shards of a data set.
//
// Training documents are written in reading order as they are encoded. Validation documents are
// kept in memory (two bytes a token), freed of what the training text also has
// (data/near_duplicates.h), and written in the order of their hashes.
#pragma once

#include <filesystem>

#include "data/dataset.h"
#include "data/prepare.h"
#include "data/split_plan.h"

namespace bitlaw {

// Writes the shards into `directory`, and sizes, hashes, sources and near-duplicates into `info`.
// Error for a full disk, for text that has changed, and if nothing is left of validation.
void write_tokens(const PrepareConfig& config, const SplitPlan& plan, const Tokenizer& tokenizer,
                  const std::filesystem::path& directory, DatasetInfo& info,
                  const PrepareProgress& progress);

}  // namespace bitlaw
