// The weights of a Hugging Face checkpoint: model.safetensors, or model.safetensors.index.json with
// the shards that it names. Files are mapped; a tensor becomes FP32 when it is asked for, so that no
// more of a checkpoint is in memory than the layer at hand.
//
// Opening holds every tensor of every file to the architecture before a single weight is read.
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

// {tensor: shard} of the text of an index. Error, naming `where`, for anything else, and for a shard
// that is not the name of a file beside it.
std::map<std::string, std::string> parse_shard_index(const std::string& text,
                                                     const std::string& where);

// The files of the checkpoint in DIR, in the order of their names. Error for a directory without
// weights or with pickled ones only, a shard that is missing or not a plain file name, and an index
// that lies: a tensor that is not in its shard, in another one too, or not in the index.
std::vector<WeightFile> open_weight_files(const std::filesystem::path& directory);

class Weights {
 public:
  // Opens DIR. An Error says which tensor is missing, left over, of another shape than config.json
  // calls for, or of a type other than F32, F16 and BF16. Masks and rotary frequencies that
  // older writers stored are passed over, as is the head beside a tied embedding of the same bits.
  Weights(const std::filesystem::path& directory, const Architecture& architecture);

  const std::vector<WeightFile>& files() const { return files_; }
  const Layout& layout() const { return layout_; }

  // One tensor, or consecutive rows of a matrix, in FP32 (exact: all three types are subsets of it).
  // Error that names the tensor where a weight is NaN or infinite.
  Tensor tensor(const TensorSpec& spec) const;
  Tensor rows(const TensorSpec& spec, int64_t begin, int64_t end) const;

  // Type in the file: "F32", "F16", "BF16".
  const std::string& dtype(const TensorSpec& spec) const;

  // Reads every weight once: Error where one is NaN or infinite, naming the first such tensor;
  // otherwise the hash of all names, shapes, types and bytes, whatever files they lie in.
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

// FP32 of `count` numbers of a safetensors type as they lie in a file; the type is one of the three.
void widen_to_f32(const std::string& dtype, const char* bytes, int64_t count, float* out);

}  // namespace bitlaw::hf
