#include "corpus/apt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/stop.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Ours, with messages in English.
std::vector<std::string> environment() {
  std::vector<std::string> out = {"LC_ALL=C"};
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("LC_ALL=")) out.emplace_back(*variable);
  }
  return out;
}

// The status of a child that ends by itself, or is ended because a stop was requested.
int wait_for(pid_t child) {
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (ended < 0) return 1;
    if (stop_requested()) ::kill(child, SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// Runs a command in `folder`, with its output in `log`. Returns its status; 127 if there is no such
// command.
int run(std::vector<std::string> command, const fs::path& folder, const fs::path& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  std::vector<std::string> variables = environment();
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, command.front().c_str(), &actions, nullptr,
                                     pointers(command).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  const int status = failure != 0 ? 127 : wait_for(child);
  end_if_stop_requested();
  return status;
}

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
  if (run({"apt-get", "--version"}, work_, work_ / "version.log") == 127) {
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
    const int status = run(apt_get(own_list_options(), {"update"}), work_, log);
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
      const int status = run(
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
