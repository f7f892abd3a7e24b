// From an optimum to an answer: its numbers, their intervals over a fit's draws, and their
// sensitivity to each constant and each budget.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/optimum.h"
#include "plan/result.h"
#include "predict/constants.h"

namespace bitlaw {

// Solves one problem for many sets of constants of one law. Refers to its arguments.
class Planner {
 public:
  Planner(const PlanProblem& problem, const Constants& constants);

  const PlanProblem& problem() const { return problem_; }
  const Constants& constants() const { return constants_; }

  // `use` (of a PlanTask) for these constants, in the law's order.
  template <class Use>
  auto with(const std::vector<double>& values, const Use& use) const {
    const Predictor predictor(*constants_.law, values.data(), problem_.surroundings);
    const EffectiveForm form(*constants_.law, values);
    const auto result = use(PlanTask{problem_, predictor, closed_ ? &form : nullptr});
    evaluations_ += predictor.evaluations();
    return result;
  }

  int64_t evaluations() const { return evaluations_; }

 private:
  const PlanProblem& problem_;
  const Constants& constants_;
  const bool closed_;
  mutable int64_t evaluations_ = 0;
};

// A point and its costs.
PlanOptimum numbers_of(const PlanTask& task, const PlanPoint& point);

// The answer as a run.
Observation run_of(const PlanOptimum& best, const Planner& planner);

// The label of a choice from a list: "W4A4", "4 bits", "4/8/16 bits".
std::string label_of(const PlanProblem& problem, const PlanPoint& point);

// The ends of this share of the values, by linear interpolation; none for fewer than 20 finite values, which
// cannot show such a tail.
std::optional<PlanInterval> interval(std::vector<double> values, double level);

// .optimum, .intervals, .choices, .sensitivity and .budgets with .binding of the best plan, or the
// reason why there is none.
std::string add_optimum(Plan& plan, const Planner& planner, Limits& limits);
// .optimum, .intervals and .sensitivity of the best model to serve within `budget` bits.
std::string add_served(Plan& plan, const Planner& planner, double budget);
// .critical_data, a row for each P_post.
void add_critical_data(Plan& plan, const Planner& planner, double params,
                       const std::vector<double>& post_bits);

}  // namespace bitlaw
