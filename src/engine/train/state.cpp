#include "train/state.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <fstream>

#include "base/file.h"
#include "base/hash.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "the payload is written in the byte order of memory");

constexpr const char* kFormat = "bitlaw-state";
constexpr int kStateVersion = 1;
constexpr uint64_t kLongestHeader = 1 << 20;

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.f32()), tensor.bytes()};
}

std::string hash_of(const std::array<const Tensor*, 3>& payload) {
  Hasher hasher;
  for (const Tensor* tensor : payload) hasher.update(bytes_of(*tensor));
  return hasher.hex();
}

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw Error(fmt::format("{}: {}; remove the file to train this run from its beginning",
                          path.string(), why));
}

}  // namespace

void save_state(const fs::path& path, const StateHeader& header, const Tensor& weights,
                const Tensor& first_moment, const Tensor& second_moment) {
  const std::array payload{&weights, &first_moment, &second_moment};
  for (const Tensor* tensor : payload) BITLAW_CHECK(tensor->elements() == weights.elements());
  const std::string text = dump_json({{"format", kFormat},
                                      {"version", kStateVersion},
                                      {"run", header.run},
                                      {"steps", header.steps},
                                      {"elements", weights.elements()},
                                      {"progress", header.progress},
                                      {"hash", hash_of(payload)}});
  const uint64_t length = text.size();
  const std::array<std::string_view, 5> parts{
      std::string_view(reinterpret_cast<const char*>(&length), sizeof length), text,
      bytes_of(weights), bytes_of(first_moment), bytes_of(second_moment)};
  write_file_atomically(path, parts);
}

std::optional<StateHeader> load_state(const fs::path& path, const std::string& run,
                                      const Tensor& weights, const Tensor& first_moment,
                                      const Tensor& second_moment) {
  if (!fs::exists(path)) return std::nullopt;
  // Read, not mapped: mapped pages would count as memory of the run.
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  if (!file || length > kLongestHeader) refuse(path, "not a saved training state, or truncated");
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  if (!file) refuse(path, "a truncated training state");

  StateHeader header;
  std::string hash;
  try {
    const Json document = parse_json(text, path.string());
    if (document.at("format") != kFormat || document.at("version") != kStateVersion) {
      refuse(path, "not a training state of this version");
    }
    header.run = document.at("run");
    header.steps = document.at("steps");
    header.progress = document.at("progress");
    hash = document.at("hash");
    if (header.run != run)
      refuse(path, fmt::format("the state of run {}, not of {}", header.run, run));
    if (document.at("elements").get<int64_t>() != weights.elements()) {
      refuse(path, fmt::format("contains {} parameters, but the model has {}",
                               dump_json(document.at("elements")), weights.elements()));
    }
  } catch (const Json::exception&) {
    refuse(path, "a saved training state with a damaged header");
  }
  const std::array payload{&weights, &first_moment, &second_moment};
  for (const Tensor* tensor : payload) {
    file.read(reinterpret_cast<char*>(tensor->f32()),
              static_cast<std::streamsize>(tensor->bytes()));
    if (!file) refuse(path, "a truncated training state");
  }
  if (file.peek() != std::ifstream::traits_type::eof())
    refuse(path, "bytes after the end of the state");
  if (hash_of(payload) != hash) refuse(path, "the content does not match its checksum");
  return header;
}

}  // namespace bitlaw
