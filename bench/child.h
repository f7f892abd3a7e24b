// A program that a benchmark compares with. It is started once and answers every line of input with
// one line of JSON.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace bitlaw::bench {

class Child {
 public:
  // `words`: the program, looked up in PATH, and its arguments. Its numerical libraries use `threads`
  // threads.
  Child(std::vector<std::string> words, int threads) : name_(words.front()) {
    int to[2], from[2];
    if (::pipe(to) != 0 || ::pipe(from) != 0) throw Error("pipe: cannot start " + name_);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ < 0) throw Error("fork: cannot start " + name_);
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      for (const int end : {to[0], to[1], from[0], from[1]}) ::close(end);
      for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
        ::setenv(name, std::to_string(threads).c_str(), 1);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    ::signal(SIGPIPE, SIG_IGN);
    out_ = ::fdopen(to[1], "w");
    in_ = ::fdopen(from[0], "r");
  }
  ~Child() {
    std::fclose(out_);
    std::fclose(in_);
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line it writes; null if it has ended.
  Json answer() {
    std::string line;
    for (int c = std::fgetc(in_); c != EOF && c != '\n'; c = std::fgetc(in_))
      line.push_back(static_cast<char>(c));
    return line.empty() ? Json(nullptr) : parse_json(line, "the answer of " + name_);
  }
  Json ask(const std::string& line) {
    std::fputs((line + "\n").c_str(), out_);
    std::fflush(out_);
    return answer();
  }

 private:
  std::string name_;
  pid_t process_ = -1;
  std::FILE *in_ = nullptr, *out_ = nullptr;
};

}  // namespace bitlaw::bench
