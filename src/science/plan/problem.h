// A parsed PlanRequest: what is free, what is fixed, and the budgets.
#pragma once

#include <string>
#include <vector>

#include "formats/block_noise.h"
#include "laws/effective.h"
#include "laws/fitted_classes.h"
#include "plan/devices.h"
#include "plan/limits.h"
#include "plan/plan.h"
#include "plan/precision.h"
#include "plan/predictor.h"
#include "predict/constants.h"

namespace bitlaw {

struct PlanProblem {
  bool free_params = false, free_tokens = false;
  std::vector<double Bits::*> free_bits;       // parts that are free one by one
  bool free_tied = false;                      // one P for all parts is free
  bool free_post = false;                      // bits of the weights after training
  bool splits_kv = false, mean_of_kv = false;  // keys and values apart; the law cannot tell them
  // Parts that a P which is free may be of: those that a law made from a formula depends on.
  Parts may_be_free = kAllParts;
  bool ignores_bits = false;  // a free P was requested of a law without bits
  Precision precision;        // if not free
  CostModel cost;             // for the cost of training
  Limits limits;
  Surroundings surroundings;
  bool fits_fixed = false;        // the law was fitted with N_eff = N_fixed + (N - N_fixed) f
  double params = 0, tokens = 0;  // if not free
  double tokens_per_param = 0;    // > 0: D is this times N
  double post_bits = 0;           // 0 = not quantized after training
  std::vector<double> available;  // values of a free P; empty = any
  FittedClasses classes;          // of the table that the law was fitted to, or none
  // What rated the formats of that table.
  GaussianErrorSource gaussian_error = GaussianErrorSource::kLeast;
  std::vector<PrecisionChoice> formats;  // a free precision is one of these; empty = any bits
  std::vector<double> post;              // values of a free P_post, 0 = none; empty = any
  bool with_sensitivity = true;          // to each constant

  bool bits_are_free() const { return free_tied || !free_bits.empty(); }
  // Precision is chosen from a list rather than from a continuum.
  bool discrete() const {
    return !(bits_are_free() ? formats.empty() && available.empty() : post.empty());
  }
  // `precision` may refer to one of `formats`, `fixed` to itself: not to be copied.
  PlanProblem() = default;
  PlanProblem(const PlanProblem&) = delete;
  PlanProblem& operator=(const PlanProblem&) = delete;
  PrecisionChoice fixed;
};

// What a plan's reader must know of how keys, values and N are counted; empty if there is nothing.
std::vector<std::string> notes_on_counts(const PlanProblem& problem, const Constants& constants);

// `request`: .free as it is, without free_of; `devices`: see find_device. Returns "" or the error.
std::string read_problem(const PlanRequest& request, const Constants& constants,
                         const Json& devices, PlanProblem& out);

// A law that does not depend on N or D would choose any: the sentence that says so, or "".
std::string check_felt(const PlanProblem& problem, const Constants& constants);

}  // namespace bitlaw
