// What an export of a run begins with: its trained model, held to what other programs can compute.
#pragma once

#include <filesystem>

#include "model/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// Loads a directory of save_model (model/checkpoint.h). Error for a model with extra_norm, which has
// no counterpart, for a tokenizer of another vocabulary, and for weights that are not finite.
LoadedModel load_exportable(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer);

}  // namespace bitlaw::hf
