// Jobs whose program is a shell script of the test: the same jobs and command lines as in a sweep,
// with something else behind them. Training the run `a` executes a.sh of the folder, quantizing it
// executes a-quantize.sh.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/test_folder.h"
#include "record/result.h"
#include "work/worker.h"

namespace bitlaw {

class ScriptedJobs {
 public:
  ScriptedJobs() {
    folder_.write("program",
                  "#!/bin/sh\n"
                  "name=$(basename \"$2\" .json)\n"
                  "test \"$1\" = quantize && name=$name-quantize\n"
                  "exec /bin/sh \"$(dirname \"$0\")/$name.sh\"\n");
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }

  // A job that trains a run by executing `script`; with `after`, one that quantizes that job's run.
  size_t add(const std::string& run, const std::string& script, int after = -1) {
    Job job;
    job.kind = after < 0 ? JobKind::kTrain : JobKind::kQuantize;
    job.run = run;
    job.name = after < 0 ? run : run + " (quantize)";
    job.after = after;
    folder_.write(run + (after < 0 ? ".sh" : "-quantize.sh"), script + "\n");
    jobs.push_back(job);
    return jobs.size() - 1;
  }
  // The script of a run that succeeds as far as its record is concerned.
  std::string finishing(const std::string& run) const {
    write_result(folder_ / ("made/" + run), {.status = RunStatus::kDiverged});
    // Renamed into place, as a run does it: another worker may look in the middle.
    const std::string made = (folder_ / ("made/" + run)).string(), copy = made + ".$$";
    return "mkdir -p " + directory(run) + " && cp -r " + made + " " + copy + " && mv " + copy +
           "/* " + directory(run);
  }
  std::string directory(const std::string& run) const { return (runs() / run).string(); }

  std::filesystem::path runs() const { return folder_ / "runs"; }
  std::string program() const { return (folder_ / "program").string(); }
  WorkOptions options(int parallel = 2) const {
    return {.runs = runs(), .program = program(), .parallel = parallel, .quiet = true};
  }
  const TestFolder& folder() const { return folder_; }

  std::vector<Job> jobs;

 private:
  TestFolder folder_;
};

}  // namespace bitlaw
