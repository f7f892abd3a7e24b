// The weights of a Hugging Face checkpoint: model.safetensors, or model.safetensors.index.json with
// its shards. Files are mapped, and a tensor is converted to FP32 when it is requested, so that
// only the current layer of a checkpoint is in memory.
//
// Opening checks every tensor of every file against the architecture before any weight is read.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "hf/layout.h"
#include "model/safetensors.h"

namespace bitlaw::hf {

struct WeightFile {
  std::string name;  // "model-00001-of-00003.safetensors"
  std::shared_ptr<const SafetensorsFile> file;
};

// {tensor: shard} from the text of an index. Error, naming `where`, if it is not an index, or if a
// shard is not a plain file name.
std::map<std::string, std::string> parse_shard_index(const std::string& text,
                                                     const std::string& where);

// The files of the checkpoint in DIR, sorted by name. Error for a directory without weights or with
// only pickled ones, for a shard that is missing or not a plain file name, and for an index that is
// wrong: a tensor that is not in its shard, is also in another one, or is not in the index.
std::vector<WeightFile> open_weight_files(const std::filesystem::path& directory);

class Weights {
 public:
  // Opens DIR. Error, naming the tensor, if one is missing, left over, of another shape than
  // config.json requires, or of a type other than F32, F16 and BF16. Masks and rotary frequencies
  // that older writers stored are ignored, and so is a head equal to the tied embedding.
  Weights(const std::filesystem::path& directory, const Architecture& architecture);

  const std::vector<WeightFile>& files() const { return files_; }
  const Layout& layout() const { return layout_; }

  // One tensor, or consecutive rows of a matrix, in FP32 (exact: all three types are subsets of
  // it). Error, naming the tensor, if a weight is NaN or infinite.
  Tensor tensor(const TensorSpec& spec) const;
  Tensor rows(const TensorSpec& spec, int64_t begin, int64_t end) const;

  // Type in the file: "F32", "F16", "BF16".
  const std::string& dtype(const TensorSpec& spec) const;

  // Reads every weight once. Returns the hash of all names, shapes, types and bytes, regardless of
  // the split into files. Error, naming the first such tensor, if a weight is NaN or infinite.
  std::string check_and_hash(ThreadPool& pool) const;

 private:
  struct Place {
    const SafetensorsFile* file;
    const SafetensorsEntry* entry;
    const char* data;  // first byte
    std::string where;
  };
  const Place& place(const TensorSpec& spec) const;

  std::vector<WeightFile> files_;
  Layout layout_;
  std::map<std::string, Place> places_;  // by the names in layout_
};

// Converts `count` numbers of type F32, F16 or BF16, as stored in a file, to FP32.
void widen_to_f32(const std::string& dtype, const char* bytes, int64_t count, float* out);

}  // namespace bitlaw::hf
