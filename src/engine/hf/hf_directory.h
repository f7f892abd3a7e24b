// A run as a directory that transformers' AutoModelForCausalLM and AutoTokenizer load: the model
// (model/checkpoint.h), tokenizer.json and tokenizer_config.json (tokenizer/hf_export.h),
// generation_config.json, and tokenizer.model if that is a sentencepiece model. All of them name the
// token that ends a document as begin, end and padding.
#pragma once

#include <filesystem>
#include <string>

#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// Creates DIRECTORY atomically, with `card` as its README.md unless that is empty. Error if it exists
// and is not empty, and as in load_exportable.
void export_hf(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer,
               const std::filesystem::path& directory, const std::string& card = "");

}  // namespace bitlaw::hf
