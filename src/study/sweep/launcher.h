// A launcher runs the jobs of a sweep, or hands them to something that does. It is a function and a
// line of the table in launcher.cpp. It keeps no state: a job is done when the record of its run says
// so, so a sweep can be stopped at any moment and launched again.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sweep/cluster.h"
#include "work/worker.h"

namespace bitlaw {

struct LaunchOptions : WorkOptions {
  LaunchOptions(WorkOptions work) : WorkOptions(std::move(work)) {}
  ClusterOptions cluster{};
};

struct Launched {
  std::vector<JobOutcome> outcomes;  // one per job
  std::string note{};                // what to do next, for people; may be empty
  std::string trouble{};             // why no job could go on; empty if there is none
};

struct Launcher {
  const char* name;  // of --launcher
  const char* help;  // how the jobs are run
  // Leaves out jobs that are done, and starts none before the job that it waits for is done; a job
  // that fails stops only those that wait for it. The files of write_job_files() are there.
  Launched (*launch)(const std::vector<Job>& jobs, const LaunchOptions& options);
  // The jobs run on this machine, and have ended when the call returns. Otherwise they come with
  // their memory_bytes.
  bool works_here = false;
  // What it would write or call. Called before anything is written: Error for options that are wrong.
  std::string (*script)(const std::vector<Job>& jobs, const LaunchOptions& options) = nullptr;
};

std::span<const Launcher> launchers();
const Launcher& launcher_named(const std::string& name);  // Error with the nearest
std::string launcher_help();                              // of --launcher

// The functions of the table, each in a file of its name.
Launched launch_local(const std::vector<Job>& jobs, const LaunchOptions& options);
Launched launch_script(const std::vector<Job>& jobs, const LaunchOptions& options);
Launched launch_slurm(const std::vector<Job>& jobs, const LaunchOptions& options);
Launched launch_condor(const std::vector<Job>& jobs, const LaunchOptions& options);
Launched launch_mpi(const std::vector<Job>& jobs, const LaunchOptions& options);
std::string slurm_script(const std::vector<Job>& jobs, const LaunchOptions& options);
std::string condor_script(const std::vector<Job>& jobs, const LaunchOptions& options);
std::string mpi_command(const std::vector<Job>& jobs, const LaunchOptions& options);

}  // namespace bitlaw
