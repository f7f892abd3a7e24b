// Reads a file that may be compressed (gzip, zstd) one buffer at a time, in constant memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

// At a time, of a stream.
inline constexpr size_t kReadBytes = 1 << 16;

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Reads into `buffer` (not empty) and returns the number of bytes; 0 means the end. Error for a
  // file that cannot be read, and for compressed data that is corrupt or truncated.
  virtual size_t read(std::span<char> buffer) = 0;
};

enum class Compression { kNone, kGzip, kZstd };

Compression compression_of(const std::filesystem::path& path);  // by the suffix: .gz, .zst, other
Compression compression_shown_by(std::string_view head);        // by the first four bytes

std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path);  // without decompression
std::unique_ptr<ByteSource> view_bytes(std::string_view bytes);  // which the caller must keep

// Largest window of a zstd frame, in bytes: what the format's program calls --long=31.
inline constexpr int kLargestZstdWindowLog = 31;

// The decompressed content of `source`; consecutive compressed members are concatenated, and zeros
// after the last one of gzip are ignored, as they pad tapes. A zstd frame with a longer window than
// 2^zstd_window_log is an Error. Errors name `where`.
std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> source, Compression compression,
                                       const std::string& where,
                                       int zstd_window_log = kLargestZstdWindowLog);

// The same for whatever compression the first bytes show: a text that was compressed without a
// suffix is read. Error if the suffix, `named`, promises one and the bytes are of none.
std::unique_ptr<ByteSource> decompress_by_content(std::unique_ptr<ByteSource> source,
                                                  Compression named, const std::string& where);

// The first bytes of a source, up to `most`, which it then gives again.
std::string read_head(std::unique_ptr<ByteSource>& source, size_t most);

}  // namespace bitlaw
