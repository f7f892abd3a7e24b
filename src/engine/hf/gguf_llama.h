// A model of bitlaw and its tokenizer as one GGUF file of the architecture "llama".
//
// llama.cpp turns neighbouring entries of a head (2i, 2i + 1) where Hugging Face's Llama, and
// bitlaw, turn entry i with entry i + dim/2; the rows of the query and key projections are put in
// its order, as its own converter does. Norms stay FP32.
//
// The tokenizer bpe becomes llama.cpp's "llama" (sentencepiece), the byte tokenizer its "gpt2"
// without merges. No begin token is added; where a tool wants one it gets the end of a document,
// which is what stands before a document in training.
#pragma once

#include <filesystem>
#include <string>

#include "hf/gguf.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw::hf {

// The row of a [heads * dim, d] projection as bitlaw has it that stands at `row` in the file.
int64_t rotary_source_row(int64_t row, int64_t head_dim);

// Writes FILE from a directory of save_model (model/checkpoint.h). Error as load_exportable, and for
// weights that FP16 cannot hold; nothing is written then.
void export_gguf(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer,
                 const std::string& name, GgufType type, const std::filesystem::path& file);

}  // namespace bitlaw::hf
