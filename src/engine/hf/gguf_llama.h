// A bitlaw model and its tokenizer as one GGUF file of the architecture "llama".
//
// llama.cpp rotates neighbouring entries of a head (2i, 2i + 1), while Hugging Face's Llama and
// bitlaw rotate entry i with entry i + dim/2. So the rows of the query and key projections are
// reordered, as in llama.cpp's own converter. Norms stay FP32.
//
// The tokenizer bpe becomes llama.cpp's "llama" (sentencepiece), the byte tokenizer becomes "gpt2"
// without merges. No begin token is added; a tool that needs one gets the end-of-document token,
// which precedes every document in training.
#pragma once

#include <filesystem>
#include <string>

#include "hf/gguf.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// The row of bitlaw's [heads * dim, d] projection that is stored at `row` in the file.
int64_t rotary_source_row(int64_t row, int64_t head_dim);

// Writes FILE from a directory of save_model (model/checkpoint.h). Error as in load_exportable, and
// for weights too large for FP16; then nothing is written. The number of bytes.
size_t export_gguf(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer,
                   const std::string& name, GgufType type, const std::filesystem::path& file);

}  // namespace bitlaw::hf
