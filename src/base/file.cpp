#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::strerror(errno);
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0644)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

std::string read_file(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason()));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || S_ISDIR(status.st_mode)) {
    throw Error(fmt::format("{}: is a directory, expected a file", path.string()));
  }
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
  const fs::path temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  auto fail = [&] {
    const std::string why = reason();
    ::unlink(temporary.c_str());
    throw Error(
        fmt::format("{}: cannot be written: {}; nothing was changed there", path.string(), why));
  };
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) fail();
  for (std::string_view part : parts) {
    if (!write_all(file.get(), part)) fail();
  }
  if (::fsync(file.get()) != 0 || !file.close()) fail();
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail();
  Descriptor directory(parent, O_RDONLY | O_DIRECTORY);
  if (directory.ok()) ::fsync(directory.get());
}

void append_line(const fs::path& path, std::string_view line) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_APPEND);
  const std::string whole = std::string(line) + "\n";
  if (!file.ok() || !write_all(file.get(), whole)) {
    throw Error(fmt::format("{}: cannot be appended to: {}", path.string(), reason()));
  }
}

MappedFile::MappedFile(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  struct stat status {};
  if (!file.ok() || ::fstat(file.get(), &status) != 0) {
    throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason()));
  }
  if (!S_ISREG(status.st_mode))
    throw Error(fmt::format("{}: is not a regular file", path.string()));
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
