// What a directory of runs holds beside its runs, which other machines may have written: jobs.json,
// claims, failures, marks of tuning, speeds, effort. Any bytes give a value or an Error.
#include <cstdint>

#include "base/error.h"
#include "input_folder.h"
#include "record/beside_runs.h"
#include "record/tuning_marks.h"
#include "runs/effort.h"
#include "sweep/speeds.h"
#include "work/claim.h"
#include "work/failure.h"
#include "work/jobs_file.h"
#include "work/queue.h"

namespace {

using namespace bitlaw;

const Job kJob{.name = "a job", .run = "key"};

template <class Read>
void result_or_error(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

// Jobs survive writing and reading, and can be put in any order.
void read_jobs(const InputFolder& runs) {
  const StudyJobs study = read_study_jobs(runs.path());
  const std::filesystem::path again = runs / "again";
  write_study_jobs(again, study);
  const std::string written = read_file(again / kJobsFile);
  write_study_jobs(again, read_study_jobs(again));
  BITLAW_CHECK(read_file(again / kJobsFile) == written);
  for (const JobOrder order :
       {JobOrder::kLongest, JobOrder::kCheapest, JobOrder::kTrunks, JobOrder::kStudy})
    BITLAW_CHECK(order_of(study.jobs, order).size() == study.jobs.size());
  planned_duration(study.jobs, 2);
}

void read_failed_job(const InputFolder& runs) {
  if (const auto failure = read_failure(kJob, runs.path())) {
    is_about_the_disk(failure->message);
    BITLAW_CHECK(!dump_json(struct_to_json(*failure)).empty());
  }
}

void read_claim(const InputFolder& runs) {
  double now = 0;
  Claims claims(runs / kClaimsFolder, 60, [&] { return now; });
  BITLAW_CHECK(claims.keys().size() == 1);
  for (now = 0; now < 200; now += 100) {
    if (const auto holder = claims.holder("key")) text_of(holder->process);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const InputFolder runs{kJobsFile,
                                kTuningFile,
                                kSpeedsFile,
                                kEffortFile,
                                std::string(kClaimsFolder) + "/key.1",
                                std::string(kFailuresFolder) + "/key.json",
                                "again/made"};
  runs.set(data, size);
  result_or_error([] { read_jobs(runs); });
  result_or_error([] { read_failed_job(runs); });
  result_or_error([] { read_claim(runs); });
  result_or_error([] { tuning_runs(runs.path()); });
  result_or_error([] { kept_speeds(runs.path(), 1); });
  BITLAW_CHECK(read_effort(runs.path()).is_array());
  return 0;
}
