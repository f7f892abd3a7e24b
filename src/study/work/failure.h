// Why a job failed: RUNS/failures/KEY.json. It stands until the job is tried again and succeeds, so
// that no worker tries in vain what another has tried.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "work/job.h"

namespace bitlaw {

struct Failure {
  std::string job;  // its name, for people
  int exit_code = 0;
  std::string message;
  std::string log;                  // below the directory of runs
  std::string host, time, program;  // where, when, and by which version
  int64_t attempts = 1;

  template <class V>
  void visit(V& v) {
    v("job", job);
    v("exit_code", exit_code);
    v("message", message);
    v("log", log);
    v("host", host);
    v("time", time);
    v("program", program);
    v("attempts", attempts);
  }
};

// Error if the file is damaged, with its path.
std::optional<Failure> read_failure(const Job& job, const std::filesystem::path& runs);
void write_failure(const Job& job, const std::filesystem::path& runs, const Failure& failure);

// The job may be tried again. False if it had not failed.
bool forget_failure(const Job& job, const std::filesystem::path& runs);

// Whether a failure is one of the file system, which every other job would meet, too.
bool is_about_the_disk(const std::string& message);

}  // namespace bitlaw
