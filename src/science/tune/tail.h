// Whether a size is tuned enough, from the losses near the best.
//
// Configurations are drawn at random (or spread evenly) over the ranges that are searched. Near the
// best one, alpha, the loss without noise is a quadratic form, so the share of configurations with a
// loss below q is
//
//   F(q) = p ((q - alpha) / (t - alpha))^(gamma / 2)        alpha <= q <= t
//
// where gamma is the effective number of hyperparameters: how many matter there. What is seen is q plus
// normal noise of deviation sigma: the noisy quadratic (Lourie, He and Cho 2025; that it tells whether
// a size is tuned enough for scaling laws: arXiv 2608.11859). alpha, gamma and sigma are those of
// greatest likelihood, given the losses below a threshold t. Intervals are those of a walk through the
// likelihood (Metropolis), with nothing known before but wide bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"

namespace bitlaw {

struct NoisyQuadratic {
  double alpha = 0;      // nats: the least loss that these hyperparameters can reach
  double gamma = 2;      // effective dimension
  double sigma = 0;      // nats
  double threshold = 0;  // t
  double share = 0;      // p: of the configurations, whose loss is below t

  // Of a loss that is seen, given that the quadratic goes on above t.
  double density(double loss) const;
  double below(double loss) const;
};

// An estimate with a 90 % interval; NaN where there is none.
struct TuneEstimate {
  double value = kNoNumber, low = kNoNumber, high = kNoNumber;

  template <class V>
  void visit(V& v) {
    v("value", value);
    v("low", low);
    v("high", high);
  }
};

// What is lost on average by the best of `configurations`, in nats above alpha.
struct Regret {
  int64_t configurations = 0;
  TuneEstimate nats;

  template <class V>
  void visit(V& v) {
    v("configurations", configurations);
    v("nats", nats);
  }
};

struct TailFit {
  int64_t configurations = 0, in_tail = 0;
  TuneEstimate alpha, dimension, noise;
  std::vector<Regret> regrets;  // of 4, 16, 64, 256 and of as many as there were
  std::string missing;          // why there is no fit; empty if there is one
  bool enough = false;          // the high end of its regret is below the tolerance

  template <class V>
  void visit(V& v) {
    v("configurations", configurations);
    v("in_tail", in_tail);
    v("alpha", alpha);
    v("dimension", dimension);
    v("noise", noise);
    v("regrets", regrets);
    v.known("missing", missing);
    v("enough", enough);
  }
};

struct TailOptions {
  double tolerance = 0.01;   // nats of regret that count as tuned
  double noise = kNoNumber;  // deviation between seeds, where it was measured
  uint64_t seed = 1;
};

// Losses of all configurations of one size, in any order; infinite where a run diverged.
TailFit fit_tail(std::vector<double> losses, const TailOptions& options = {});

// The fit itself, without intervals; empty if there are too few losses, or they have no such tail.
std::optional<NoisyQuadratic> fit_noisy_quadratic(const std::vector<double>& sorted, double noise);

// On average, over many draws of so many configurations of which the one with the least loss seen is
// taken: its loss without noise, above alpha.
double expected_regret(const NoisyQuadratic& tail, int64_t configurations, uint64_t seed,
                       int draws = 400);

}  // namespace bitlaw
