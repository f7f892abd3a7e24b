#include "sweep/launcher.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/names.h"

namespace bitlaw {
namespace {

constexpr Launcher kLaunchers[] = {
    {.name = "local",
     .help = "as processes on this machine, --jobs at a time",
     .launch = launch_local,
     .works_here = true},
    {.name = "script",
     .help = "runs nothing; writes the commands to RUNS/jobs.sh, one line per run",
     .launch = launch_script},
    {.name = "slurm",
     .help = "as tasks of a job array, submitted with sbatch",
     .launch = launch_slurm,
     .script = slurm_script},
    {.name = "condor",
     .help = "runs nothing; writes RUNS/condor.sub for condor_submit",
     .launch = launch_condor,
     .script = condor_script},
    {.name = "mpi",
     .help = "as --ranks processes of mpirun",
     .launch = launch_mpi,
     .script = mpi_command},
};

}  // namespace

std::span<const Launcher> launchers() {
  return kLaunchers;
}

const Launcher& launcher_named(const std::string& name) {
  std::vector<std::string> known;
  for (const Launcher& launcher : kLaunchers) {
    if (name == launcher.name) return launcher;
    known.push_back(launcher.name);
  }
  throw Error(unknown_name("launcher", name, known));
}

std::string launcher_help() {
  std::string help = "how the jobs are run";
  for (const Launcher& launcher : kLaunchers)
    help += fmt::format("{} {} ({})", &launcher == kLaunchers ? ":" : ",", launcher.name,
                        launcher.help);
  return help;
}

}  // namespace bitlaw
