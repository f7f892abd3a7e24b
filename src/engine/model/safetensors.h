// The safetensors file format (https://github.com/huggingface/safetensors): named tensors and text
// metadata.
//
//   8 bytes     length n of the header, little-endian
//   n bytes     JSON: {"__metadata__": {text: text},
//                      name: {"dtype", "shape", "data_offsets": [begin, end]}, ...}
//   the rest    the tensors, row-major, without gaps or overlaps, little-endian
//
// Files are not trusted: for any bytes, opening a file either gives a table in which every tensor
// is inside the file and has the size that its shape and type require, or throws Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tensor/tensor.h"

namespace bitlaw {

using SafetensorsMetadata = std::map<std::string, std::string>;

struct SafetensorsEntry {
  std::string dtype;           // as in the file: "F32", "BF16", "I64", ...
  std::vector<int64_t> shape;  // any rank; empty for a scalar
  size_t begin, end;           // bytes, from the beginning of the file
};

struct SafetensorsTable {
  std::map<std::string, SafetensorsEntry> entries;
  SafetensorsMetadata metadata;
};

// Reads and checks the header of a whole file in memory; an Error names `where`.
SafetensorsTable parse_safetensors(std::string_view file, const std::string& where);

class SafetensorsFile {  // mapped for the lifetime of the object
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const SafetensorsMetadata& metadata() const { return table_.metadata; }
  const std::map<std::string, SafetensorsEntry>& entries() const { return table_.entries; }
  bool contains(const std::string& name) const { return table_.entries.contains(name); }
  // A copy. Error if there is no such tensor, its type is not F64, F32 or BF16, or its rank is
  // above 4.
  Tensor tensor(const std::string& name) const;
  // The bytes in the file; Error if there is no such tensor.
  std::string_view bytes(const std::string& name) const;

 private:
  const SafetensorsEntry& entry(const std::string& name) const;

  std::string where_;
  MappedFile file_;
  SafetensorsTable table_;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Writes the tensors in the given order, atomically (base/file.h). Equal arguments give equal
// bytes; the first tensor begins at a multiple of 64 bytes. Names are distinct and not
// "__metadata__".
void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const SafetensorsMetadata& metadata = {});

}  // namespace bitlaw
