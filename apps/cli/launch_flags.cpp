#include "cli/launch_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time.h"

namespace bitlaw::cli {
namespace {

// "slurm or condor"
std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

}  // namespace

void LaunchFlags::keep(const std::string& name, std::vector<std::string> launchers,
                       Option* option) {
  flags_.push_back({name, std::move(launchers), option});
}

void LaunchFlags::add(App* verb) {
  verb->add_option("--launcher", launcher_, launcher_help())->default_str("local");
  const std::vector<std::string> batch{"slurm", "condor"};
  keep("--tasks", batch,
       verb->add_option("--tasks", cluster_.tasks, "slurm, condor: workers, each with --jobs cores")
           ->positive());
  keep("--at-once", batch,
       verb->add_option("--at-once", cluster_.at_once, "slurm, condor: so many of them at a time")
           ->positive());
  keep(
      "--time-limit", batch,
      verb->add_option("--time-limit", limit_,
                       "slurm, condor: of a task, such as 2h; it stops before, and goes on later"));
  keep(
      "--margin", batch,
      verb->add_option("--margin", margin_, "slurm, condor: how long before its end a task stops"));
  keep("--slurm-option", {"slurm"},
       verb->add_option("--slurm-option", cluster_.slurm_options,
                        "slurm: an option of sbatch, such as partition=short (repeatable)")
           ->allow_extra_args(false));
  keep("--condor-option", {"condor"},
       verb->add_option("--condor-option", cluster_.condor_options,
                        "condor: a line of the submit file (repeatable)")
           ->allow_extra_args(false));
  keep("--ranks", {"mpi"},
       verb->add_option("--ranks", cluster_.ranks, "mpi: processes")->positive());
  keep("--mpirun", {"mpi"},
       verb->add_option("--mpirun", cluster_.mpirun, "mpi: the command, with its options")
           ->default_str("mpirun"));
  keep("--worker", {"slurm", "condor", "mpi"},
       verb->add_option("--worker", cluster_.worker,
                        "slurm, condor, mpi: how a task calls bitlaw, such as 'apptainer exec "
                        "bitlaw.sif bitlaw' (default: this program)"));
}

const Launcher& LaunchFlags::launcher() const {
  return launcher_named(launcher_);
}

ClusterOptions LaunchFlags::parsed() const {
  for (const Flag& flag : flags_) {
    const bool has =
        std::find(flag.launchers.begin(), flag.launchers.end(), launcher_) != flag.launchers.end();
    if (flag.option->count() > 0 && !has) {
      throw UsageError(fmt::format("{} is for --launcher {}, not {}", flag.name,
                                   joined(flag.launchers), launcher_));
    }
  }
  ClusterOptions cluster = cluster_;
  if (!limit_.empty()) cluster.limit_seconds = parse_duration(limit_, "--time-limit");
  if (!margin_.empty()) cluster.margin_seconds = parse_duration(margin_, "--margin");
  return cluster;
}

}  // namespace bitlaw::cli
