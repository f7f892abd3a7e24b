#include "work/claim.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_struct.h"
#include "base/number.h"
#include "base/temporary.h"
#include "base/time.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

fs::path claim_file(const fs::path& directory, const std::string& key, int64_t generation) {
  return directory / fmt::format("{}.{}", key, generation);
}

// The highest N of KEY.N; 0 if there is none.
int64_t highest_generation(const fs::path& directory, const std::string& key) {
  int64_t highest = 0;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= key.size() + 1 || !name.starts_with(key) || name[key.size()] != '.')
      continue;
    if (const auto number = parse_whole(name.substr(key.size() + 1)))
      highest = std::max<int64_t>(highest, *number);
  }
  return highest;
}

// As text of always the same length, so that it is written over in place.
std::string bytes_of(const Claimant& claimant) {
  constexpr size_t kBytes = 512;
  std::string bytes = dump_json(struct_to_json(claimant));
  bytes.resize(std::max(bytes.size() + 32, kBytes), ' ');
  bytes.back() = '\n';
  return bytes;
}

// Empty if it is not there; torn or empty text while it is written.
std::optional<std::string> bytes_in(const fs::path& file) {
  try {
    return read_file(file);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Claimant> claimant_in(const std::string& bytes) {
  try {
    return struct_from_json<Claimant>(JsonFields(parse_json(bytes, "claim"), "claim"));
  } catch (const Error&) {
    return std::nullopt;
  }
}

[[noreturn]] void fail(const fs::path& file) {
  throw Error(
      fmt::format("{}: a claim cannot be written: {}", file.string(), std::strerror(errno)));
}

bool write_all(int descriptor, const std::string& bytes) {
  return ::pwrite(descriptor, bytes.data(), bytes.size(), 0) == std::ssize(bytes) &&
         ::fsync(descriptor) == 0;
}

// Of this process among all: in containers, those of many machines are number 1 of the same host.
std::string own_name() {
  const ProcessIdentity own = own_identity();
  return fmt::format(
      "{}-{}", own.pid,
      hash_hex(fmt::format("{} {} {} {}", own.host, own.boot, own.pid_namespace, own.started)));
}

// Its descriptor, to read and write; -1 if the file exists and must not (O_EXCL in `flags`).
int write_file(const fs::path& file, const std::string& bytes, int flags = O_TRUNC) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
  if (descriptor < 0 && errno == EEXIST) return -1;
  if (descriptor < 0) fail(file);
  if (write_all(descriptor, bytes)) return descriptor;
  const int error = errno;
  ::close(descriptor);
  ::unlink(file.c_str());
  errno = error;
  fail(file);
}

}  // namespace

Claim::Claim(fs::path directory, std::string key, int64_t generation, int descriptor,
             Claimant claimant)
    : directory_(std::move(directory)),
      key_(std::move(key)),
      generation_(generation),
      descriptor_(descriptor),
      claimant_(std::move(claimant)) {}

Claim::~Claim() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Claim::Claim(Claim&& other) noexcept
    : directory_(std::move(other.directory_)),
      key_(std::move(other.key_)),
      generation_(other.generation_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      claimant_(std::move(other.claimant_)) {}

Claim& Claim::operator=(Claim&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(key_, other.key_);
  std::swap(generation_, other.generation_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(claimant_, other.claimant_);
  return *this;
}

fs::path Claim::file() const {
  return claim_file(directory_, key_, generation_);
}

// Its file is another worker's, or there is a higher one.
bool Claim::lost() const {
  if (highest_generation(directory_, key_) > generation_) return true;
  struct stat named {
  }, open{};
  return ::stat(file().c_str(), &named) != 0 || ::fstat(descriptor_, &open) != 0 ||
         named.st_ino != open.st_ino || named.st_dev != open.st_dev;
}

bool Claim::beat() {
  if (lost()) return false;
  ++claimant_.beat;
  if (!write_all(descriptor_, bytes_of(claimant_))) fail(file());
  return true;
}

// The lower ones first: a claim is free only when the last file is gone.
void Claim::release() {
  if (lost()) return;
  for (int64_t generation = 1; generation <= generation_; ++generation) {
    std::error_code none;
    fs::remove(claim_file(directory_, key_, generation), none);
  }
}

Claims::Claims(fs::path directory, double lease_seconds, Clock clock)
    : directory_(std::move(directory)),
      lease_seconds_(lease_seconds),
      clock_(clock ? std::move(clock) : steady_seconds) {}

int64_t Claims::highest(const std::string& key) const {
  return highest_generation(directory_, key);
}

// What stands still is seen by its bytes, not by a time in them, or of the file: clocks of machines
// differ, and jump.
bool Claims::is_gone(const std::string& key, int64_t generation,
                     std::optional<Claimant>& claimant) {
  const std::optional<std::string> bytes = bytes_in(claim_file(directory_, key, generation));
  if (!bytes) return false;  // just released: look again
  claimant = claimant_in(*bytes);
  if (claimant) {
    if (claimant->process == own_identity()) return false;
    if (is_alive(claimant->process) == false) return true;
  }
  Seen& seen = seen_[key];
  if (seen.generation != generation || seen.bytes != *bytes) {
    seen = {generation, *bytes, clock_()};
    return false;
  }
  const double lease = std::max(lease_seconds_, claimant ? claimant->lease_seconds : 0);
  return clock_() - seen.since >= lease;
}

// With its bytes, in one step: a link to a finished file. Where a file system has no links, an empty
// file is created first, which readers take for a claim that is being written. The descriptor is that of
// the finished file, not of its name: a process that was stopped here may find the name gone, because
// others have taken the claim over and released it.
int Claims::create(const fs::path& file, const std::string& bytes) const {
  static std::atomic<int> count{0};
  const fs::path temporary =
      temporary_beside(directory_ / fmt::format(".{}-{}", own_name(), count++));
  const int descriptor = write_file(temporary, bytes);
  std::error_code none;
  const bool linked = ::link(temporary.c_str(), file.c_str()) == 0;
  const int error = errno;
  // A lost answer of a server: the link may be there although the call failed.
  struct stat status {};
  const bool there = linked || (::stat(temporary.c_str(), &status) == 0 && status.st_nlink == 2);
  fs::remove(temporary, none);
  if (there) return descriptor;
  ::close(descriptor);
  // ENOENT: somebody has taken the temporary for a leftover, as in containers that look like one.
  if (error == EEXIST || error == ENOENT) return -1;
  if (error != EPERM && error != ENOTSUP && error != EOPNOTSUPP && error != ENOSYS) {
    errno = error;
    fail(file);
  }
  return write_file(file, bytes, O_EXCL);
}

std::optional<Claim> Claims::take(const std::string& key) {
  make_directories(directory_);
  return take_after(key, highest(key));
}

std::optional<Claim> Claims::take_over(const std::string& key) {
  const int64_t before = highest(key);
  return before > 0 ? take_after(key, before) : std::nullopt;
}

std::set<std::string> Claims::keys() const {
  std::set<std::string> keys;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, none)) {
    const fs::path name = entry.path().filename();
    const std::string number = name.extension().string();
    if (!number.empty() && parse_whole(number.substr(1))) keys.insert(name.stem().string());
  }
  return keys;
}

std::optional<Claim> Claims::take_after(const std::string& key, int64_t before) {
  std::optional<Claimant> claimant;
  if (before > 0 && !is_gone(key, before, claimant)) return std::nullopt;
  const int64_t generation = before + 1;
  Claimant own{
      .process = own_identity(), .beat = 0, .lease_seconds = lease_seconds_, .since = now_iso()};
  const fs::path file = claim_file(directory_, key, generation);
  const int descriptor = create(file, bytes_of(own));
  if (descriptor < 0) return std::nullopt;
  Claim claim(directory_, key, generation, descriptor, own);
  if (highest(key) > generation) {  // a directory that was read late
    std::error_code none;
    fs::remove(file, none);
    return std::nullopt;
  }
  return claim;
}

std::optional<Claimant> Claims::holder(const std::string& key) {
  const int64_t generation = highest(key);
  std::optional<Claimant> claimant;
  if (generation == 0 || is_gone(key, generation, claimant)) return std::nullopt;
  return claimant;
}

}  // namespace bitlaw
