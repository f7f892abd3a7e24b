// The verb `sweep`: a study file to finished runs.
//
//   study.h      the file to cells            plan.h      cells to runs with names, and jobs
//   selection.h  which of them are made: conditions.h, budget.h, have.h
//   timing.h     how long that takes          minutes.h   as many tokens as fit into a time
//   speeds.h     of machines                  forecast.h  what it takes, said before it starts
//   launcher.h   who runs the jobs            join.h      one more worker
//   work/        jobs as data, claims, and the worker that runs them
//
// All it knows is in the run directories: it can be stopped at any moment and called again.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "base/parallel.h"
#include "sweep/forecast.h"
#include "sweep/launcher.h"
#include "sweep/minutes.h"
#include "sweep/selection.h"

namespace bitlaw {

struct SweepOptions {
  std::vector<std::string> study;  // the file, then overrides such as base.train.lr=1e-2
  std::string runs;                // directory of the runs; empty: runs/NAME of the study
  const Launcher* launcher = &launcher_named("local");
  std::string program;             // the path of bitlaw, to start jobs
  int jobs = hardware_threads();   // processes at a time, one thread each
  double minutes = 0;              // shrink all token counts to take so long; 0: as they are
  SelectionOptions selection;      // which cells
  bool forecast = false;           // say what it will take
  double price_per_core_hour = 0;  // for the forecast; 0: not given
  bool look_only = false;          // say what is done and what is to do
  double seconds = 0;              // end after that time, to go on later; 0: no limit
  double memory_bytes = 0;         // of all processes together; 0: no limit
  int nice = 0;                    // of the processes
  JobOrder order = JobOrder::kLongest;
  double lease_seconds = 60;          // work/claim.h
  ClusterOptions cluster;             // of launchers that use others' machines
  bool show_script = false;           // with look_only: what the launcher would write or call
  bool retry = false;                 // the jobs that have failed
  bool quiet = false;                 // no progress
  bool tensorboard = false;           // runs also write event files (record/event_file.h)
  Advisor* advisor = nullptr;         // reads the results meanwhile; may be null
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
  std::string run, label, status, detail;  // sweep/look.h
  int64_t N = 0, D = 0;
  double flops = 0;  // of its training
  bool quantize = false;

  template <class V>
  void visit(V& v) {
    v("run", run);
    v("label", label);
    v("status", status);
    v.known("detail", detail);
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
  // Of the launcher: what to do next, and why no job could go on.
  std::string note, trouble;
  std::optional<Forecast> forecast;
  std::string script;  // of the launcher, if asked for

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
    v.known("trouble", trouble);
    v.known("forecast", forecast);
    v.known("script", script);
  }
};

// Error for a study that is wrong. A job that fails is part of the result. Several sweeps and workers
// may share a directory.
SweepResult sweep(
    const SweepOptions& options, const SweepNote& note = [](const std::string&) {});

}  // namespace bitlaw
