#include "corpus/apt.h"

#include <fmt/format.h>

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

Apt::Apt(fs::path work) : work_(std::move(work)) {
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
  }
  if (!own_lists_->empty()) throw Unreachable(*own_lists_);
}

fs::path Apt::download(const std::vector<std::string>& names, const fs::path& folder) {
  if (const fs::path found = package_in(folder); !found.empty()) return found;
  const fs::path temporary = work_ / names.front();
  fs::remove_all(temporary);
  make_directories(temporary);
  const fs::path log = work_ / (names.front() + ".log");
  std::string reason;
  for (const bool own_lists : {false, true}) {
    if (own_lists) fetch_own_lists();
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
    }
  }
  throw Unreachable(reason);
}

}  // namespace bitlaw
