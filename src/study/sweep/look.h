// What there is to see of a study: how each cell stands, why one is as it is, and what no cell needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "sweep/plan.h"
#include "work/outcome.h"

namespace bitlaw {

struct CellState {
  // finished, diverged, failed, damaged, running, interrupted, waiting, or in table (sweep/have.h).
  std::string status;
  std::string detail;  // who works on it and how far it is, or what went wrong; may be empty
};

// One per run of the plan. `outcomes`: one per job.
std::vector<CellState> cell_states(const SweepPlan& plan, const std::vector<Job>& jobs,
                                   const std::vector<JobOutcome>& outcomes);

// All about one cell.
struct Why {
  std::string run, label, status, detail;
  // Of the job that failed, if one did: its exit status, message, when and where, and the last lines
  // of its log.
  std::string failed_job, message, when, log;
  int exit_code = 0;
  std::vector<std::string> log_lines;
  // The jobs that it waits for.
  std::vector<std::string> waits_for;
  // "train.seed = 2": what it sets besides the defaults of `bitlaw train`.
  std::vector<std::string> sets;
  // The finished run that differs in the fewest keys, and these: "train.seed: 1 here, 2 there".
  std::string nearest;
  std::vector<std::string> differs;
  // The command that makes it.
  std::string command;

  template <class V>
  void visit(V& v) {
    v("run", run);
    v("label", label);
    v("status", status);
    v.known("detail", detail);
    v.known("failed_job", failed_job);
    v.known("message", message);
    v.known("when", when);
    v("exit_code", exit_code);
    v.known("log", log);
    v.known("log_lines", log_lines);
    v.known("waits_for", waits_for);
    v("sets", sets);
    v.known("nearest", nearest);
    v.known("differs", differs);
    v("command", command);
  }
};

// `cell`: the beginning of a run's name, or all words of a label such as "size=small train.seed=1".
// Error unless it is one cell.
Why why(const SweepPlan& plan, const std::string& cell, const std::string& program);

// What is in the directory of runs without being of any use to the study: runs that no cell names, with
// their files; trunks that no run will branch off any more; claims of workers that have ended.
std::vector<std::filesystem::path> superfluous(const SweepPlan& plan);

}  // namespace bitlaw
