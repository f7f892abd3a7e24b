#include "base/temporary.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = ".tmp-", kOldMark = ".tmp", kReplaced = ".old";
constexpr size_t kHostDigits = 8;
constexpr std::chrono::hours kForgotten(7 * 24);

std::string machine_id() {
  try {
    return read_file("/etc/machine-id");
  } catch (const Error&) {
    return "";
  }
}

const std::string& this_host() {
  static const std::string host = [] {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    std::error_code none;
    const std::string processes = fs::read_symlink("/proc/self/ns/pid", none).string();
    return hash_hex(fmt::format("{}\n{}\n{}", name.data(), machine_id(), processes))
        .substr(0, kHostDigits);
  }();
  return host;
}

// What the name of a temporary says.
struct Temporary {
  std::string target;  // its name
  std::string host;    // "": an earlier version's
  int pid = 0;
  bool replaced = false;  // it holds what was there before
};

std::optional<Temporary> read_name(std::string_view name) {
  Temporary out;
  out.replaced = name.ends_with(kReplaced);
  if (out.replaced) name.remove_suffix(kReplaced.size());
  size_t at = name.rfind(kMark);
  std::string_view rest;
  if (at != std::string_view::npos) {
    rest = name.substr(at + kMark.size());
    if (rest.size() < kHostDigits + 2 || rest[kHostDigits] != '-') return std::nullopt;
    out.host = rest.substr(0, kHostDigits);
    if (out.host.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
    rest.remove_prefix(kHostDigits + 1);
  } else {
    at = name.rfind(kOldMark);
    if (at == std::string_view::npos) return std::nullopt;
    rest = name.substr(at + kOldMark.size());
  }
  const auto pid = parse_whole(rest);
  if (at == 0 || !pid || *pid <= 0) return std::nullopt;
  out.target = name.substr(0, at);
  out.pid = *pid;
  return out;
}

// The last change of it, or of anything in it.
fs::file_time_type last_change(const fs::path& path) {
  std::error_code none;
  fs::file_time_type last = fs::last_write_time(path, none);
  if (fs::is_symlink(path, none) || !fs::is_directory(path, none)) return last;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path, none))
    last = std::max(last, entry.last_write_time(none));
  return last;
}

bool is_forgotten(const fs::path& path) {
  return last_change(path) + kForgotten < fs::file_time_type::clock::now();
}

// A process that its parent has not yet taken note of (a zombie) has ended, although it has a number.
bool has_ended(int pid) {
  if (::kill(pid, 0) != 0) return errno == ESRCH;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');  // the state follows the name, which may have brackets
  if (name_end == std::string::npos || name_end + 2 >= line.size()) return false;
  const char state = line[name_end + 2];
  return state == 'Z' || state == 'X';
}

bool is_leftover(const fs::path& path, const Temporary& temporary, Owner owner) {
  std::error_code none;
  // The only copy of what it replaced is nobody's to remove.
  if (temporary.replaced && !fs::exists(path.parent_path() / temporary.target, none)) return false;
  if (temporary.host == this_host()) return has_ended(temporary.pid);
  if (temporary.host.empty() && owner != Owner::kBitlaw) return false;
  return is_forgotten(path);
}

fs::path directory_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

std::string own_mark() {
  return fmt::format("{}{}-{}", kMark, this_host(), ::getpid());
}

}  // namespace

fs::path temporary_beside(const fs::path& target) {
  static std::mutex mutex;
  static std::set<fs::path> tidied;
  const fs::path directory = directory_of(target);
  std::error_code none;
  const fs::path name = fs::weakly_canonical(directory, none);
  bool first = false;
  {
    const std::lock_guard lock(mutex);
    first = tidied.insert(name).second;
  }
  if (first) remove_old_temporaries(directory);
  return target.string() + own_mark();
}

fs::path old_beside(const fs::path& target) {
  return target.string() + own_mark() + std::string(kReplaced);
}

void remove_old_temporaries(const fs::path& directory, Owner owner) {
  std::error_code none;
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    const auto temporary = read_name(entry.path().filename().string());
    if (temporary && is_leftover(entry.path(), *temporary, owner))
      leftovers.push_back(entry.path());
  }
  for (const fs::path& leftover : leftovers) fs::remove_all(leftover, none);
}

}  // namespace bitlaw
