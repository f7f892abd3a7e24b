// Somebody who reads the results of a study while its jobs run. A worker asks twice a second, so
// answers are what is known already; whatever takes time happens elsewhere.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "work/job.h"

namespace bitlaw {

class Advisor {
 public:
  virtual ~Advisor() = default;
  // The jobs, their runs, and the directory that relative paths in them count from.
  virtual void begin(const std::vector<Job>& jobs, const std::filesystem::path& runs,
                     const std::filesystem::path& directory) = 0;
  // So many jobs have ended until now, here and elsewhere.
  virtual void ended(size_t jobs) = 0;
  // What the results say so far, for people; "" if nothing yet.
  virtual std::string line() = 0;
  // Indices of jobs that should start first; empty if that is not known.
  virtual std::vector<size_t> first() = 0;
  // No more jobs: what is still to be read is read now, unless that takes long.
  virtual void finish() = 0;
};

}  // namespace bitlaw
