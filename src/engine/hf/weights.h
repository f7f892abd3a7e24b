// The weights of a Hugging Face checkpoint (files: hf/weight_files.h; names: hf/tensor_names.h).
// Files are mapped, and a tensor is converted to FP32 when it is requested, so that only the current
// layer of a checkpoint is in memory.
//
// Opening checks every tensor of every file against the architecture before any weight is read.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "hf/layout.h"
#include "hf/weight_files.h"

namespace bitlaw::hf {

class Weights {
 public:
  // Opens DIR. Error, naming the tensor, if one is missing, left over, of another shape than
  // config.json requires, or of a type other than F32, F16 and BF16. Masks and rotary frequencies
  // that older writers stored are ignored, and so is a head with the values of the tied embedding.
  Weights(const std::filesystem::path& directory, const Architecture& architecture);

  const std::vector<WeightFile>& files() const { return files_; }
  const Layout& layout() const { return layout_; }

  // One tensor, or consecutive rows of a matrix, in FP32 (exact: all three types are subsets of
  // it). Error, naming the tensor, if a weight is NaN or infinite.
  Tensor tensor(const TensorSpec& spec) const;
  Tensor rows(const TensorSpec& spec, int64_t begin, int64_t end) const;

  // Name in the file, which need not be that of the layout.
  const std::string& stored_name(const TensorSpec& spec) const;

  // Type in the file: "F32", "F16", "BF16".
  const std::string& dtype(const TensorSpec& spec) const;

  // Reads every weight once. Returns the hash of all names (of the layout), shapes, types and bytes,
  // regardless of the split into files. Error, naming the first such tensor, if a weight is NaN or infinite.
  std::string check_and_hash(ThreadPool& pool) const;

 private:
  struct Place {
    const SafetensorsFile* file;
    const SafetensorsEntry* entry;
    const char* data;         // first byte
    std::string where, name;  // its file, and its name there
  };
  void find_stored(const std::filesystem::path& directory);
  std::map<std::string, std::string> match(const std::vector<std::string>& heads, bool tied);
  [[noreturn]] void refuse_missing(const std::filesystem::path& directory, const TensorSpec& spec,
                                   const Architecture& a, size_t matched) const;
  void refuse_left_over(const std::vector<std::string>& heads, const Architecture& a) const;
  const Place& place(const TensorSpec& spec) const;

  std::vector<WeightFile> files_;
  Layout layout_;
  std::map<std::string, Place> stored_;         // everything, by the names in the files
  std::map<std::string, std::string> aliases_;  // of __metadata__
  std::map<std::string, Place> places_;         // by the names in layout_
};

// Converts `count` numbers of type F32, F16 or BF16, as stored in a file, to FP32.
void widen_to_f32(const std::string& dtype, const char* bytes, int64_t count, float* out);

}  // namespace bitlaw::hf
