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
#include "base/number.h"
#include "base/say.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel follows

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), why));
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// The number of an open descriptor of this process that `path` names; -1 if it names none.
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
  if (!file.ok()) fail(path, std::strerror(errno));
  for (const std::string_view part : parts) {
    if (!write_all(file.get(), part)) fail(path, std::strerror(errno));
  }
  if (!file.close()) fail(path, std::strerror(errno));
}

void say_if_nobody_reads(const fs::path& path, const struct stat& status) {
  if (!S_ISFIFO(status.st_mode)) return;
  const Descriptor file(path, O_WRONLY | O_NONBLOCK);
  if (!file.ok() && errno == ENXIO)
    say("{}: is a FIFO that nobody reads; waiting for a reader", path.string());
}

}  // namespace

fs::path follow_links(const fs::path& path) {
  fs::path place = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    const fs::path next = next_link(place);
    if (next == place) return place;
    place = next;
  }
  fail(path, "its symbolic links lead in a circle");
}

void write_output_file(const fs::path& path, std::string_view bytes) {
  write_output_file(path, std::span<const std::string_view>(&bytes, 1));
}

void write_output_file(const fs::path& path, std::span<const std::string_view> parts) {
  const fs::path place = follow_links(path);
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
  if (S_ISDIR(status.st_mode)) fail(path, "is a directory, expected a file");
  say_if_nobody_reads(place, status);
  Descriptor file(place, O_WRONLY | O_NOCTTY);
  write_through(file, path, parts);
}

}  // namespace bitlaw
