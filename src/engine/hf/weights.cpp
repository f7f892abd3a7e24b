#include "hf/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "formats/half.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

const char* const kSingle = "model.safetensors";
const char* const kIndex = "model.safetensors.index.json";
constexpr size_t kLongestName = 255;  // of a file

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

WeightFile open_file(const fs::path& directory, const std::string& name) {
  return {name, std::make_shared<const SafetensorsFile>(directory / name)};
}

std::vector<WeightFile> open_shards(const fs::path& directory) {
  const fs::path index = directory / kIndex;
  const std::map<std::string, std::string> shard_of =
      parse_shard_index(read_file(index), index.string());
  std::set<std::string> names;
  for (const auto& [tensor, shard] : shard_of) names.insert(shard);
  for (const std::string& name : names) {
    if (fs::exists(directory / name)) continue;
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

template <class Word>
Word word_at(const char* bytes, int64_t i) {
  Word word;
  std::memcpy(&word, bytes + static_cast<size_t>(i) * sizeof(Word), sizeof word);
  return word;
}

// Is any number's exponent all ones?
template <class Word>
bool any_not_finite(const char* bytes, int64_t count, Word exponent) {
  unsigned found = 0;
  for (int64_t i = 0; i < count; ++i) found |= (word_at<Word>(bytes, i) & exponent) == exponent;
  return found != 0;
}

bool all_finite(const std::string& dtype, const char* bytes, int64_t count) {
  if (dtype == "F32") return !any_not_finite<uint32_t>(bytes, count, 0x7f800000u);
  return !any_not_finite<uint16_t>(bytes, count, dtype == "F16" ? 0x7c00 : 0x7f80);
}

int64_t bytes_of(const std::string& dtype) {
  return dtype == "F32" ? 4 : 2;
}

int64_t elements_of(const std::vector<int64_t>& shape) {
  int64_t product = 1;
  for (int64_t extent : shape) product *= extent;
  return product;
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

void widen_to_f32(const std::string& dtype, const char* bytes, int64_t count, float* out) {
  if (dtype == "F32") {
    std::memcpy(out, bytes, static_cast<size_t>(count) * sizeof(float));
  } else if (dtype == "F16") {
    for (int64_t i = 0; i < count; ++i) out[i] = fp16_value(word_at<uint16_t>(bytes, i));
  } else {
    BITLAW_CHECK(dtype == "BF16");
    for (int64_t i = 0; i < count; ++i) out[i] = bf16_value(word_at<uint16_t>(bytes, i));
  }
}

std::vector<WeightFile> open_weight_files(const fs::path& directory) {
  if (fs::exists(directory / kIndex) && fs::exists(directory / kSingle)) {
    throw Error(fmt::format("{}: has both {} and {}; remove the one that is not to be used",
                            directory.string(), kSingle, kIndex));
  }
  if (fs::exists(directory / kIndex)) return open_shards(directory);
  if (fs::exists(directory / kSingle)) return {open_file(directory, kSingle)};
  if (fs::exists(directory / "pytorch_model.bin") ||
      fs::exists(directory / "pytorch_model.bin.index.json")) {
    throw Error(
        fmt::format("{}: has weights in pickled files only, which bitlaw does not read; "
                    "save it as safetensors with transformers",
                    directory.string()));
  }
  throw Error(
      fmt::format("{}: has neither {} nor {}; the checkpoint is incomplete; fetch the "
                  "weights too",
                  directory.string(), kSingle, kIndex));
}

namespace {

// Endings of tensors in which other programs pack quantized weights.
constexpr const char* kPackedEndings[] = {".qweight", ".weight_packed", ".SCB", ".absmax",
                                          ".weight_scale"};

bool is_packed(const std::string& name) {
  return std::any_of(std::begin(kPackedEndings), std::end(kPackedEndings),
                     [&](const char* ending) { return name.ends_with(ending); });
}

}  // namespace

Weights::Weights(const fs::path& directory, const Architecture& a)
    : files_(open_weight_files(directory)), layout_(layout_of(a)) {
  std::map<std::string, Place> found;
  for (const WeightFile& file : files_) {
    const std::string where = (directory / file.name).string();
    for (const auto& [name, entry] : file.file->entries()) {
      if (is_packed(name)) {
        throw Error(
            fmt::format("{}: tensor '{}' says that the weights are already quantized; give the "
                        "original checkpoint",
                        where, name));
      }
      found[name] = {file.file.get(), &entry, file.file->bytes(name).data(), where};
    }
  }
  const std::vector<std::string> heads = head_names(a.family);
  if (!a.tied_head) {
    for (const std::string& name : heads) {
      if (found.contains(name)) layout_.head.name = name;
    }
  }

  for (const TensorSpec& spec : layout_.tensors()) {
    const auto place = found.find(spec.name);
    if (place == found.end()) {
      throw Error(
          fmt::format("{}: tensor '{}' of a {} model with {} layers is missing; the "
                      "checkpoint is incomplete, or config.json belongs to another one",
                      directory.string(), spec.name, name_of(a.family), a.layers));
    }
    const auto& [file, entry, data, where] = place->second;
    if (entry->shape != spec.shape) {
      throw Error(fmt::format("{}: tensor '{}' has shape {}, but config.json requires {}", where,
                              spec.name, shape_text(entry->shape), shape_text(spec.shape)));
    }
    if (entry->dtype != "F32" && entry->dtype != "F16" && entry->dtype != "BF16") {
      throw Error(
          fmt::format("{}: tensor '{}' is {}; bitlaw reads weights in F32, F16 and BF16; "
                      "save it in one of them",
                      where, spec.name, entry->dtype));
    }
    places_[spec.name] = place->second;
  }
  for (const auto& [name, place] : found) {
    if (places_.contains(name) || is_derived_buffer(a, name)) continue;
    const bool head = std::find(heads.begin(), heads.end(), name) != heads.end();
    if (!head) {
      throw Error(
          fmt::format("{}: tensor '{}' is not part of the {} model that config.json "
                      "describes; config.json belongs to another checkpoint",
                      place.where, name, name_of(a.family)));
    }
    const Place& embedding = places_.at(layout_.embedding.name);
    if (place.entry->dtype != embedding.entry->dtype ||
        place.file->bytes(name) != embedding.file->bytes(layout_.embedding.name)) {
      throw Error(fmt::format(
          "{}: '{}' is {}", place.where, name,
          a.tied_head ? "not the embedding, although tie_word_embeddings in config.json says so"
                      : "a second output head that differs from the embedding; remove the one that "
                        "is not to be used"));
    }
  }
}

const Weights::Place& Weights::place(const TensorSpec& spec) const {
  const auto found = places_.find(spec.name);
  BITLAW_CHECK(found != places_.end());
  return found->second;
}

const std::string& Weights::dtype(const TensorSpec& spec) const {
  return place(spec).entry->dtype;
}

Tensor Weights::tensor(const TensorSpec& spec) const {
  return rows(spec, 0, spec.shape[0]);
}

Tensor Weights::rows(const TensorSpec& spec, int64_t begin, int64_t end) const {
  const auto& [file, entry, data, where] = place(spec);
  BITLAW_CHECK(0 <= begin && begin <= end && end <= entry->shape[0]);
  const int64_t row = elements_of(entry->shape) / entry->shape[0], count = (end - begin) * row;
  const char* const first = data + begin * row * bytes_of(entry->dtype);
  if (!all_finite(entry->dtype, first, count)) {
    throw Error(
        fmt::format("{}: tensor '{}' has weights that are NaN or infinite; "
                    "fetch the checkpoint again",
                    where, spec.name));
  }
  const Tensor out = spec.shape.size() == 1 ? Tensor::empty(DType::kF32, {end - begin})
                                            : Tensor::empty(DType::kF32, {end - begin, row});
  widen_to_f32(entry->dtype, first, count, out.f32());
  return out;
}

std::string Weights::check_and_hash(ThreadPool& pool) const {
  std::vector<std::string> names, digests(places_.size());
  for (const auto& [name, place] : places_) names.push_back(name);
  pool.parallel_for(static_cast<int64_t>(names.size()), [&](int64_t i, int) {
    const auto& [file, entry, data, where] = places_.at(names[static_cast<size_t>(i)]);
    if (all_finite(entry->dtype, data, elements_of(entry->shape))) {
      digests[static_cast<size_t>(i)] =
          fmt::format("{} {} {} {}\n", names[static_cast<size_t>(i)], entry->dtype,
                      shape_text(entry->shape), hash_hex({data, entry->end - entry->begin}));
    }
  });
  Hasher hasher;
  for (size_t i = 0; i < names.size(); ++i) {
    if (digests[i].empty()) {
      throw Error(
          fmt::format("{}: tensor '{}' has weights that are NaN or infinite; "
                      "fetch the checkpoint again",
                      places_.at(names[i]).where, names[i]));
    }
    hasher.update(digests[i]);
  }
  return hasher.hex();
}

}  // namespace bitlaw::hf
