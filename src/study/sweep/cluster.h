// What the launchers for clusters have in common: a task there is a worker, `bitlaw work RUNS`
// (work/worker.h). It takes jobs of the study until none is left, so short jobs share a task, and it
// does not matter how many tasks there are, where they run, or when.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "work/worker.h"

namespace bitlaw {

struct ClusterOptions {
  int tasks = 8;                            // of Slurm and HTCondor; no more than there are jobs
  int at_once = 0;                          // tasks that may run at the same time; 0: all
  double limit_seconds = 0;                 // after which a task is ended; 0: not known
  double margin_seconds = 0;                // to stop before that; 0: default_margin()
  std::vector<std::string> slurm_options;   // partition=short: further lines of the script
  std::vector<std::string> condor_options;  // +ProjectName="x": further lines of the submit file
  int ranks = 0;                            // of MPI
  std::string mpirun = "mpirun";            // the command, with its options
  std::string worker;  // how a task calls bitlaw, for example in a container; empty: this program
};

// A word that the POSIX shell reads as `text`. Error for a line break.
std::string shell_word(const std::string& text);
std::string shell_line(const std::vector<std::string>& words);

// The file of this name in a directory of PATH, or `name` itself if it is a path; empty if there is
// none that can be executed.
std::filesystem::path find_program(const std::string& name);

// How long before its end a task stops: a twentieth of the limit, between one and five minutes, and
// no more than half of it.
double default_margin(double limit_seconds);

// How long workers run: until the margin, or as long as --for says; 0: no limit.
double worker_seconds(const WorkOptions& work, const ClusterOptions& cluster);

// Of a task that runs `work.parallel` jobs at a time, with room for what cannot be predicted; 0 if
// nothing is known.
double task_memory_bytes(const std::vector<Job>& jobs, const WorkOptions& work);

// `bitlaw work RUNS` and its flags. Paths are absolute.
std::vector<std::string> worker_arguments(const WorkOptions& work, const ClusterOptions& cluster);

// The same and task_arguments() as a line of the shell, begun as `cluster.worker` says.
std::string worker_line(const WorkOptions& work, const ClusterOptions& cluster);

// Jobs that are neither done nor failed.
size_t jobs_left(const std::vector<Job>& jobs, const std::filesystem::path& runs);

// Exit status of a worker that was stopped before its time was over, with jobs left and some brought
// forward: its task goes on later. EX_TEMPFAIL of sysexits.h.
inline constexpr int kGoOnStatus = 75;

// Further arguments of a worker that is one of many tasks: it leaves its place when there was nothing
// to start for a while, and says with kGoOnStatus that it should be started again.
std::vector<std::string> task_arguments();

}  // namespace bitlaw
