// Saved states with another header, whose checksums hold: what an edit by someone who knows the format
// would leave, or another machine.
#pragma once

#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace bitlaw {

struct StateParts {
  Json header;
  std::string payload;  // of version 2 without its hash
};

inline StateParts read_state_parts(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  StateParts parts;
  parts.header = parse_json(bytes.substr(sizeof length, length), file.string());
  parts.payload = bytes.substr(sizeof length + length);
  if (parts.header["version"] == 2) parts.payload.resize(parts.payload.size() - 32);
  return parts;
}

inline void write_state_parts(const std::filesystem::path& file, const StateParts& parts) {
  const std::string text = dump_json(parts.header);
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += text + parts.payload;
  if (parts.header["version"] == 2) bytes += hash_hex(bytes);
  write_file_atomically(file, bytes);
}

inline void change_state(const std::filesystem::path& file,
                         const std::function<void(Json& header)>& change) {
  StateParts parts = read_state_parts(file);
  change(parts.header);
  write_state_parts(file, parts);
}

// As version 1 wrote it.
inline void make_state_of_version_1(const std::filesystem::path& file) {
  StateParts parts = read_state_parts(file);
  parts.header["version"] = 1;
  parts.header["hash"] = hash_hex(parts.payload);
  for (const char* later : {"engine", "engines", "library"}) parts.header.erase(later);
  write_state_parts(file, parts);
}

}  // namespace bitlaw
