#include "model/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/known_content.h"

namespace bitlaw {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are mapped in the byte order of the file");

constexpr size_t kLengthBytes = 8;
constexpr size_t kLargestHeader = 100'000'000;  // the format's own limit
constexpr size_t kAlignment = 64;

struct TypeSize {
  const char* name;
  size_t bytes;  // of one element
};
constexpr TypeSize kTypes[] = {{"F64", 8},     {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1},
                               {"F8_E5M2", 1}, {"I64", 8}, {"I32", 4}, {"I16", 2},  {"I8", 1},
                               {"U64", 8},     {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}};

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(fmt::format("{}: {}; it is damaged or not a safetensors file", where, what));
}

// Header text as JSON in which no object names a key twice (a plain parser keeps the last one).
Json parse_header(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::string twice;
  const JsonWatch watch = [&](JsonEvent event, int, const std::string& key) {
    if (event == JsonEvent::kObjectBegin) keys.emplace_back();
    if (event == JsonEvent::kObjectEnd) keys.pop_back();
    if (event == JsonEvent::kKey && !keys.back().insert(key).second) twice = key;
  };
  Json header;
  try {
    header = parse_json_watched(text, watch);
  } catch (const Json::exception&) {
    fail(where, "the header is not a JSON object");
  }
  if (!header.is_object()) fail(where, "the header is not a JSON object");
  if (!twice.empty()) fail(where, fmt::format("the header names '{}' twice", twice));
  return header;
}

// A non-negative whole number below 2^53, so that sums of two cannot overflow.
bool read_size(const Json& value, size_t& out) {
  if (!value.is_number_unsigned()) return false;
  out = value.get<size_t>();
  return out < size_t{1} << 53;
}

SafetensorsEntry parse_entry(const std::string& name, const Json& value, size_t data_begin,
                             size_t data_bytes, const std::string& where) {
  const auto wrong = [&](const std::string& what) {
    fail(where, fmt::format("tensor '{}' {}", name, what));
  };
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
      !value.contains("shape") || !value.contains("data_offsets")) {
    wrong("does not have exactly dtype, shape and data_offsets");
  }
  SafetensorsEntry entry;

  if (!value["dtype"].is_string()) wrong("has a dtype that is not text");
  entry.dtype = value["dtype"].get<std::string>();
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeSize& known) { return entry.dtype == known.name; });
  if (type == std::end(kTypes)) wrong(fmt::format("has the unknown dtype '{}'", entry.dtype));

  if (!value["shape"].is_array()) wrong("has a shape that is not a list");
  size_t bytes = type->bytes;
  for (const Json& item : value["shape"]) {
    size_t extent;
    if (!read_size(item, extent)) wrong("has a shape with entries that are not whole numbers");
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      wrong("has a shape too large for any memory");
    entry.shape.push_back(static_cast<int64_t>(extent));
  }

  const Json& offsets = value["data_offsets"];
  size_t begin = 0, end = 0;
  if (!offsets.is_array() || offsets.size() != 2 || !read_size(offsets[0], begin) ||
      !read_size(offsets[1], end)) {
    wrong("has data_offsets that are not two whole numbers");
  }
  if (begin > end || end > data_bytes) {
    wrong(fmt::format("has data_offsets {} to {}, but the file has {} bytes of data", begin, end,
                      data_bytes));
  }
  if (end - begin != bytes) {
    wrong(fmt::format("has {} bytes, but its shape and dtype require {}", end - begin, bytes));
  }
  entry.begin = data_begin + begin;
  entry.end = data_begin + end;
  return entry;
}

// Tensors are contiguous and fill the data exactly.
void check_cover(const SafetensorsTable& table, size_t data_begin, size_t file_bytes,
                 const std::string& where) {
  std::vector<std::pair<size_t, size_t>> spans;
  for (const auto& [name, entry] : table.entries) spans.push_back({entry.begin, entry.end});
  std::sort(spans.begin(), spans.end());
  size_t at = data_begin;
  for (const auto& [begin, end] : spans) {
    if (begin != at)
      fail(where, begin < at ? "two tensors overlap" : "there is a gap between two tensors");
    at = end;
  }
  if (at != file_bytes) {
    fail(where, fmt::format("its tensors end at byte {}, but the file has {}", at, file_bytes));
  }
}

}  // namespace

SafetensorsTable parse_safetensors(std::string_view file, const std::string& where) {
  const std::string known = known_content(file);
  if (!known.empty()) throw Error(fmt::format("{}: {}", where, known));
  uint64_t header_bytes;
  if (file.size() < kLengthBytes)
    fail(where, fmt::format("the file has only {} bytes", file.size()));
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  if (header_bytes > kLargestHeader || header_bytes > file.size() - kLengthBytes) {
    fail(where,
         fmt::format("the header claims {} bytes, but the file has {}", header_bytes, file.size()));
  }
  const size_t data_begin = kLengthBytes + header_bytes;
  const Json header = parse_header(file.substr(kLengthBytes, header_bytes), where);

  SafetensorsTable table;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      table.entries[name] = parse_entry(name, value, data_begin, file.size() - data_begin, where);
      continue;
    }
    if (!value.is_object()) fail(where, "__metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(where, fmt::format("__metadata__ '{}' is not text", key));
      table.metadata[key] = text.get<std::string>();
    }
  }
  check_cover(table, data_begin, file.size(), where);
  return table;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : where_(path.string()), file_(path), table_(parse_safetensors(file_.bytes(), where_)) {}

const SafetensorsEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = table_.entries.find(name);
  if (found == table_.entries.end())
    throw Error(fmt::format("{}: tensor '{}' is missing", where_, name));
  return found->second;
}

std::string_view SafetensorsFile::bytes(const std::string& name) const {
  const SafetensorsEntry& found = entry(name);
  return file_.bytes().substr(found.begin, found.end - found.begin);
}

Tensor SafetensorsFile::tensor(const std::string& name) const {
  const SafetensorsEntry& found = entry(name);
  for (DType dtype : {DType::kF64, DType::kF32, DType::kBF16}) {
    if (found.dtype != name_of(dtype)) continue;
    const std::vector<int64_t>& s = found.shape;
    Shape shape;
    switch (s.size()) {
      case 0:
        break;
      case 1:
        shape = {s[0]};
        break;
      case 2:
        shape = {s[0], s[1]};
        break;
      case 3:
        shape = {s[0], s[1], s[2]};
        break;
      case 4:
        shape = {s[0], s[1], s[2], s[3]};
        break;
      default:
        throw Error(fmt::format("{}: tensor '{}' has {} dimensions; bitlaw reads up to 4", where_,
                                name, s.size()));
    }
    const Tensor tensor = Tensor::empty(dtype, shape);
    std::memcpy(tensor.raw(), file_.data() + found.begin, tensor.bytes());
    return tensor;
  }
  throw Error(fmt::format("{}: tensor '{}' is {}; bitlaw reads F64, F32 and BF16", where_, name,
                          found.dtype));
}

void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const SafetensorsMetadata& metadata) {
  // Json sorts its keys, so that equal content gives equal bytes.
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    BITLAW_CHECK(!header.contains(name) && name != "__metadata__");
    Json shape = Json::array();
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.extent(axis));
    header[name] = {{"dtype", name_of(tensor.dtype())},
                    {"shape", shape},
                    {"data_offsets", {offset, offset + tensor.bytes()}}};
    offset += tensor.bytes();
  }
  std::string text = dump_json(header);
  while ((kLengthBytes + text.size()) % kAlignment != 0) text += ' ';
  const uint64_t header_bytes = text.size();
  std::string front(kLengthBytes, '\0');
  std::memcpy(front.data(), &header_bytes, kLengthBytes);
  front += text;

  std::vector<std::string_view> pieces{front};
  for (const auto& [name, tensor] : tensors) {
    pieces.push_back({static_cast<const char*>(tensor.raw()), tensor.bytes()});
  }
  write_file_atomically(path, pieces);
}

}  // namespace bitlaw
