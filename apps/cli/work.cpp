// bitlaw work: one more worker for a study, on this machine or another one.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/parallel.h"
#include "base/range.h"
#include "base/say.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/verb.h"
#include "cli/work_flags.h"
#include "sweep/join.h"
#include "train/interrupt.h"
#include "watch/watch.h"

namespace bitlaw::cli {
namespace {

struct JoinFlags {
  WorkFlags work;
  std::string runs, directory, idle;
  int jobs = hardware_threads();
  int left_status = -1, failed_status = 1;  // -1: not given
  bool stay = false, quiet = false, json = false;
};

int64_t count(const JoinResult& result, JobState state) {
  return std::count_if(result.worked.outcomes.begin(), result.worked.outcomes.end(),
                       [&](const JobOutcome& outcome) { return outcome.state == state; });
}

Json failures_of(const JoinResult& result) {
  Json failures = Json::array();
  for (size_t i = 0; i < result.jobs.size(); ++i) {
    if (result.worked.outcomes[i].state != JobState::kFailed) continue;
    failures.push_back({{"job", result.jobs[i].name},
                        {"exit_code", result.worked.outcomes[i].exit_code},
                        {"message", result.worked.outcomes[i].message}});
  }
  return failures;
}

void print_joined(const JoinResult& result, const std::optional<LawSoFar>& law, bool json) {
  const int64_t done = count(result, JobState::kDone), running = count(result, JobState::kRunning);
  const int64_t failed = count(result, JobState::kFailed);
  const int64_t waiting = count(result, JobState::kWaiting);
  const Json failures = failures_of(result);
  if (json) {
    Json document{{"study", result.study},
                  {"jobs", result.jobs.size()},
                  {"done", done},
                  {"running_elsewhere", running},
                  {"waiting", waiting},
                  {"failed", failed},
                  {"skipped", count(result, JobState::kSkipped)},
                  {"failures", failures}};
    if (law) document["law"] = struct_to_json(*law);
    print_json(document);
    return;
  }
  fmt::print("{}: {} of {} jobs done, {} running elsewhere, {} failed, {} waiting\n", result.study,
             done, result.jobs.size(), running, failed, waiting);
  for (const Json& failure : failures)
    fmt::print("failed: {}: {}\n", failure["job"].get<std::string>(),
               failure["message"].get<std::string>());
}

// The exit status of a worker whose time was over, or that was asked to stop by SIGUSR1 or SIGUSR2,
// for a scheduler that starts it again on --left-status.
int status_when_out_of_time(const JoinFlags& flags, const JoinResult& result) {
  if (result.worked.advanced) {
    say("out of time, with jobs left");
    return flags.left_status;
  }
  if (!result.worked.begun) return 0;  // whatever is left runs elsewhere
  throw Error(
      "the time was over before any job came to a later saved state; give the worker more time "
      "(--for, --time-limit)");
}

void run_work(const JoinFlags& flags) {
  WorkOptions options = flags.work.parsed();
  options.runs = flags.runs;
  options.program = own_path();
  options.parallel = flags.jobs;
  options.quiet = flags.quiet;
  options.stop = &stop_work;
  options.wait_for_others = flags.stay;
  if (!flags.idle.empty()) options.idle_seconds = parse_duration(flags.idle, "--idle");
  Watch watch({.order = options.order == JobOrder::kInformative});
  options.advisor = &watch;
  stop_work_on_signals();
  const JoinResult result = join(options, flags.directory, [&](const std::string& sentence) {
    if (!flags.quiet) say("{}", sentence);
  });
  print_joined(result, watch.law(), flags.json);
  if (!result.worked.note.empty()) say("note: {}", result.worked.note);
  if (!result.worked.trouble.empty()) throw Error(trouble_sentence(result.worked.trouble));
  const bool out_of_time = stop_work ? stop_was_announced() : result.worked.time_over;
  if (flags.left_status >= 0 && out_of_time && count(result, JobState::kWaiting) > 0) {
    exit_status = status_when_out_of_time(flags, result);
  } else if (stop_work) {
    say("stopped; any worker goes on with what is left");
    exit_status = kInterruptedExitCode;
  } else if (count(result, JobState::kFailed) > 0) {
    exit_status = flags.failed_status;
  }
}

}  // namespace

void add_work(App& app) {
  auto flags = std::make_shared<JoinFlags>();
  App* verb = add_verb(app, "work", "Take jobs of a study that was begun with `sweep`",
                       "bitlaw work runs/demo --jobs 4 --for 2h");
  verb->add_option("runs", flags->runs, "directory of the study's runs")->required();
  verb->add_option("--jobs", flags->jobs, "processes at a time, one thread each")
      ->whole(1, kMostThreads);
  verb->add_option("--directory", flags->directory,
                   "where relative paths of the data count from (default: as in the sweep)");
  flags->work.add(verb);
  verb->add_option("--idle", flags->idle,
                   "end when there was nothing to start for this time, such as 2m");
  verb->add_option("--left-status", flags->left_status,
                   "exit status if the time was over with jobs left and some brought forward");
  verb->add_option("--failed-status", flags->failed_status, "exit status if jobs have failed")
      ->default_str("1");
  verb->add_flag("--stay", flags->stay,
                 "stay until the jobs of other workers have ended, to take over where one dies");
  verb->add_flag("--quiet", flags->quiet, "no progress");
  verb->add_flag("--json", flags->json, "print one JSON document");
  verb->callback([flags] { run_work(*flags); });
}

}  // namespace bitlaw::cli
