// Studies simulated from a law with known constants, to compare a fit with the truth.
//
//   loss  = L(run) exp(noise (sqrt(1 - shared) z_run + sqrt(shared) z_trunk)),    z ~ N(0, 1)
//   delta = delta(run) + delta_noise (the same mixture of other z)
//
// Runs of one trunk (runs that branch from the same training) share z_trunk. All z are
// counter-based (base/random.h): a study is a pure function of its design, its constants and its
// seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "fit/fit.h"
#include "laws/bind.h"
#include "laws/observation.h"

namespace bitlaw {

// The runs of a study, and their noise. The defaults are the design of arXiv 2411.04330.
struct StudyOptions {
  std::vector<double> params{30e6, 60e6, 110e6, 220e6};             // N
  std::vector<double> tokens{1.5e9, 3.3e9, 6.5e9, 13.1e9, 26.2e9};  // D
  std::vector<double> ratios;  // D / N, in addition to `tokens`
  // In addition to the unquantized run: bits of one part with the others at 16, bits of all parts
  // together, precision classes.
  std::vector<double> weights{3, 4, 5, 6, 7, 8, 12};
  std::vector<double> activations{4, 5, 6, 7, 8, 12};
  std::vector<double> kv{3, 4, 5, 6, 7, 8, 12};
  std::vector<double> keys, values, embedding, head;  // of a law with bits of these parts
  std::vector<double> tied;
  std::vector<std::string> classes;
  std::vector<std::string> inputs;  // of a formula: "experts=1", "8", "depth=4"; every combination
  std::vector<double> post{3, 4, 5, 6};  // P_post of the runs that are unquantized in training
  int64_t replicates = 1;                // seeds per run
  double noise = 1e-3;                   // standard deviation of log loss
  double delta_noise = 2e-4;             // of delta, nats
  double shared = 0;                     // share of both variances common to a trunk
  std::string trunk = "run";             // "size": runs of one N and precision share a trunk
  double diverged = 12;                  // nats; a run with a higher loss has diverged
  uint64_t seed = 1;

  template <class V>
  void visit(V& v) {
    v("params", params, "sizes N");
    v("tokens", tokens, "training tokens D; empty = 1.5e9,3.3e9,6.5e9,13.1e9,26.2e9");
    v("ratios", ratios, "ratios D/N, in addition to the token counts");
    v("weights", weights, "weight bits, other parts at 16");
    v("activations", activations, "activation bits, other parts at 16");
    v("kv", kv, "KV bits, other parts at 16");
    v("keys", keys, "key bits, other parts at 16, for a law that has them");
    v("values", values, "value bits, other parts at 16");
    v("embedding", embedding, "bits of the embeddings, other parts at 16");
    v("head", head, "bits of the output head, other parts at 16");
    v("tied", tied, "bits of all parts together");
    v("classes", classes, "precision classes, such as W4A4 or MXFP4");
    v("inputs", inputs, "values of the inputs of a formula, every combination: experts=1,8,64");
    v("post", post, "weight bits after training, of the runs at 16 bits");
    v("replicates", replicates, "seeds per run");
    v("noise", noise, "standard deviation of log loss");
    v("delta_noise", delta_noise, "standard deviation of delta, nats");
    v("shared", shared, "share of the variance common to the runs of one trunk");
    v("trunk", trunk,
      "run: each run is its own trunk; size: runs of one N and precision share a trunk");
    v("diverged", diverged, "a run with a loss above this, in nats, has diverged");
    v("seed", seed, "seed of the noise");
  }
};

// The runs of a design, without losses. What the law does not model is left out: precisions if it
// has no bits, post-training quantization if it has no term for it. Error if a number is invalid.
std::vector<Observation> design_runs(const Law& law, const StudyOptions& options);

// A law bound to the classes of some runs, with constants.
struct Truth {
  BoundLaw law;
  std::vector<double> values;
};
// The published set called `set` ("" = the first) or, if given, `fit`; then `overrides`, "E=1.8".
// Error if a constant is unknown, or if the fit has no constant for a class of the runs.
Truth truth_for(const Law& law, const std::vector<Observation>& runs, const std::string& set,
                const Fit* fit, const std::vector<std::string>& overrides);

struct SimulatedStudy {
  std::vector<Observation> rows;
  int diverged = 0;  // runs left out
};

// Gives every run a loss (or whatever the law predicts), and every row quantized after training a
// delta. Trunks are the rows' clusters. Existing losses and deltas are replaced.
SimulatedStudy draw_study(const Truth& truth, const std::vector<Observation>& runs,
                          const StudyOptions& options);

// .law .constants .diverged .options .rows[] as of table_to_json() (table/write_table.h).
Json study_json(const Truth& truth, const SimulatedStudy& study, const StudyOptions& options);

}  // namespace bitlaw
