// The trained model of a run, checked for export to other programs.
#pragma once

#include <filesystem>

#include "model/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// Loads a directory of save_model (model/checkpoint.h). Error for a model with extra_norm, which
// other programs do not have, for a tokenizer with another vocabulary, and for weights that are not
// finite.
LoadedModel load_exportable(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer);

}  // namespace bitlaw::hf
