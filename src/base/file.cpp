#include "base/file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/input_file.h"
#include "base/temporary.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::strerror(errno);
}

// A file that is replaced leaves its mode to the new one and, as far as that is permitted, its owner
// and group.
bool take_after(int fd, const struct stat& old) {
  constexpr uid_t kSameOwner = static_cast<uid_t>(-1);
  const bool kept =
      ::fchown(fd, old.st_uid, old.st_gid) == 0 || ::fchown(fd, kSameOwner, old.st_gid) == 0;
  // Bits that lend the owner's rights are not for another owner.
  return ::fchmod(fd, old.st_mode & (kept ? 07777 : 0777)) == 0;
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file = open_regular_file(path);
  struct stat status {};
  ::fstat(file.get(), &status);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(status.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason()));
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(n));
  }
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw Error(
        fmt::format("{}: the directory cannot be created: {}; check the path and its permissions",
                    path.string(), error.message()));
  }
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_file_atomically(path, std::span<const std::string_view>(&bytes, 1));
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> parts) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  make_directories(parent);
  const fs::path temporary = temporary_beside(path);
  auto fail = [&] {
    const std::string why = reason();
    ::unlink(temporary.c_str());
    throw Error(
        fmt::format("{}: cannot be written: {}; nothing was changed there", path.string(), why));
  };
  struct stat old {};
  const bool replaces = ::lstat(path.c_str(), &old) == 0 && S_ISREG(old.st_mode);
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC, replaces ? 0600 : 0644);
  if (!file.ok() || (replaces && !take_after(file.get(), old))) fail();
  for (std::string_view part : parts) {
    if (!write_all(file.get(), part)) fail();
  }
  if (::fsync(file.get()) != 0 || !file.close()) fail();
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail();
  Descriptor directory(parent, O_RDONLY | O_DIRECTORY);
  if (directory.ok()) ::fsync(directory.get());
}

void append_line(const fs::path& path, std::string_view line) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK);  // no waiting for a FIFO
  const std::string whole = std::string(line) + "\n";
  if (!file.ok() || !write_all(file.get(), whole)) {
    throw Error(fmt::format("{}: cannot be appended to: {}", path.string(), reason()));
  }
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file = open_regular_file(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason()));
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED)
    throw Error(fmt::format("{}: cannot be mapped: {}", path.string(), reason()));
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace bitlaw
