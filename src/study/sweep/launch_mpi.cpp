// The jobs by the ranks of mpirun, for centres that want one large job instead of many small ones.
// Each rank is a worker and knows nothing of the others (no MPI is linked): claims on the shared file
// system share the jobs out.

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "record/beside_runs.h"
#include "sweep/cluster.h"
#include "sweep/launcher.h"
#include "work/process.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// A rank that fails would end the others, so ranks say nothing of failed jobs in their status: that
// is in the records. They stay until all is done, since their places are paid for.
std::vector<std::string> command_of(const LaunchOptions& options) {
  const ClusterOptions& cluster = options.cluster;
  if (cluster.ranks < 1) throw Error("--launcher mpi: how many processes? Say --ranks N");
  std::vector<std::string> command;
  for (const std::string& word : split(cluster.mpirun, ' ')) {
    if (!word.empty()) command.push_back(word);
  }
  if (command.empty()) throw Error("--mpirun: expected a command, such as mpirun");
  command.insert(command.end(), {"-n", std::to_string(cluster.ranks)});
  std::vector<std::string> worker = worker_arguments(options, cluster);
  worker.insert(worker.end(), {"--stay", "--failed-status", "0", "--quiet"});
  if (cluster.worker.empty()) {
    command.push_back(fs::absolute(options.program).string());
    command.insert(command.end(), worker.begin(), worker.end());
  } else {
    command.insert(command.end(),
                   {"/bin/sh", "-c", "exec " + cluster.worker + " " + shell_line(worker)});
  }
  return command;
}

// Its exit status, or 128 + the signal. A stop is passed on once, as SIGUSR1, which mpirun gives to
// all ranks; SIGTERM would leave them a second to save what they have.
int wait_for(pid_t pid, const std::atomic<bool>* stop) {
  bool asked = false;
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) break;
    if (stop != nullptr && stop->load() && !asked) {
      ::kill(pid, SIGUSR1);
      asked = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::string mpi_command(const std::vector<Job>&, const LaunchOptions& options) {
  return shell_line(command_of(options)) + "\n";
}

Launched launch_mpi(const std::vector<Job>& jobs, const LaunchOptions& options) {
  std::vector<std::string> command = command_of(options);
  const fs::path program = find_program(command[0]);
  if (program.empty()) {
    throw Error(fmt::format(
        "{}: not found; load the module that has MPI, or name its command with --mpirun",
        command[0]));
  }
  command[0] = program.string();
  Launched launched{outcomes_so_far(jobs, options.runs), ""};
  if (jobs_left(jobs, options.runs) == 0) return launched;
  const fs::path log = options.runs / kLogsFolder / "mpi.log";
  const int status = wait_for(start_process(command, {.log = log}), options.stop);
  launched.outcomes = outcomes_so_far(jobs, options.runs);
  const bool stopped = options.stop != nullptr && options.stop->load();
  if (status != 0 && !stopped)
    launched.trouble =
        fmt::format("{} ended with status {}; {} says why", command[0], status, log.string());
  return launched;
}

}  // namespace bitlaw
