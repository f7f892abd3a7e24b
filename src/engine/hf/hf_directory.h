// A run as a directory that transformers' AutoModelForCausalLM and AutoTokenizer load: the model as
// it is (model/checkpoint.h), tokenizer.json and tokenizer_config.json (tokenizer/hf_export.h), and
// tokenizer.model where that is a sentencepiece model.
#pragma once

#include <filesystem>

#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// Creates DIRECTORY whole or not at all; Error where it is there and not empty, and as
// load_exportable.
void export_hf(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer,
               const std::filesystem::path& directory);

}  // namespace bitlaw::hf
