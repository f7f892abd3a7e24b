// The jobs that are not done, as a list of shell commands, RUNS/jobs.sh. A line is a run: the job
// that trains it, then those that wait for it. So no line depends on another, as tools that run lists
// of commands expect:
//
//   sh RUNS/jobs.sh
//   xargs -d '\n' -P 8 -I{} sh -c {} < RUNS/jobs.sh
//   parallel -j 8 < RUNS/jobs.sh
//   sbatch --array=1-38 --wrap 'sed -n "${SLURM_ARRAY_TASK_ID}p" RUNS/jobs.sh | sh'

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/names.h"
#include "base/text.h"
#include "record/beside_runs.h"
#include "sweep/cluster.h"
#include "sweep/launcher.h"

namespace bitlaw {
namespace {

// `first`, then the jobs that wait for it, in an order in which they can run.
std::vector<size_t> chain_from(size_t first, const std::vector<Job>& jobs,
                               const std::vector<JobOutcome>& outcomes) {
  std::vector<size_t> chain{first};
  for (size_t place = 0; place < chain.size(); ++place) {
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].after == static_cast<int>(chain[place]) &&
          outcomes[i].state == JobState::kWaiting)
        chain.push_back(i);
    }
  }
  return chain;
}

// Ends with what a scheduler has to be told: `# size=small: 1.2e+12 FLOP, 41 MiB`.
std::string line_of(const std::vector<size_t>& chain, const std::vector<Job>& jobs,
                    const LaunchOptions& options) {
  std::string line;
  double cost = 0, memory_bytes = 0;
  for (const size_t i : chain) {
    std::string separator = line.empty() ? "" : " && ";
    for (const std::string& word : job_command(jobs[i], options.runs, options.program))
      line += std::exchange(separator, " ") + shell_word(word);
    cost += jobs[i].cost;
    memory_bytes = std::max(memory_bytes, jobs[i].memory_bytes);
  }
  line += fmt::format("  # {}: {:.2g} FLOP", printable(jobs[chain[0]].name), cost);
  if (memory_bytes > 0) line += ", " + format_bytes(memory_bytes);
  return line + "\n";
}

}  // namespace

Launched launch_script(const std::vector<Job>& jobs, const LaunchOptions& options) {
  Launched launched{outcomes_so_far(jobs, options.runs), ""};
  const auto waiting = [&](int i) {
    return launched.outcomes[static_cast<size_t>(i)].state == JobState::kWaiting;
  };
  std::string script;
  int lines = 0;
  for (int i = 0; i < static_cast<int>(jobs.size()); ++i) {
    const int before = jobs[static_cast<size_t>(i)].after;
    if (!waiting(i) || (before >= 0 && waiting(before))) continue;
    script += line_of(chain_from(static_cast<size_t>(i), jobs, launched.outcomes), jobs, options);
    ++lines;
  }
  const std::filesystem::path file = options.runs / kScriptFile;
  write_file_atomically(file, script);
  launched.note = file.string() + ": nothing is left to run";
  if (lines > 0) {
    launched.note = fmt::format(
        "{}: {} independent {}; run from this directory in any order, for example with: "
        "parallel < {}",
        file.string(), lines, lines == 1 ? "line" : "lines", shell_word(file.string()));
  }
  return launched;
}

}  // namespace bitlaw
