#include "hf/writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/output_file.h"
#include "base/temporary.h"
#include "formats/half.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAlignment = 64;
constexpr int64_t kAtOnce = 1 << 20;  // numbers converted at once

[[noreturn]] void fail(const fs::path& path) {
  throw Error(fmt::format("{}: cannot be written: {}; nothing was kept", path.string(),
                          std::strerror(errno)));
}

class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags)
      : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail(path_);
  }
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  void write_at(size_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(path_);
      bytes.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<size_t>(n);
    }
  }
  void flush_and_close() {
    if (::fsync(fd_) != 0 || ::close(std::exchange(fd_, -1)) != 0) fail(path_);
  }

 private:
  fs::path path_;
  int fd_;
};

// Small files that say how the checkpoint is used: tokenizer, generation, licence.
bool is_companion(const fs::path& file) {
  const std::string name = file.filename().string(), ending = file.extension().string();
  if (name == "config.json" || name == "model.safetensors.index.json" ||
      name == "pytorch_model.bin.index.json") {
    return false;
  }
  for (const char* known : {".json", ".model", ".txt", ".jinja", ".md"}) {
    if (ending == known) return true;
  }
  return name.starts_with("LICENSE") || name.starts_with("NOTICE");
}

fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

CheckpointWriter::CheckpointWriter(const fs::path& source, const Weights& weights,
                                   const fs::path& target, std::set<std::string> replaced,
                                   const std::string& dtype)
    : target_(follow_links(without_slash(target))),
      partial_(temporary_beside(target_)),
      replaced_(std::move(replaced)),
      dtype_(dtype) {
  BITLAW_CHECK(dtype == "F32" || dtype == "BF16");
  if (fs::exists(target_)) {
    throw Error(fmt::format("{}: exists already; choose a new directory", target_.string()));
  }
  try {
    make_directories(partial_);
    for (const WeightFile& file : weights.files()) write_file(file);
    const auto& files = weights.files();
    if (files.size() > 1 || files.front().name != "model.safetensors") write_index();
    write_config(source);
    for (const fs::directory_entry& entry : fs::directory_iterator(source)) {
      if (!entry.is_regular_file() || !is_companion(entry.path())) continue;
      write_file_atomically(partial_ / entry.path().filename(), read_file(entry.path()));
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
    throw;
  }
}

CheckpointWriter::~CheckpointWriter() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(partial_, ignored);
}

// Header and the tensors that stay; room for the others. Tensors keep their order.
void CheckpointWriter::write_file(const WeightFile& file) {
  const auto& entries = file.file->entries();
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries) names.push_back(name);
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return std::pair(entries.at(a).begin, entries.at(a).end) <
           std::pair(entries.at(b).begin, entries.at(b).end);
  });

  Json header = Json::object();
  if (!file.file->metadata().empty()) header["__metadata__"] = file.file->metadata();
  std::map<std::string, size_t> begins;
  size_t at = 0;
  for (const std::string& name : names) {
    const SafetensorsEntry& entry = entries.at(name);
    size_t bytes = entry.end - entry.begin;
    std::string dtype = entry.dtype;
    if (replaced_.contains(name)) {
      bytes = dtype_ == "F32" ? 4 : 2;
      for (const int64_t extent : entry.shape) bytes *= static_cast<size_t>(extent);
      dtype = dtype_;
    }
    all_bf16_ = all_bf16_ && dtype == "BF16";
    header[name] = {{"dtype", dtype}, {"shape", entry.shape}, {"data_offsets", {at, at + bytes}}};
    begins[name] = at;
    at += bytes;
  }
  std::string text = dump_json(header);
  while ((sizeof(uint64_t) + text.size()) % kAlignment != 0) text += ' ';
  const uint64_t length = text.size();
  const size_t data = sizeof length + text.size();

  OpenFile out(partial_ / file.name, O_WRONLY | O_CREAT | O_EXCL);
  out.write_at(0, {reinterpret_cast<const char*>(&length), sizeof length});
  out.write_at(sizeof length, text);
  for (const std::string& name : names) {
    const size_t begin = data + begins[name];
    const size_t end = data + header[name]["data_offsets"][1].get<size_t>();
    shard_of_[name] = file.name;
    total_bytes_ += end - begin;
    if (replaced_.contains(name)) {
      places_[name] = {file.name, begin, end};
    } else {
      out.write_at(begin, file.file->bytes(name));
    }
  }
  out.flush_and_close();
}

void CheckpointWriter::write_index() {
  const Json index{{"metadata", {{"total_size", total_bytes_}}}, {"weight_map", shard_of_}};
  write_file_atomically(partial_ / "model.safetensors.index.json", dump_json(index, 2) + "\n");
}

// transformers casts what it loads to this type, so that it is BF16 only where everything is.
void CheckpointWriter::write_config(const fs::path& source) const {
  const fs::path file = source / "config.json";
  Json config = parse_json(read_file(file), file.string());
  const char* const name = all_bf16_ ? "bfloat16" : "float32";
  if (config.contains("dtype")) config["dtype"] = name;
  if (config.contains("torch_dtype") || !config.contains("dtype")) config["torch_dtype"] = name;
  write_file_atomically(partial_ / "config.json", dump_json(config, 2) + "\n");
}

void CheckpointWriter::write(const std::string& name, const float* values, int64_t count) {
  BITLAW_CHECK(replaced_.erase(name) == 1);
  const Place& place = places_.at(name);
  const size_t width = dtype_ == "F32" ? 4 : 2;
  BITLAW_CHECK(place.end - place.begin == static_cast<size_t>(count) * width);
  OpenFile out(partial_ / place.file, O_WRONLY);
  if (dtype_ == "F32") {
    out.write_at(place.begin,
                 {reinterpret_cast<const char*>(values), static_cast<size_t>(count) * width});
  } else {
    std::vector<uint16_t> words;
    for (int64_t begin = 0; begin < count; begin += kAtOnce) {
      words.clear();
      for (int64_t i = begin; i < std::min(count, begin + kAtOnce); ++i) {
        words.push_back(bf16_bits(values[i]));
      }
      out.write_at(place.begin + static_cast<size_t>(begin) * width,
                   {reinterpret_cast<const char*>(words.data()), words.size() * width});
    }
  }
  out.flush_and_close();
}

void CheckpointWriter::commit() {
  BITLAW_CHECK(replaced_.empty() && !committed_);
  if (::rename(partial_.c_str(), target_.c_str()) != 0) fail(target_);
  committed_ = true;
}

}  // namespace bitlaw::hf
