#include "cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kLongestSeconds = 120;

int open_or_exit(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (file < 0) ::_exit(kNoSurroundings);
  return file;
}

// After fork and before exec: nothing here allocates or throws.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment,
                         const Surroundings& around, const std::string& in, const std::string& out,
                         const std::string& err) {
  const int input = open_or_exit(in, O_RDONLY);
  const int output = open_or_exit(out, O_WRONLY | O_CREAT);
  const int error = open_or_exit(err, O_WRONLY | O_CREAT);
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(error, 2) < 0 ||
      ::chdir(around.directory.c_str()) != 0)
    ::_exit(kNoSurroundings);
  if (around.largest_file) {
    const rlimit limit{*around.largest_file, *around.largest_file};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(kNoSurroundings);
  }
  // What is dropped from the bounding set is gone after exec, for the superuser too.
  if (around.no_privileges && ::geteuid() == 0 &&
      ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) != 0)
    ::_exit(kNoSurroundings);
  ::alarm(kLongestSeconds);
  ::execve(program, arguments, environment);
  ::_exit(kNoSurroundings);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

pid_t start(const char* program, const std::vector<std::string>& arguments,
            const Surroundings& around, const std::string& in, const std::string& out,
            const std::string& err) {
  std::vector<std::string> texts{program}, variables{std::string("BITLAW=") + BITLAW_PROGRAM};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string variable = *each;
    if (!around.variables.contains(variable.substr(0, variable.find('='))))
      variables.push_back(variable);
  }
  for (const auto& [name, value] : around.variables) variables.push_back(name + "=" + value);
  const std::vector<char*> argument_pointers = pointers_to(texts),
                           variable_pointers = pointers_to(variables);
  const pid_t pid = ::fork();
  if (pid == 0)
    become(program, argument_pointers.data(), variable_pointers.data(), around, in, out, err);
  BITLAW_CHECK(pid > 0);
  return pid;
}

void collect_children(pid_t pid, std::vector<pid_t>& out) {
  const std::string number = std::to_string(pid);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  for (pid_t child = 0; children >> child;) {
    out.push_back(child);
    collect_children(child, out);
  }
}

}  // namespace

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "bitlaw-cli-XXXXXX").string();
  BITLAW_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(path_, ignored)) {
    if (entry.is_directory(ignored))
      fs::permissions(entry.path(), fs::perms::owner_all, fs::perm_options::add, ignored);
  }
  fs::remove_all(path_, ignored);
}

Json Outcome::json() const {
  try {
    return parse_json(out, "standard output");
  } catch (const Error& error) {
    ADD_FAILURE() << error.what() << "\nstandard output: " << out << "\nstandard error: " << err;
    return nullptr;
  }
}

namespace {

Outcome run(const char* program, const std::vector<std::string>& arguments,
            const Surroundings& around) {
  const Folder streams;
  const std::string in = streams.path() / "in", out = streams.path() / "out",
                    err = streams.path() / "err";
  write_text(in, around.input);
  const pid_t pid =
      start(program, arguments, around, in, around.output_to.empty() ? out : around.output_to, err);
  int status = 0;
  BITLAW_CHECK(::waitpid(pid, &status, 0) == pid);
  Outcome outcome;
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (fs::exists(out)) outcome.out = read_file(out);
  if (fs::exists(err)) outcome.err = read_file(err);
  return outcome;
}

}  // namespace

Outcome run_bitlaw(const std::vector<std::string>& arguments, const Surroundings& around) {
  return run(BITLAW_PROGRAM, arguments, around);
}

Outcome run_shell(const std::string& command, const Surroundings& around) {
  return run("/bin/sh", {"-c", command}, around);
}

std::string program_path() {
  return BITLAW_PROGRAM;
}

pid_t start_bitlaw(const std::vector<std::string>& arguments, const Surroundings& around,
                   const fs::path& errors) {
  return start(BITLAW_PROGRAM, arguments, around, "/dev/null", "/dev/null", errors);
}

std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> out;
  collect_children(pid, out);
  return out;
}

void kill_with_children(pid_t pid) {
  ::kill(pid, SIGSTOP);  // starts no further ones
  const std::vector<pid_t> children = descendants_of(pid);
  ::kill(pid, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  for (const pid_t child : children) {
    // They belong to init now; one that nobody has waited for yet holds no files any more.
    for (int i = 0; i < 1000 && ::kill(child, 0) == 0; ++i) {
      std::string state;
      std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
      std::getline(stat, state);
      if (state.find(") Z ") != std::string::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

Snapshot snapshot_of(const fs::path& folder) {
  Snapshot snapshot;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == "index.sqlite") continue;
    const std::string name = entry.path().lexically_relative(folder).string();
    snapshot[name] = entry.is_regular_file() ? hash_hex(read_file(entry.path())) : "not a file";
  }
  return snapshot;
}

std::string differences(const Snapshot& before, const Snapshot& after) {
  std::string out;
  for (const auto& [name, content] : before) {
    const auto found = after.find(name);
    if (found == after.end())
      out += name + " was removed\n";
    else if (found->second != content)
      out += name + " was changed\n";
  }
  for (const auto& [name, content] : after) {
    if (before.count(name) == 0) out += name + " was made\n";
  }
  return out;
}

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  BITLAW_CHECK(file.good());
}

void copy_tree(const fs::path& from, const fs::path& to) {
  BITLAW_CHECK(!fs::exists(to));
  fs::copy(from, to, fs::copy_options::recursive);
}

}  // namespace bitlaw
