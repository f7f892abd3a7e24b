// The verb `tune`: fleets of configurations, one fleet for each size, token count and precision of a
// study, and what they say about the best hyperparameters.
//
//   a study with ranges     the hyperparameters to tune; lists name the fleets
//   successive halving      all configurations are trained to D/4, the better half of each fleet to D/2,
//                           and the better half of those to D. With a wsd schedule each goes on from its
//                           own trunk (train/trunk.h)
//   replicates              the best three again with other seeds: their losses are not those of the luck
//                           that chose them, and give the noise
//
// Every run is one of the study's directory, with a name and a row like any other.
// RUNS/tuning-marks says which are runs of tuning.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "sweep/minutes.h"
#include "sweep/sweep.h"
#include "tune/rule.h"

namespace bitlaw {

struct TuneOptions {
  SweepOptions sweep;  // the study and how this machine works; its selection is not used
  // Published tables (`bitlaw publish`): runs that have ended there, by their names, are not made again.
  std::vector<std::string> have;
  int64_t halvings = 2;     // 0: every configuration is trained to D
  int64_t replicates = 2;   // seeds besides the first, of the best three
  double tolerance = 0.01;  // nats: what the best may lose to the best possible in a tuned size
};

// One value of a hyperparameter.
struct TunedValue {
  std::string key;
  double value = kNoNumber;

  template <class V>
  void visit(V& v) {
    v("key", key);
    v("value", value);
  }
};

// What the configurations say that were trained to one D.
struct TuneRung {
  double D = 0;
  int64_t configurations = 0;
  Surface surface;

  template <class V>
  void visit(V& v) {
    v("D", D);
    v("configurations", configurations);
    v("surface", surface);
  }
};

struct FleetReport {
  std::string label, precision;
  double N = 0, D = 0;
  int64_t configurations = 0, diverged = 0;
  std::string best_run;          // of the first seed
  std::vector<TunedValue> best;  // its hyperparameters
  double best_loss = kNoNumber;  // the least one seen: it owes something to luck
  // Mean of the best configuration's other seeds, and its standard error; NaN without replicates.
  double replicated_loss = kNoNumber, replicated_error = kNoNumber;
  double noise = kNoNumber;  // deviation between seeds, nats; NaN without replicates
  TailFit tail;
  std::vector<TuneRung> rungs;  // the shortest first

  template <class V>
  void visit(V& v) {
    v("label", label);
    v("precision", precision);
    v("N", N);
    v("D", D);
    v("configurations", configurations);
    v("diverged", diverged);
    v.known("best_run", best_run);
    v("best", best);
    v("best_loss", best_loss);
    v("replicated_loss", replicated_loss);
    v("replicated_error", replicated_error);
    v("noise", noise);
    v("tail", tail);
    v("rungs", rungs);
  }
};

struct TuneResult {
  std::string study, runs;
  int64_t jobs = 0, failed = 0;
  bool complete = false;  // otherwise: stopped, or to be gone on with
  std::string trouble;    // as in SweepResult
  std::vector<FleetReport> fleets;
  std::vector<AxisRule> rules;  // of the fleets with the most bits
  std::vector<BitsShift> shifts;
  std::vector<std::string> sentences;  // what follows, for people

  template <class V>
  void visit(V& v) {
    v("study", study);
    v("runs", runs);
    v("jobs", jobs);
    v("failed", failed);
    v("complete", complete);
    v.known("trouble", trouble);
    v("fleets", fleets);
    v("rules", rules);
    v("shifts", shifts);
    v("sentences", sentences);
  }
};

// Error for a study that is wrong or has no ranges. With look_only, what the runs that are there say.
TuneResult tune(
    const TuneOptions& options, const SweepNote& note = [](const std::string&) {});

}  // namespace bitlaw
