// Atomic files: everything bitlaw keeps is written to a temporary file, flushed, and renamed into
// place, so that a crash or a full disk never leaves half a file behind.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

std::string read_file(const std::filesystem::path& path);

// Creates parent directories. On any failure (no space, read-only) the old file is untouched, the
// temporary one is removed, and Error says why.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
// The same for a file whose bytes are in several places: they are written one after another,
// without a copy.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::string_view> parts);

// Appends one line and flushes it to the kernel. For logs: a torn last line is possible after a
// crash, and readers skip it.
void append_line(const std::filesystem::path& path, std::string_view line);

void make_directories(const std::filesystem::path& path);  // with parents; Error if that fails

// A file mapped read-only for as long as the object lives.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bitlaw
