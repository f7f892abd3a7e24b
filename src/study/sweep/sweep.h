// The verb `sweep`: a study file to finished runs.
//
//   study.h      the file to cells            plan.h      cells to runs with names, and jobs
//   timing.h     how long that takes          minutes.h   as many tokens as fit into a time
//   job.h        a process, as data           launcher.h  who starts the processes
//
// All it knows is in the run directories: it can be stopped at any moment and called again.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "base/parallel.h"
#include "sweep/launcher.h"
#include "sweep/minutes.h"

namespace bitlaw {

struct SweepOptions {
  std::vector<std::string> study;  // the file, then overrides such as base.train.lr=1e-2
  std::string runs;                // directory of the runs; empty: runs/NAME of the study
  const Launcher* launcher = &launcher_named("local");
  std::string program;                // the path of bitlaw, to start jobs
  int jobs = hardware_threads();      // processes at a time, one thread each
  double minutes = 0;                 // shrink all token counts to take so long; 0: as they are
  bool look_only = false;             // say what is done and what is to do
  bool quiet = false;                 // no progress
  std::atomic<bool>* stop = nullptr;  // may be set at any time
};

struct SweepFailure {
  std::string job;
  int exit_code = 0;
  std::string message, log;

  template <class V>
  void visit(V& v) {
    v("job", job);
    v("exit_code", exit_code);
    v("message", message);
    v("log", log);
  }
};

struct SweepCell {
  std::string run, label, status;
  int64_t N = 0, D = 0;
  double flops = 0;  // of its training
  bool quantize = false;

  template <class V>
  void visit(V& v) {
    v("run", run);
    v("label", label);
    v("status", status);
    v("N", N);
    v("D", D);
    v("flops", flops);
    v("quantize", quantize);
  }
};

struct SweepResult {
  std::string study, runs;
  // Of the study's tokens.
  double scale = 1;
  // All of them, and by their state.
  int jobs = 0, done = 0, waiting = 0, failed = 0, skipped = 0;
  std::vector<SweepFailure> failures;
  std::vector<SweepCell> cells;
  // Of the launcher: what to do next.
  std::string note;

  template <class V>
  void visit(V& v) {
    v("study", study);
    v("runs", runs);
    v("scale", scale);
    v("jobs", jobs);
    v("done", done);
    v("waiting", waiting);
    v("failed", failed);
    v("skipped", skipped);
    v("failures", failures);
    v("cells", cells);
    v.known("note", note);
  }
};

// Error for a study that is wrong, or if another sweep works in the same directory. A job that fails
// is part of the result.
SweepResult sweep(
    const SweepOptions& options, const SweepNote& note = [](const std::string&) {});

}  // namespace bitlaw
