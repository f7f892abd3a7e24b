// The files that hold the weights of a checkpoint: model.safetensors, or shards with an index, or
// whatever whole set of shards or single file of another name there is.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

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

// The files of the checkpoint in DIR, sorted by name. An index whose shards are not there counts as
// that of an older save if a whole set of numbered shards is; no index is needed for one. Error for
// a directory without weights or with only pickled ones, for a shard that is missing or not a plain
// file name, and for an index that is wrong: a tensor that is not in its shard, is also in another
// one, or is not in the index.
std::vector<WeightFile> open_weight_files(const std::filesystem::path& directory);

}  // namespace bitlaw::hf
