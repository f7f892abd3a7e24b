// A PlanRequest, understood: what is free, what is fixed, what a bit costs.
#pragma once

#include <string>
#include <vector>

#include "laws/registry.h"
#include "plan/forms.h"
#include "plan/plan.h"

namespace bitlaw {

inline constexpr double kFewestBits = 1, kMostBits = 32;  // a free P stays within

struct PlanProblem {
  bool free_params = false, free_tokens = false;
  std::vector<double Bits::*> free_bits;  // parts that are free one by one
  bool free_tied = false;                 // one P for all parts is free
  bool ignores_bits = false;              // asked for a free P, of a law that knows no bits
  Bits bits;                              // where not free
  CostModel cost;
  double compute = 0;             // FLOP at 16 bits; 0 = no budget
  double params = 0, tokens = 0;  // where not free
  double post_bits = 0;           // 0 = not quantized after training
  std::vector<double> available;  // what a free P may be; empty = anything

  bool bits_are_free() const { return free_tied || !free_bits.empty(); }
};

// Returns "" or the sentence that says what is wrong with the request.
std::string read_problem(const PlanRequest& request, const Law& law, PlanProblem& out);

}  // namespace bitlaw
