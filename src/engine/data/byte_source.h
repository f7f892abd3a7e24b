// Bytes in, one buffer at a time, from a file that may be compressed (.gz, .zst): memory stays
// constant however large the text is.
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
  // Fills the front of `buffer` (not empty) and returns how many bytes; 0 is the end. Throws Error
  // for a file that cannot be read, and for compressed data that is corrupt or cut short.
  virtual size_t read(std::span<char> buffer) = 0;
};

enum class Compression { kNone, kGzip, kZstd };

Compression compression_of(const std::filesystem::path& path);  // by the suffix: .gz, .zst, other

std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path);  // the bytes on the disk
std::unique_ptr<ByteSource> view_bytes(std::string_view bytes);  // of a caller who keeps them

// The content of `source`; several compressed members in a row count as one. Errors name `where`.
std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> source, Compression compression,
                                       const std::string& where);

}  // namespace bitlaw
