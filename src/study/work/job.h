// A job of a sweep: one process of this program, which trains, quantizes or times one run. A job is
// data alone, so that it can be written down, sent elsewhere and started there. All else is a
// function of the job and the directory of runs: its command line, whether it is done, how far it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "quantize/config.h"

namespace bitlaw {

enum class JobKind {
  kTrain,     // `bitlaw train`, until the run has its result
  kQuantize,  // `bitlaw quantize`, until the run has every cell of the grid
  kMeasure,   // `bitlaw train --measure`: a moment of training that leaves nothing but its log
};

struct Job {
  JobKind kind = JobKind::kTrain;
  std::string name;                     // unique, for people
  std::string run;                      // its directory below the directory of runs
  Json configuration = Json::object();  // kTrain, kMeasure: keys of `bitlaw train`
  int64_t tokens = 0;                   // kTrain: until the end, D
  int64_t checkpoints = 0;              // kTrain: models kept along the run
  bool share = false;                   // kTrain: begins and ends in a trunk (train/trunk.h)
  std::vector<int64_t> share_steps;     // kTrain: where other jobs leave the trunk
  PtqConfig grid;                       // kQuantize
  double cost = 1;          // any unit, the same for all: orders the queue and weighs progress
  double memory_bytes = 0;  // at its peak on one thread, predicted; 0: not known
  int after = -1;           // index of the job that must have succeeded first; -1: none
  // A branch: the job that comes past its beginning, the tokens until there, and the directory,
  // below the directory of runs, that is there from then on. It starts when that is there, or when
  // the trunk has ended in whatever way. -1: none.
  int trunk = -1;
  int64_t trunk_tokens = 0;
  std::filesystem::path trunk_state;
};

// The program and its arguments. `program` is the path of bitlaw where the job will run. Paths are
// as `runs` is: relative ones count from the directory in which the command is started.
std::vector<std::string> job_command(const Job& job, const std::filesystem::path& runs,
                                     const std::string& program);

// Its name in files: the run, and what is done with it.
std::string job_key(const Job& job);

// Where its output goes.
std::filesystem::path job_log(const Job& job, const std::filesystem::path& runs);

// Writes the files that commands read: the configuration of every run to train or measure.
void write_job_files(const std::vector<Job>& jobs, const std::filesystem::path& runs);

// From the record of its run: whether nothing is left to do, and the share done of a job that runs,
// 0 to 1. Error where the record of the run is damaged.
bool is_done(const Job& job, const std::filesystem::path& runs);
double share_done(const Job& job, const std::filesystem::path& runs);

// What is saved of a job that is not done: other text once it can be resumed from a later place.
std::string saved_state(const Job& job, const std::filesystem::path& runs);

}  // namespace bitlaw
