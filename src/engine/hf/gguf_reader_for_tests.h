// Reads GGUF according to the format's description, sharing no code with the writer. Every step
// checks that it stays inside the file.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw::hf {

struct ReadTensor {
  std::vector<uint64_t> extents;  // columns first
  uint32_t type = 0;
  uint64_t offset = 0;  // from the beginning of the file
  std::string_view bytes;
};

struct ReadGguf {
  std::map<std::string, std::string> texts;
  std::map<std::string, uint32_t> numbers;
  std::map<std::string, float> floats;
  std::map<std::string, bool> truths;
  std::map<std::string, std::vector<std::string>> text_lists;
  std::map<std::string, std::vector<float>> float_lists;
  std::map<std::string, std::vector<int32_t>> int_lists;
  std::map<std::string, ReadTensor> tensors;
};

class GgufReader {
 public:
  explicit GgufReader(std::string_view file) : file_(file) {}

  ReadGguf read() {
    ReadGguf out;
    if (bytes(4) != "GGUF" || get<uint32_t>() != 3) throw std::runtime_error("not GGUF 3");
    const auto tensors = get<uint64_t>();
    const auto entries = get<uint64_t>();
    for (uint64_t i = 0; i < entries; ++i) entry(out);
    std::vector<std::string> names;
    for (uint64_t i = 0; i < tensors; ++i) {
      const std::string name = text();
      ReadTensor tensor;
      tensor.extents.resize(get<uint32_t>());
      for (uint64_t& extent : tensor.extents) extent = get<uint64_t>();
      tensor.type = get<uint32_t>();
      tensor.offset = get<uint64_t>();
      if (!out.tensors.emplace(name, tensor).second) throw std::runtime_error("name twice");
    }
    const size_t data = (at_ + 31) / 32 * 32;
    for (auto& [name, tensor] : out.tensors) {
      uint64_t size = tensor.type == 0 ? 4 : 2;
      for (const uint64_t extent : tensor.extents) size *= extent;
      tensor.offset += data;
      at_ = tensor.offset;
      tensor.bytes = bytes(size);
    }
    return out;
  }

 private:
  std::string_view bytes(uint64_t count) {
    if (at_ > file_.size() || count > file_.size() - at_) throw std::runtime_error("outside");
    at_ += count;
    return file_.substr(at_ - count, count);
  }
  template <class T>
  T get() {
    T value;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(bytes(get<uint64_t>())); }

  void entry(ReadGguf& out) {
    const std::string key = text();
    switch (get<uint32_t>()) {
      case 4:
        out.numbers[key] = get<uint32_t>();
        break;
      case 6:
        out.floats[key] = get<float>();
        break;
      case 7:
        out.truths[key] = get<uint8_t>() != 0;
        break;
      case 8:
        out.texts[key] = text();
        break;
      case 9: {
        const auto type = get<uint32_t>();
        const auto count = get<uint64_t>();
        if (type == 8) out.text_lists[key];
        for (uint64_t i = 0; i < count; ++i) {
          if (type == 5) out.int_lists[key].push_back(get<int32_t>());
          if (type == 6) out.float_lists[key].push_back(get<float>());
          if (type == 8) out.text_lists[key].push_back(text());
        }
        break;
      }
      default:
        throw std::runtime_error("a type that is not written here");
    }
  }

  std::string_view file_;
  size_t at_ = 0;
};

}  // namespace bitlaw::hf
