// Reads a file that may be compressed (.gz, .zst) one buffer at a time, in constant memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Reads into `buffer` (not empty) and returns the number of bytes; 0 means the end. Error for a
  // file that cannot be read, and for compressed data that is corrupt or truncated.
  virtual size_t read(std::span<char> buffer) = 0;
};

enum class Compression { kNone, kGzip, kZstd };

Compression compression_of(const std::filesystem::path& path);  // by the suffix: .gz, .zst, other

std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path);  // without decompression
std::unique_ptr<ByteSource> view_bytes(std::string_view bytes);  // which the caller must keep

// The decompressed content of `source`; consecutive compressed members are concatenated. Errors
// name `where`.
std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> source, Compression compression,
                                       const std::string& where);

}  // namespace bitlaw
