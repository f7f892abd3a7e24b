#include "hf/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/half.h"
#include "hf/tensor_names.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
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

namespace {

// Whether two tensors of the same shape have the same values, to the precision of the coarser type.
bool same_values(const std::string& type, const char* bytes, const std::string& other_type,
                 const char* other_bytes, int64_t count) {
  if (type == other_type)
    return std::memcmp(bytes, other_bytes, static_cast<size_t>(count * bytes_of(type))) == 0;
  constexpr int64_t kAtOnce = 1 << 16;
  std::vector<float> one(kAtOnce), other(kAtOnce);
  const auto rounded = [](const std::string& to, float x) {
    if (to == "BF16") return round_to_bf16(x);
    return to == "F16" ? fp16_value(fp16_bits(x)) : x;
  };
  for (int64_t begin = 0; begin < count; begin += kAtOnce) {
    const int64_t n = std::min(kAtOnce, count - begin);
    widen_to_f32(type, bytes + begin * bytes_of(type), n, one.data());
    widen_to_f32(other_type, other_bytes + begin * bytes_of(other_type), n, other.data());
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      if (rounded(other_type, one[i]) != rounded(type, other[i])) return false;
    }
  }
  return true;
}

bool is_float(const std::string& dtype) {
  return dtype == "F32" || dtype == "F16" || dtype == "BF16";
}

}  // namespace

void Weights::find_stored(const fs::path& directory) {
  for (const WeightFile& file : files_) {
    const std::string where = (directory / file.name).string();
    for (const auto& [alias, name] : file.file->metadata()) aliases_[alias] = name;
    for (const auto& [name, entry] : file.file->entries()) {
      const std::string program = packed_by(name, entry.dtype);
      if (!program.empty()) {
        throw Error(fmt::format(
            "{}: tensor '{}' says that the weights are already quantized ({}); give the "
            "original checkpoint",
            where, name, program));
      }
      if (name.find(".lora_A.") != std::string::npos) {
        throw Error(
            fmt::format("{}: tensor '{}' is of an adapter (LoRA); merge it into the weights first",
                        where, name));
      }
      stored_[name] = {file.file.get(), &entry, file.file->bytes(name).data(), where, name};
    }
  }
}

// The names of the layout as they are stored. The head's name may be another, and of a tied pair
// either may be the one that is stored.
std::map<std::string, std::string> Weights::match(const std::vector<std::string>& heads,
                                                  bool tied) {
  std::vector<std::string> wanted = heads;
  for (const TensorSpec& spec : layout_.tensors()) wanted.push_back(spec.name);
  std::set<std::string> names;
  for (const auto& [name, place] : stored_) names.insert(name);
  std::map<std::string, std::string> matched = match_names(wanted, names, aliases_);
  for (const std::string& head : heads) {
    const auto found = matched.find(head);
    if (found == matched.end()) continue;
    if (!tied)
      layout_.head.name = head;
    else
      matched.emplace(layout_.embedding.name, found->second);
  }
  return matched;
}

void Weights::refuse_missing(const fs::path& directory, const TensorSpec& spec,
                             const Architecture& a, size_t matched) const {
  if (spec.name == layout_.head.name) {
    throw Error(
        fmt::format("{}: tensor '{}' is missing, and config.json does not say that the output head "
                    "is the embedding; if it is, set \"tie_word_embeddings\": true there; or else "
                    "the checkpoint is incomplete",
                    directory.string(), spec.name));
  }
  const bool foreign = matched == 0 && !stored_.empty();
  throw Error(fmt::format(
      "{}: tensor '{}' of a {} model with {} layers is missing; the checkpoint is incomplete, or "
      "config.json belongs to another one{}",
      directory.string(), spec.name, name_of(a.family), a.layers,
      foreign ? fmt::format(" (none of its tensors has such a name; one is '{}')",
                            stored_.begin()->first)
              : ""));
}

namespace {

// The setting of config.json that a tensor contradicts.
std::string why_left_over(const std::string& bare, const Architecture& a) {
  const std::vector<std::string> parts = split(bare, '.');
  const auto layer =
      parts.size() > 1 && parts[0] == "layers" ? parse_whole(parts[1]) : std::nullopt;
  if (layer && *layer >= a.layers)
    return fmt::format("it is of layer {}, and num_hidden_layers there is {}", *layer + 1,
                       a.layers);
  if (bare.ends_with("_proj.bias")) {
    return fmt::format("if the model has biases, set \"{}\": true there",
                       bare.find(".mlp.") != std::string::npos ? "mlp_bias" : "attention_bias");
  }
  return "config.json belongs to another checkpoint";
}

}  // namespace

// What is stored besides the layout's tensors must follow from them.
void Weights::refuse_left_over(const std::vector<std::string>& heads, const Architecture& a) const {
  std::set<std::string> used;
  std::map<std::string, const Place*> by_bare;
  for (const auto& [name, place] : places_) {
    used.insert(place.name);
    by_bare[bare_name(name)] = &place;
  }
  for (const auto& [name, place] : stored_) {
    if (used.contains(name) || is_derived_buffer(name)) continue;
    const std::string bare = bare_name(name);
    const bool head = std::find(heads.begin(), heads.end(), bare) != heads.end();
    const auto twin = by_bare.find(bare);
    const Place* const like = twin != by_bare.end() ? twin->second
                              : head                ? &places_.at(layout_.embedding.name)
                                                    : nullptr;
    if (like == nullptr) {
      throw Error(
          fmt::format("{}: tensor '{}' is not part of the {} model that config.json "
                      "describes; {}",
                      place.where, name, name_of(a.family), why_left_over(bare, a)));
    }
    if (place.entry->shape == like->entry->shape && is_float(place.entry->dtype) &&
        same_values(place.entry->dtype, place.data, like->entry->dtype, like->data,
                    elements_of(place.entry->shape))) {
      continue;
    }
    const char* const what =
        twin != by_bare.end()
            ? "stored twice, with other values; remove the one that is not to be used"
        : a.tied_head
            ? "not the embedding, although tie_word_embeddings in config.json says so; if the head "
              "was trained apart, set \"tie_word_embeddings\": false there"
            : "a second output head that differs from the embedding; remove the one that is not to "
              "be used";
    throw Error(fmt::format("{}: '{}' is {}", place.where, name, what));
  }
}

Weights::Weights(const fs::path& directory, const Architecture& a)
    : files_(open_weight_files(directory)), layout_(layout_of(a)) {
  find_stored(directory);
  const std::vector<std::string> heads = head_names(a.family);
  const std::map<std::string, std::string> matched = match(heads, a.tied_head);
  for (const TensorSpec& spec : layout_.tensors()) {
    const auto name = matched.find(spec.name);
    if (name == matched.end()) refuse_missing(directory, spec, a, matched.size());
    const Place& place = stored_.at(name->second);
    if (place.entry->shape != spec.shape) {
      throw Error(fmt::format("{}: tensor '{}' has shape {}, but config.json requires {}",
                              place.where, place.name, shape_text(place.entry->shape),
                              shape_text(spec.shape)));
    }
    if (!is_float(place.entry->dtype)) {
      throw Error(
          fmt::format("{}: tensor '{}' is {}; bitlaw reads weights in F32, F16 and BF16; "
                      "save it in one of them",
                      place.where, place.name, place.entry->dtype));
    }
    places_[spec.name] = place;
  }
  refuse_left_over(heads, a);
}

const Weights::Place& Weights::place(const TensorSpec& spec) const {
  const auto found = places_.find(spec.name);
  BITLAW_CHECK(found != places_.end());
  return found->second;
}

const std::string& Weights::stored_name(const TensorSpec& spec) const {
  return place(spec).name;
}

const std::string& Weights::dtype(const TensorSpec& spec) const {
  return place(spec).entry->dtype;
}

Tensor Weights::tensor(const TensorSpec& spec) const {
  return rows(spec, 0, spec.shape[0]);
}

Tensor Weights::rows(const TensorSpec& spec, int64_t begin, int64_t end) const {
  const auto& [file, entry, data, where, name] = place(spec);
  BITLAW_CHECK(0 <= begin && begin <= end && end <= entry->shape[0]);
  const int64_t row = elements_of(entry->shape) / entry->shape[0], count = (end - begin) * row;
  const char* const first = data + begin * row * bytes_of(entry->dtype);
  if (!all_finite(entry->dtype, first, count)) {
    throw Error(
        fmt::format("{}: tensor '{}' has weights that are NaN or infinite; "
                    "fetch the checkpoint again",
                    where, name));
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
    const auto& [file, entry, data, where, stored] = places_.at(names[static_cast<size_t>(i)]);
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
                      places_.at(names[i]).where, places_.at(names[i]).name));
    }
    hasher.update(digests[i]);
  }
  return hasher.hex();
}

}  // namespace bitlaw::hf
