#include "hf/weight_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

const char* const kSingle = "model.safetensors";
const char* const kIndex = "model.safetensors.index.json";
constexpr size_t kLongestName = 255;  // of a file

WeightFile open_file(const fs::path& directory, const std::string& name) {
  return {name, std::make_shared<const SafetensorsFile>(directory / name)};
}

// "model-00002-of-00003.safetensors" is shard 2 of the set ("model", 3).
struct Numbered {
  std::string stem;
  int64_t number, count;
};
std::optional<Numbered> numbered(const std::string& name) {
  const std::string ending = ".safetensors", between = "-of-";
  if (!name.ends_with(ending)) return std::nullopt;
  const std::string stem = name.substr(0, name.size() - ending.size());
  const size_t of = stem.rfind(between);
  if (of == std::string::npos || of == 0) return std::nullopt;
  const size_t dash = stem.rfind('-', of - 1);
  if (dash == std::string::npos) return std::nullopt;
  const auto whole = [](const std::string& text) -> int64_t {
    constexpr size_t kMostDigits = 9;
    if (text.empty() || text.size() > kMostDigits) return -1;
    if (text.find_first_not_of("0123456789") != std::string::npos) return -1;
    return std::stoll(text);
  };
  const int64_t number = whole(stem.substr(dash + 1, of - dash - 1));
  const int64_t count = whole(stem.substr(of + between.size()));
  if (number < 0 || count < number || count < 1) return std::nullopt;
  return Numbered{stem.substr(0, dash), number, count};
}

// What lies in a directory besides model.safetensors and its index.
struct Found {
  std::vector<std::string> whole;   // the only complete set of numbered shards, in order
  std::string part;                 // "shard 2 of 3 is missing" of a set, if none is complete
  std::vector<std::string> others;  // .safetensors that are not numbered
};

Found look_for_weights(const fs::path& directory) {
  std::map<std::pair<std::string, int64_t>, std::map<int64_t, std::string>> sets;
  Found found;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename().string();
    if (const auto shard = numbered(name))
      sets[{shard->stem, shard->count}][shard->number] = name;
    else if (name.ends_with(".safetensors"))
      found.others.push_back(name);
  }
  std::sort(found.others.begin(), found.others.end());
  int complete = 0;
  for (const auto& [set, shards] : sets) {
    // Most programs count from 1, some from 0.
    const int64_t first = shards.contains(0) ? 0 : 1;
    if (std::ssize(shards) < set.second || shards.rbegin()->first != first + set.second - 1) {
      int64_t missing = first;
      while (shards.contains(missing)) ++missing;
      found.part = fmt::format("shard {} of {} is missing", missing, set.second);
      continue;
    }
    ++complete;
    found.whole.clear();
    for (const auto& [number, name] : shards) found.whole.push_back(name);
  }
  if (complete > 1) {
    throw Error(fmt::format("{}: has {} whole sets of shards; remove those that are not to be used",
                            directory.string(), complete));
  }
  return found;
}

std::vector<WeightFile> open_all(const fs::path& directory, const std::vector<std::string>& names) {
  std::vector<WeightFile> files;
  std::map<std::string, std::string> owners;
  for (const std::string& name : names) {
    files.push_back(open_file(directory, name));
    for (const auto& [tensor, entry] : files.back().file->entries()) {
      const auto [owner, is_new] = owners.emplace(tensor, name);
      if (is_new) continue;
      throw Error(
          fmt::format("{}: tensor '{}' is in {} and in {}; the files do not belong together",
                      directory.string(), tensor, owner->second, name));
    }
  }
  return files;
}

std::vector<WeightFile> open_shards(const fs::path& directory) {
  const fs::path index = directory / kIndex;
  const std::map<std::string, std::string> shard_of =
      parse_shard_index(read_file(index), index.string());
  std::set<std::string> names;
  for (const auto& [tensor, shard] : shard_of) names.insert(shard);
  for (const std::string& name : names) {
    if (fs::exists(directory / name)) continue;
    // Of an older save, if other shards are whole and none of them is the index's.
    const std::vector<std::string> whole = look_for_weights(directory).whole;
    if (!whole.empty() && std::none_of(whole.begin(), whole.end(), [&](const std::string& shard) {
          return names.contains(shard);
        })) {
      return open_all(directory, whole);
    }
    throw Error(fmt::format("{}: the shard {} is missing; fetch the whole checkpoint again",
                            directory.string(), name));
  }
  std::vector<WeightFile> files;
  for (const std::string& name : names) {
    files.push_back(open_file(directory, name));
    for (const auto& [tensor, entry] : files.back().file->entries()) {
      const auto listed = shard_of.find(tensor);
      if (listed == shard_of.end() || listed->second != name) {
        throw Error(fmt::format(
            "{}: {} contains tensor '{}', which the index {}; the files do not "
            "belong together",
            index.string(), name, tensor,
            listed == shard_of.end() ? "does not list" : "places in " + listed->second));
      }
    }
  }
  for (const auto& [tensor, shard] : shard_of) {
    const auto file =
        std::find_if(files.begin(), files.end(),
                     [&shard = shard](const WeightFile& known) { return known.name == shard; });
    if (!file->file->contains(tensor)) {
      throw Error(fmt::format("{}: tensor '{}' is not in {}; the files do not belong together",
                              index.string(), tensor, shard));
    }
  }
  return files;
}

}  // namespace

std::map<std::string, std::string> parse_shard_index(const std::string& text,
                                                     const std::string& where) {
  const Json document = parse_json(text, where);
  if (!document.is_object() || !document.contains("weight_map") ||
      !document["weight_map"].is_object() || document["weight_map"].empty()) {
    throw Error(
        fmt::format("{}: has no weight_map from tensors to shards; it is not the index of a "
                    "checkpoint",
                    where));
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : document["weight_map"].items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    // A shard must be in the same directory as its index.
    if (name.empty() || name.size() > kLongestName || name == "." || name == ".." ||
        name.find('/') != std::string::npos || name.find('\\') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      throw Error(
          fmt::format("{}: the shard of tensor '{}' is not the name of a file beside the "
                      "index",
                      where, tensor));
    }
    shard_of[tensor] = name;
  }
  return shard_of;
}

namespace {

// Whether no other file that the index names is there: then an older save left it.
bool index_is_stale(const fs::path& directory) {
  const fs::path index = directory / kIndex;
  for (const auto& [tensor, shard] : parse_shard_index(read_file(index), index.string())) {
    if (shard != kSingle && fs::exists(directory / shard)) return false;
  }
  return true;
}

// The weights that are there in formats that are not read: "a.gguf, b.npz".
std::string foreign_weights(const fs::path& directory) {
  constexpr const char* kEndings[] = {".gguf", ".npz",  ".msgpack", ".h5",         ".pth",
                                      ".pt",   ".onnx", ".ckpt",    ".incomplete", ".aria2"};
  std::vector<std::string> found;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename().string();
    if (std::any_of(std::begin(kEndings), std::end(kEndings),
                    [&](const char* ending) { return name.ends_with(ending); }))
      found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return fmt::format("{}", fmt::join(found, ", "));
}

}  // namespace

std::vector<WeightFile> open_weight_files(const fs::path& directory) {
  if (fs::exists(directory / kIndex) && fs::exists(directory / kSingle)) {
    if (index_is_stale(directory)) return {open_file(directory, kSingle)};
    throw Error(fmt::format("{}: has both {} and {}; remove the one that is not to be used",
                            directory.string(), kSingle, kIndex));
  }
  if (fs::exists(directory / kIndex)) return open_shards(directory);
  if (fs::exists(directory / kSingle)) return {open_file(directory, kSingle)};
  const Found found = look_for_weights(directory);
  if (!found.whole.empty()) return open_all(directory, found.whole);
  if (!found.part.empty()) {
    throw Error(
        fmt::format("{}: {}; fetch the whole checkpoint again", directory.string(), found.part));
  }
  if (fs::exists(directory / "adapter_config.json")) {
    throw Error(
        fmt::format("{}: is an adapter (LoRA), not a whole model; merge it into its model and save "
                    "that",
                    directory.string()));
  }
  if (found.others.size() == 1) return {open_file(directory, found.others.front())};
  if (found.others.size() > 1) {
    throw Error(
        fmt::format("{}: has {}, and nothing says which is the model; name it {}, or remove "
                    "the others",
                    directory.string(), fmt::join(found.others, ", "), kSingle));
  }
  if (fs::exists(directory / "pytorch_model.bin") ||
      fs::exists(directory / "pytorch_model.bin.index.json")) {
    throw Error(
        fmt::format("{}: has weights in pickled files only, which bitlaw does not read; "
                    "save it as safetensors with transformers",
                    directory.string()));
  }
  if (const std::string foreign = foreign_weights(directory); !foreign.empty()) {
    throw Error(
        fmt::format("{}: has weights in other files only ({}), which bitlaw does not read; "
                    "save or fetch them as safetensors",
                    directory.string(), foreign));
  }
  throw Error(
      fmt::format("{}: has neither {} nor {}; the checkpoint is incomplete; fetch the "
                  "weights too",
                  directory.string(), kSingle, kIndex));
}

}  // namespace bitlaw::hf
