// A run as a directory that transformers' AutoModelForCausalLM and AutoTokenizer load: the model
// (model/checkpoint.h), tokenizer.json and tokenizer_config.json (tokenizer/hf_export.h), and
// tokenizer.model if that is a sentencepiece model.
#pragma once

#include <filesystem>

#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// Creates DIRECTORY atomically. Error if it exists and is not empty, and as in load_exportable.
void export_hf(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer,
               const std::filesystem::path& directory);

}  // namespace bitlaw::hf
