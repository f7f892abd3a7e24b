#include "train/state.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <fstream>

#include "base/file.h"
#include "base/hash.h"
#include "base/input_file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "the payload is written in the byte order of memory");

constexpr const char* kFormat = "bitlaw-state";
constexpr int kStateVersion = 2;
constexpr int kPayloadHashVersion = 1;
constexpr uint64_t kLongestHeader = 1 << 20;
constexpr size_t kHashDigits = 32;

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw Error(fmt::format("{}: {}; remove the file to train this run from its beginning",
                          path.string(), why));
}

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.f32()), tensor.bytes()};
}

std::string_view bytes_of(const uint64_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::string hash_of(const std::array<const Tensor*, 3>& payload) {
  Hasher hasher;
  for (const Tensor* tensor : payload) hasher.update(bytes_of(*tensor));
  return hasher.hex();
}

// A state being read. Read, not mapped: mapped pages would count as memory of the run.
struct OpenedState {
  std::ifstream file;  // behind the header
  std::string header_text;
  Json document;
  int64_t version = 0;
  StateHeader header;
};

int64_t whole(const Json& value) {
  if (!value.is_number_integer()) throw Json::exception("expected a whole number");
  return value.get<int64_t>();
}

StateHeader header_of(const Json& document) {
  StateHeader header;
  header.run = document.at("run");
  header.steps = whole(document.at("steps"));
  header.progress = document.at("progress");
  if (document.at("version") == kPayloadHashVersion) return header;
  header.engine = document.at("engine");
  header.library = document.at("library");
  for (const Json& engine : document.at("engines")) header.engines.push_back(engine);
  return header;
}

OpenedState open_state(const fs::path& path) {
  open_regular_file(path);  // a FIFO is refused, not waited for
  OpenedState state{std::ifstream(path, std::ios::binary), {}, {}, 0, {}};
  std::ifstream& file = state.file;
  if (!file)
    throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  if (!file || length > kLongestHeader) refuse(path, "not a saved training state, or truncated");
  state.header_text.resize(length);
  file.read(state.header_text.data(), static_cast<std::streamsize>(length));
  if (!file) refuse(path, "a truncated training state");
  try {
    state.document = parse_json(state.header_text, path.string());
    if (state.document.at("format") != kFormat) refuse(path, "not a saved training state");
    state.version = whole(state.document.at("version"));
    if (state.version > kStateVersion) refuse(path, "written by a newer version of bitlaw");
    if (state.version < kPayloadHashVersion) refuse(path, "not a training state of any version");
    state.header = header_of(state.document);
  } catch (const Json::exception&) {
    refuse(path, "a saved training state with a damaged header");
  }
  if (state.header.steps < 0) refuse(path, "a saved training state with a damaged header");
  return state;
}

void read_payload(const fs::path& path, OpenedState& state,
                  const std::array<const Tensor*, 3>& payload) {
  for (const Tensor* tensor : payload) {
    state.file.read(reinterpret_cast<char*>(tensor->f32()),
                    static_cast<std::streamsize>(tensor->bytes()));
    if (!state.file) refuse(path, "a truncated training state");
  }
}

// The hash that the file has at its end, or in its header, against that of its content.
void check_content(const fs::path& path, OpenedState& state,
                   const std::array<const Tensor*, 3>& payload) {
  std::string written, computed;
  if (state.version == kPayloadHashVersion) {
    const auto hash = state.document.find("hash");
    if (hash == state.document.end() || !hash->is_string())
      refuse(path, "a saved training state with a damaged header");
    written = hash->text();
    computed = hash_of(payload);
  } else {
    written.resize(kHashDigits);
    state.file.read(written.data(), kHashDigits);
    if (!state.file) refuse(path, "a truncated training state");
    const uint64_t length = state.header_text.size();
    Hasher hasher;
    hasher.update(bytes_of(length));
    hasher.update(state.header_text);
    for (const Tensor* tensor : payload) hasher.update(bytes_of(*tensor));
    computed = hasher.hex();
  }
  if (state.file.peek() != std::ifstream::traits_type::eof())
    refuse(path, "bytes after the end of the state");
  if (written != computed) refuse(path, "the content does not match its checksum");
}

}  // namespace

void save_state(const fs::path& path, const StateHeader& header, const Tensor& weights,
                const Tensor& first_moment, const Tensor& second_moment) {
  const std::array payload{&weights, &first_moment, &second_moment};
  for (const Tensor* tensor : payload) BITLAW_CHECK(tensor->elements() == weights.elements());
  const std::string text = dump_json({{"format", kFormat},
                                      {"version", kStateVersion},
                                      {"run", header.run},
                                      {"engine", header.engine},
                                      {"library", header.library},
                                      {"engines", header.engines},
                                      {"steps", header.steps},
                                      {"elements", weights.elements()},
                                      {"progress", header.progress}});
  const uint64_t length = text.size();
  std::array<std::string_view, 6> parts{bytes_of(length),        text,
                                        bytes_of(weights),       bytes_of(first_moment),
                                        bytes_of(second_moment), {}};
  Hasher hasher;
  for (const std::string_view part : parts) hasher.update(part);
  const std::string hash = hasher.hex();
  parts.back() = hash;
  write_file_atomically(path, parts);
}

std::optional<StateHeader> load_state(const fs::path& path, const std::string& run,
                                      const Tensor& weights, const Tensor& first_moment,
                                      const Tensor& second_moment) {
  if (!fs::exists(path)) return std::nullopt;
  OpenedState state = open_state(path);
  if (state.header.run != run)
    refuse(path, fmt::format("the state of run {}, not of {}", state.header.run, run));
  const Json elements = state.document.value("elements", Json());
  if (elements != weights.elements()) {
    refuse(path, fmt::format("contains {} parameters, but the model has {}", dump_json(elements),
                             weights.elements()));
  }
  const std::array payload{&weights, &first_moment, &second_moment};
  read_payload(path, state, payload);
  check_content(path, state, payload);
  return state.header;
}

std::optional<StateHeader> read_state_header(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  return open_state(path).header;
}

}  // namespace bitlaw
