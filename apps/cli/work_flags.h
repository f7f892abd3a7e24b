// The flags that `sweep` and `work` have in common: how this machine runs jobs.
#pragma once

#include <atomic>
#include <string>

#include "cli/app.h"
#include "work/worker.h"

namespace bitlaw::cli {

struct WorkFlags {
  std::string seconds, memory, order = "longest", lease = "60s";
  int nice = 0;
  bool tensorboard = false;

  void add(App* verb);
  // The options of the flags; Error with the flag that is wrong.
  WorkOptions parsed() const;
};

// Why a worker had to stop, and what to do.
std::string trouble_sentence(const std::string& trouble);

// Set by Ctrl-C, SIGTERM, SIGUSR1 and SIGUSR2 once stop_work_on_signals() was called. Schedulers of
// clusters send the last two before they end a job.
extern std::atomic<bool> stop_work;
void stop_work_on_signals();
// Whether it was SIGUSR1 or SIGUSR2: the time of this process is over, and nobody has cancelled it.
bool stop_was_announced();

}  // namespace bitlaw::cli
