// A PlanRequest, understood: what is free, what is fixed, what may be spent.
#pragma once

#include <string>
#include <vector>

#include "laws/effective.h"
#include "plan/devices.h"
#include "plan/limits.h"
#include "plan/plan.h"
#include "plan/precision.h"
#include "plan/predictor.h"

namespace bitlaw {

struct PlanProblem {
  bool free_params = false, free_tokens = false;
  std::vector<double Bits::*> free_bits;  // parts that are free one by one
  bool free_tied = false;                 // one P for all parts is free
  bool free_post = false;                 // bits of the weights after training
  bool ignores_bits = false;              // asked for a free P, of a law that knows no bits
  Precision precision;                    // where not free
  CostModel cost;                         // by which training cost is stated
  Limits limits;
  Surroundings surroundings;
  double params = 0, tokens = 0;         // where not free
  double post_bits = 0;                  // 0 = not quantized after training
  std::vector<double> available;         // what a free P may be; empty = anything
  std::vector<PrecisionChoice> formats;  // a free precision is one of these; empty = any bits
  std::vector<double> post;              // what a free P_post may be, 0 = none; empty = anything

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

// `devices`: see find_device; `knows_bits`: whether the loss of training depends on bits. Returns ""
// or the sentence that says what is wrong with the request.
std::string read_problem(const PlanRequest& request, const Law& law, const Json& devices,
                         bool knows_bits, PlanProblem& out);

}  // namespace bitlaw
