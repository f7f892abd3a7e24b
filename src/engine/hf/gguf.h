// The GGUF file format, version 3, of llama.cpp and related programs
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): typed metadata, then tensors.
//
//   "GGUF"  u32 version   u64 tensors   u64 metadata entries
//   entry   text key, u32 type, value;  text: u64 length, bytes;  list: u32 type, u64 length, values
//   tensor  text name, u32 rank, u64 extents (columns first), u32 type, u64 offset from the data
//   the data, and every tensor in it, begin at multiples of 32 bytes; all little-endian
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bitlaw::hf {

enum class GgufType { kF32 = 0, kF16 = 1, kBF16 = 30 };  // ggml's numbers
size_t size_of(GgufType type);                           // bytes of an element

using GgufValue = std::variant<uint32_t, float, bool, std::string, std::vector<std::string>,
                               std::vector<float>, std::vector<int32_t>>;
using GgufEntry = std::pair<std::string, GgufValue>;

struct GgufTensor {
  std::string name;
  std::vector<int64_t> shape;  // rows first, as everywhere in bitlaw; 1 to 4 extents
  GgufType type;
  std::string_view bytes;  // row-major
};

// Writes the entries and tensors in the given order, to a path that somebody named
// (base/output_file.h), and returns the number of bytes. Equal arguments give equal bytes. Names are
// distinct and below 64 bytes.
size_t write_gguf(const std::filesystem::path& path, std::span<const GgufEntry> entries,
                  std::span<const GgufTensor> tensors);

}  // namespace bitlaw::hf
