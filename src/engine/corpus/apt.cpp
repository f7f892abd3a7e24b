#include "corpus/apt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/command.h"
#include "base/file.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string last_error(const fs::path& log) {
  std::string last = "no answer", error;
  for (const std::string& line : split(read_file(log), '\n')) {
    if (line.starts_with("E: ")) error = line.substr(3);
    if (!line.empty()) last = line;
  }
  return error.empty() ? last : error;
}

template <size_t count>
bool has_any(const std::string& text, const std::array<std::string_view, count>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view phrase) { return text.find(phrase) != text.npos; });
}

// apt's words for a server that does not answer; "" if there are none.
std::string no_connection(const fs::path& log) {
  constexpr std::array<std::string_view, 7> kPhrases{
      "Could not connect",        "Could not resolve", "Temporary failure resolving",
      "Unable to connect",        "Connection failed", "Cannot initiate the connection",
      "Could not create a socket"};
  for (const std::string& line : split(read_file(log), '\n')) {
    if (has_any(line, kPhrases)) return trim(line);
  }
  return "";
}

bool is_full(const fs::path& folder, const std::string& reason) {
  constexpr std::array<std::string_view, 3> kPhrases{"No space left on device", "enough free space",
                                                     "Disk quota exceeded"};
  constexpr uintmax_t kLeastBytes = 4096;
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return has_any(reason, kPhrases) || (!error && space.available < kLeastBytes);
}

fs::path package_in(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".deb") return entry.path();
  }
  return {};
}

std::vector<std::string> apt_get(const std::vector<std::string>& options,
                                 const std::vector<std::string>& task) {
  // Without the sandbox user, who may not write here.
  std::vector<std::string> command = {"apt-get", "-q", "-o", "APT::Sandbox::User="};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), task.begin(), task.end());
  return command;
}

}  // namespace

// apt takes a relative directory as one below `/`.
Apt::Apt(fs::path work) : work_(fs::absolute(work)) {
  make_directories(work_);
  if (run_command({"apt-get", "--version"}, work_, work_ / "version.log") == 127) {
    throw Error(
        "apt-get is not on this system, and the text comes from Debian packages; give `bitlaw data "
        "prepare` a folder of your own .txt or .jsonl files");
  }
}

std::vector<std::string> Apt::own_list_options() const {
  return {"-o", fmt::format("Dir::State={}", (work_ / "state").string()),
          "-o", "Dir::State::status=/var/lib/dpkg/status",
          "-o", fmt::format("Dir::Cache={}", (work_ / "cache").string())};
}

void Apt::fetch_own_lists() {
  const std::lock_guard lock(mutex_);
  if (!own_lists_) {
    make_directories(work_ / "state/lists/partial");
    make_directories(work_ / "cache/archives/partial");
    const fs::path log = work_ / "update.log";
    const int status = run_command(apt_get(own_list_options(), {"update"}), work_, log);
    own_lists_ = status == 0 ? "" : last_error(log);
    no_connection_ = no_connection(log);
  }
  if (!own_lists_->empty()) throw Unreachable(*own_lists_);
}

fs::path Apt::download(const std::vector<std::string>& names, const fs::path& folder) {
  if (const fs::path found = package_in(folder); !found.empty()) return found;
  const fs::path temporary = work_ / names.front();
  fs::remove_all(temporary);
  make_directories(temporary);
  const fs::path log = work_ / (names.front() + ".log");
  std::string reason, silent;
  const auto note = [](std::string& first, const std::string& now) {
    if (first.empty()) first = now;
  };
  for (const bool own_lists : {false, true}) {
    if (own_lists) {
      if (!silent.empty()) throw NoConnection(silent);
      fetch_own_lists();
      note(silent, no_connection_);
    }
    for (const std::string& name : names) {
      const int status = run_command(
          apt_get(own_lists ? own_list_options() : std::vector<std::string>{}, {"download", name}),
          temporary, log);
      if (const fs::path package = package_in(temporary); status == 0 && !package.empty()) {
        make_directories(folder);
        fs::rename(package, folder / package.filename());
        return folder / package.filename();
      }
      reason = last_error(log);
      note(silent, no_connection(log));
      if (is_full(work_, reason)) {
        throw Error(fmt::format(
            "{}: cannot be fetched to {}: the disk is full; free some space and run this again: "
            "what is finished is kept",
            name, work_.parent_path().string()));
      }
    }
  }
  if (!silent.empty()) throw NoConnection(silent);
  throw Unreachable(reason);
}

}  // namespace bitlaw
