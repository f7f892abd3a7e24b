#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "plan/answer.h"
#include "plan/given.h"
#include "plan/problem.h"
#include "plan/unused.h"
#include "predict/constants.h"

namespace bitlaw {
namespace {

Plan failed(const std::string& sentence) {
  Plan plan;
  plan.error = sentence;
  return plan;
}

void add_notes(Plan& plan, const PlanProblem& problem, const Planner& planner) {
  const Constants& constants = planner.constants();
  const Law& law = *constants.law;
  std::vector<std::string>& notes = plan.notes = constants.notes;
  if (problem.ignores_bits) {
    notes.push_back(fmt::format("{} does not model bits{}: P stays at {}.", law.name,
                                law.uses_bits ? " in training" : "",
                                problem.precision.bits.weights));
  } else if (constants.knows_bits && problem.may_be_free != kAllParts) {
    std::vector<std::string> lacking;
    for (size_t i = 0; i < problem.may_be_free.size(); ++i) {
      if (!problem.may_be_free[i])
        lacking.emplace_back(std::array{"weights", "activations", "keys and values"}[i]);
    }
    notes.push_back(fmt::format("{} does not depend on the bits of {}: {}.", law.name,
                                fmt::join(lacking, ", "),
                                problem.bits_are_free() ? "they stay at 16" : "they only cost"));
  } else if (!constants.knows_bits && problem.precision.bits.weights != kUnquantizedBits) {
    notes.push_back(fmt::format(
        "{} does not model training precision: lower bits cut the cost but not the quality.",
        law.name));
  }
  std::string inputs;
  for (size_t i = 0; i < law.inputs.size(); ++i) {
    inputs += fmt::format("{}{} = {:g}", i == 0 ? "" : ", ", law.inputs[i].name,
                          problem.surroundings.inputs[i].value);
  }
  if (!inputs.empty()) notes.push_back(fmt::format("Planned for {}.", inputs));
  if (!plan.optimum) return;
  const Serving& serving = problem.limits.serving;
  if (serving.context > 0 && serving.kv_entries == 0) {
    notes.emplace_back(
        "The KV cache is an estimate for a decoder 128 times as wide as deep; give layers and "
        "kv_width for yours.");
  }
  if (problem.limits.serving.memory_bytes > 0) {
    for (std::string& each : assumptions(plan.request, problem.limits.file))
      notes.push_back(std::move(each));
  }
  for (const PrecisionChoice& format : problem.formats) {
    if (!named_precision(format.forward) && !problem.classes.find(format.forward)) {
      notes.push_back(fmt::format(
          "{}: the name does not define bits, so the cost is that of 16 bits.", format.name));
    }
  }
  for (std::string& each : notes_on_counts(problem, constants)) notes.push_back(std::move(each));
  if (const FixedParams& fixed = problem.surroundings.fixed; fixed.is_known()) {
    const double share = fixed.share_of_total(plan.optimum->params);
    notes.push_back(fmt::format(
        "N counts all parameters; embeddings and head are {:.0f} % of them here ({}), which no "
        "precision shrinks.",
        100 * share,
        problem.limits.file.shape.measured.is_known() ? "as in the fit's table"
                                                      : "by vocabulary and width"));
  }
  const std::vector<std::string>& free = plan.request.free;
  if (constants.knows_bits && law.predicts == Predicts::kLoss &&
      std::find(free.begin(), free.end(), "P") != free.end()) {
    const PlanRequest& request = plan.request;
    const bool by_compute = request.device.empty() && request.gpu_hours == 0;
    const bool nothing_else = by_compute && request.memory_bytes == 0 && request.serve_tokens == 0;
    plan.convention = fmt::format(
        "The best bits are those of {}, at {}{}. Other laws and costs give others: --laws {},{}.",
        law.name,
        !by_compute                ? "the speeds of the device"
        : request.cost == "linear" ? "a cost linear in bits"
                                   : "the cost " + request.cost,
        free.size() == 3 && law.has_share && nothing_else
            ? "; with N and D free, its form makes them independent of the compute"
            : "",
        default_law().name, additive_rival().name);
  }
  const PlanOptimum& best = *plan.optimum;
  if (best.params < 1 || best.tokens < 1) {
    notes.push_back(fmt::format(
        "No such model exists, with {:.2g} parameters and {:.2g} training tokens: check "
        "the budgets, the bits and the constants.",
        best.params, best.tokens));
  }
  const double effective = best.effective_params.value_or(0);
  if (law.predicts == Predicts::kLoss && constants.knows_bits && effective < 2e-3 * best.params) {
    notes.emplace_back(
        "Under this law training fails at these bits: almost no effective parameters remain, and "
        "the loss is meaningless; allow more bits.");
  }
  plan.next_run = predict_run(constants, run_of(best, planner));
  if (!plan.next_run->beyond.empty()) {
    notes.push_back(
        fmt::format("Extrapolates beyond the runs that the constants were fitted to: {}.",
                    fmt::join(plan.next_run->beyond, ", ")));
  }
  if (constants.fitted && !plan.next_run->problem.empty())
    notes.push_back(fmt::format("No interval of a run: {}.", plan.next_run->problem));
}

// A law of the best share of quantization-aware training: nothing is minimised, the share is asked
// for. Returns "" or what is wrong.
std::string add_share(Plan& plan, const Planner& planner) {
  const PlanProblem& problem = planner.problem();
  const Constants& constants = planner.constants();
  const auto solve = [&](const std::vector<double>& values) {
    return planner.with(values, [&](const PlanTask& task) {
      return task.predictor.loss(problem.params, problem.tokens, problem.precision, 0);
    });
  };
  const double share = solve(constants.values);
  if (!std::isfinite(share)) {
    return fmt::format(
        "tokens: {} has no share for this N, D and precision; give bits below 16 "
        "and more tokens than parameter bytes",
        constants.law->name);
  }
  PlanOptimum& best = plan.optimum.emplace();
  best.params = problem.params;
  best.tokens = problem.tokens;
  best.tokens_per_param = problem.tokens / problem.params;
  best.bits_weights = problem.precision.bits.weights;
  best.bits_activations = problem.precision.bits.activations;
  best.bits_kv = problem.precision.bits.kv;
  best.qat_share = share;
  best.qat_tokens = share * problem.tokens;
  std::vector<double> shares, tokens;
  for (const std::vector<double>& draw : constants.draws) {
    shares.push_back(solve(draw));
    tokens.push_back(shares.back() * problem.tokens);
  }
  const double level = drawn_level(constants, 0.9);
  const auto of_share = interval(std::move(shares), level),
             of_tokens = interval(std::move(tokens), level);
  if (of_share && of_tokens) {
    plan.intervals = {{"qat_share", *of_share}, {"qat_tokens", *of_tokens}};
  }
  return "";
}

}  // namespace

Plan make_plan(const PlanRequest& asked, const Json& fit, const Json& devices, PlanDepth depth) {
  std::string wrong = check_given(asked);
  if (!wrong.empty()) return failed(wrong);
  Constants constants;
  wrong = read_constants(asked.law, asked.constants, fit, constants);
  if (!wrong.empty()) return failed(wrong);
  const Law& law = *constants.law;
  PlanRequest request = asked;
  request.law = law.name;
  request.free = free_of(asked);
  if (law.predicts == Predicts::kGap) {
    return failed(
        fmt::format("{} predicts the gap of a recipe to its reference run, not a loss; plan with a "
                    "law of losses",
                    law.name));
  }
  if (!law.needs_sizes) {
    return failed(fmt::format(
        "{} depends on neither N nor D, so there is nothing to plan; `bitlaw predict` gives its "
        "loss at a value of {}",
        law.name, law.inputs.empty() ? "its inputs" : law.inputs[0].column));
  }
  const bool of_share = law.predicts == Predicts::kQatShare;
  if (of_share) {
    request.free.clear();
    if (!(request.params > 0) || !(request.tokens > 0)) {
      return failed(fmt::format(
          "{}: {} says what share of the tokens to train with quantization, not a loss; give "
          "params, tokens and bits",
          request.params > 0 ? "tokens" : "params", law.name));
    }
  }
  if (!law.has_delta &&
      (request.critical_data || request.inference_budget > 0 || request.post_bits > 0)) {
    return failed(fmt::format("{} does not model quantization after training; plan with {}",
                              law.name, laws_with_delta()));
  }
  PlanProblem problem;
  problem.with_sensitivity = depth == PlanDepth::kAll;
  wrong = read_problem(request, constants, devices, problem);
  if (wrong.empty()) wrong = check_used(request, law, constants.total);
  if (wrong.empty() && !of_share) wrong = check_felt(problem, constants);
  if (wrong.empty() && !of_share) wrong = check_used(request, problem);
  if (!wrong.empty()) return failed(wrong);

  Plan plan;
  plan.law = law.name;
  plan.source = constants.source;
  plan.knows_bits = constants.knows_bits;
  plan.request = request;
  const Planner planner(problem, constants);
  if (of_share) {
    wrong = add_share(plan, planner);
  } else if (request.critical_data) {
    if (!(request.params > 0))
      return failed("params: critical data depends on the number of parameters; give N");
    if (request.bits.empty()) return failed("bits: give the list of P_post, for example 3,4,5,6");
    add_critical_data(plan, planner, request.params, request.bits);
  } else if (request.inference_budget > 0) {
    wrong = add_served(plan, planner, request.inference_budget);
  } else {
    wrong = add_optimum(plan, planner, problem.limits);
  }
  if (!wrong.empty()) return failed(wrong);
  add_notes(plan, problem, planner);
  plan.evaluations = planner.evaluations();
  return plan;
}

}  // namespace bitlaw
