#include "hf/gguf.h"

#include <bit>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/output_file.h"

namespace bitlaw::hf {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint32_t kVersion = 3;
constexpr size_t kAlignment = 32;

enum class ValueType : uint32_t {
  kInt32 = 5,
  kUint32 = 4,
  kFloat32 = 6,
  kBool = 7,
  kText = 8,
  kList = 9
};

size_t aligned(size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

class Writer {
 public:
  std::string bytes;

  template <class T>
  void put(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof value);
  }
  void put_text(std::string_view text) {
    put(static_cast<uint64_t>(text.size()));
    bytes += text;
  }
  void put_type(ValueType type) { put(static_cast<uint32_t>(type)); }

  void value(uint32_t number) { put_type(ValueType::kUint32), put(number); }
  void value(float number) { put_type(ValueType::kFloat32), put(number); }
  void value(bool truth) { put_type(ValueType::kBool), put(static_cast<uint8_t>(truth)); }
  void value(const std::string& text) { put_type(ValueType::kText), put_text(text); }
  void value(const std::vector<std::string>& list) {
    begin_list(ValueType::kText, list.size());
    for (const std::string& text : list) put_text(text);
  }
  void value(const std::vector<float>& list) {
    begin_list(ValueType::kFloat32, list.size());
    for (const float number : list) put(number);
  }
  void value(const std::vector<int32_t>& list) {
    begin_list(ValueType::kInt32, list.size());
    for (const int32_t number : list) put(number);
  }

 private:
  void begin_list(ValueType type, size_t size) {
    put_type(ValueType::kList);
    put_type(type);
    put(static_cast<uint64_t>(size));
  }
};

}  // namespace

size_t size_of(GgufType type) {
  return type == GgufType::kF32 ? 4 : 2;
}

size_t write_gguf(const std::filesystem::path& path, std::span<const GgufEntry> entries,
                  std::span<const GgufTensor> tensors) {
  Writer header;
  header.bytes = "GGUF";
  header.put(kVersion);
  header.put(static_cast<uint64_t>(tensors.size()));
  header.put(static_cast<uint64_t>(entries.size()));
  std::set<std::string> names;
  for (const auto& [key, value] : entries) {
    BITLAW_CHECK(names.insert(key).second);
    header.put_text(key);
    std::visit([&](const auto& each) { header.value(each); }, value);
  }
  size_t offset = 0;
  names.clear();
  for (const GgufTensor& tensor : tensors) {
    BITLAW_CHECK(names.insert(tensor.name).second && tensor.name.size() < 64);
    header.put_text(tensor.name);
    header.put(static_cast<uint32_t>(tensor.shape.size()));
    size_t bytes = size_of(tensor.type);
    for (size_t axis = tensor.shape.size(); axis-- > 0;) {
      header.put(static_cast<uint64_t>(tensor.shape[axis]));
      bytes *= static_cast<size_t>(tensor.shape[axis]);
    }
    BITLAW_CHECK(bytes == tensor.bytes.size());
    header.put(static_cast<uint32_t>(tensor.type));
    header.put(static_cast<uint64_t>(offset));
    offset = aligned(offset + bytes);
  }
  header.bytes.resize(aligned(header.bytes.size()));

  static constexpr char kZeros[kAlignment] = {};
  std::vector<std::string_view> parts{header.bytes};
  for (const GgufTensor& tensor : tensors) {
    parts.push_back(tensor.bytes);
    parts.push_back({kZeros, aligned(tensor.bytes.size()) - tensor.bytes.size()});
  }
  write_output_file(path, parts);
  size_t bytes = 0;
  for (const std::string_view part : parts) bytes += part.size();
  return bytes;
}

}  // namespace bitlaw::hf
