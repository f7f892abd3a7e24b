#include "base/output_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/home.h"
#include "base/number.h"
#include "base/say.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel follows

[[noreturn]] void cannot_write(const fs::path& path, const std::string& why) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), why));
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

int own_descriptor(const fs::path& path) {
  std::error_code error;
  const fs::path directory = fs::canonical(parent_of(path), error);
  if (error) return -1;
  for (const char* descriptors : {"/proc/self/fd", "/proc/thread-self/fd"}) {
    if (directory == fs::canonical(descriptors, error) && !error)
      return parse_whole(path.filename().string()).value_or(-1);
  }
  return -1;
}

namespace {

// One link further; the same path where there is none. The links in a directory of descriptors
// lead to what is open, which may have no name.
fs::path next_link(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error) || own_descriptor(path) >= 0) return path;
  const fs::path target = fs::read_symlink(path, error);
  return error ? path : parent_of(path) / target;
}

void write_through(Descriptor& file, const fs::path& path,
                   std::span<const std::string_view> parts) {
  if (!file.ok()) cannot_write(path, std::strerror(errno));
  for (const std::string_view part : parts) {
    if (!write_all(file.get(), part)) cannot_write(path, std::strerror(errno));
  }
  if (!file.close()) cannot_write(path, std::strerror(errno));
}

// A FIFO is opened once: a writer that looks in and leaves would be the end of what its reader
// reads.
Descriptor open_to_write(const fs::path& path, const struct stat& status) {
  if (S_ISFIFO(status.st_mode)) {
    Descriptor file(path, O_WRONLY | O_NONBLOCK);
    if (file.ok()) {
      ::fcntl(file.get(), F_SETFL, O_WRONLY);
      return file;
    }
    if (errno == ENXIO) say("{}: nobody reads this FIFO yet; waiting", path.string());
  }
  return Descriptor(path, O_WRONLY | O_NOCTTY);
}

}  // namespace

fs::path follow_links(const fs::path& path) {
  fs::path place = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    const fs::path next = next_link(place);
    if (next == place) return place;
    place = next;
  }
  cannot_write(path, "its symbolic links lead in a circle");
}

void write_output_file(const fs::path& path, std::string_view bytes) {
  write_output_file(path, std::span<const std::string_view>(&bytes, 1));
}

void write_output_file(const fs::path& path, std::span<const std::string_view> parts) {
  const fs::path place = follow_links(expand_home(path.string()));
  if (const int open = own_descriptor(place); open >= 0) {
    std::fflush(stdout);  // what was printed before comes before
    Descriptor file(::fcntl(open, F_DUPFD_CLOEXEC, 0));
    write_through(file, path, parts);
    return;
  }
  struct stat status {};
  if (::stat(place.c_str(), &status) != 0 || S_ISREG(status.st_mode)) {
    write_file_atomically(place, parts);
    return;
  }
  if (S_ISDIR(status.st_mode)) cannot_write(path, "is a directory, expected a file");
  Descriptor file = open_to_write(place, status);
  write_through(file, path, parts);
}

}  // namespace bitlaw
