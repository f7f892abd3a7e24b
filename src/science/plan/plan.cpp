#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/answer.h"
#include "plan/constants.h"
#include "plan/problem.h"

namespace bitlaw {
namespace {

constexpr double kNoticeableBits = 0.005;

Json request_json(PlanRequest request) {
  Json out = Json::object();
  auto write = [&out](const char* name, const auto& value, const char*) { out[name] = value; };
  request.visit(write);
  return out;
}

Json error(const std::string& sentence) {
  return {{"error", sentence}};
}

// How far the answer lies outside of the runs that the authors fitted their constants to.
void add_extrapolation(Json& notes, const Json& best, const Studied& studied) {
  if (studied.most_params == 0) return;
  std::vector<std::string> outside;
  for (const auto& [name, most] :
       {std::pair{"N", studied.most_params}, {"D", studied.most_tokens}}) {
    const double value = best[name].get<double>();
    if (value > most) {
      outside.push_back(fmt::format("{} is {:.3g} times their largest", name, value / most));
    }
  }
  // A name such as FP32 is not quantized for the law, however many bits it costs.
  const auto seen = [&](const char* part) {
    const double bits = best[part];
    return best.contains("precision") ? std::min(bits, kUnquantizedBits) : bits;
  };
  const double weights = seen("P_w"), activations = seen("P_a"), kv = seen("P_kv");
  const bool tied = weights == activations && weights == kv;
  for (const auto& [name, bits] : {std::pair{"P_w", weights}, {"P_a", activations}, {"P_kv", kv}}) {
    if (bits > studied.least_bits - kNoticeableBits && bits < studied.most_bits + kNoticeableBits) {
      continue;
    }
    outside.push_back(fmt::format("{} = {:.2f} is not within {} to {} bits", tied ? "P" : name,
                                  bits, studied.least_bits, studied.most_bits));
    if (tied) break;
  }
  if (!outside.empty()) {
    notes.push_back(fmt::format("Extrapolated beyond the runs behind the constants: {}.",
                                fmt::join(outside, ", ")));
  }
}

void add_notes(Json& plan, const PlanProblem& problem, const Constants& constants) {
  const Law& law = *constants.law;
  Json& notes = plan["notes"] = Json::array();
  for (const std::string& note : constants.notes) notes.push_back(note);
  if (problem.ignores_bits) {
    notes.push_back(fmt::format("{} does not model bits{}: P stays at {}.", law.name,
                                law.uses_bits ? " in training" : "",
                                problem.precision.bits.weights));
  } else if (!constants.knows_bits && problem.precision.bits.weights != kUnquantizedBits) {
    notes.push_back(fmt::format(
        "{} does not model training precision: lower bits cut the cost but not the quality.",
        law.name));
  }
  if (!plan.contains("optimum")) return;
  const Serving& serving = problem.limits.serving;
  if (serving.context > 0 && serving.kv_entries == 0) {
    notes.push_back(
        "The KV cache is an estimate for a decoder 128 times as wide as deep; give layers and "
        "kv_width for yours.");
  }
  for (const PrecisionChoice& format : problem.formats) {
    if (!named_precision(format.forward)) {
      notes.push_back(
          fmt::format("{}: its name gives no bits, so it costs as much as 16 bits.", format.name));
    }
  }
  const Json& best = plan["optimum"];
  const double params = best["N"], effective = best.value("N_eff", 0.0);
  if (law.predicts == Predicts::kLoss && constants.knows_bits && effective < 2e-3 * params) {
    notes.push_back(
        "By this law training fails at these bits: almost none of the parameters count, and the "
        "loss means nothing; allow more bits.");
  }
  add_extrapolation(notes, best, constants.studied);
}

// A law of the best share of quantization-aware training: nothing is minimised, the share is asked
// for. Returns "" or what is wrong.
std::string add_share(Json& plan, const Planner& planner) {
  const PlanProblem& problem = planner.problem();
  const Constants& constants = planner.constants();
  const auto solve = [&](const std::vector<double>& values) {
    const double share = planner.with(values, [&](const PlanTask& task) {
      return task.predictor.loss(problem.params, problem.tokens, problem.precision, 0);
    });
    return Numbers{{"qat_share", share}, {"qat_tokens", share * problem.tokens}};
  };
  const Numbers main = solve(constants.values);
  if (!std::isfinite(main[0].second)) {
    return fmt::format(
        "tokens: {} has no share for this N, D and precision; give bits below 16 "
        "and more tokens than parameter bytes",
        constants.law->name);
  }
  plan["optimum"] = {{"N", problem.params},
                     {"D", problem.tokens},
                     {"tokens_per_param", problem.tokens / problem.params},
                     {"P_w", problem.precision.bits.weights},
                     {"P_a", problem.precision.bits.activations},
                     {"P_kv", problem.precision.bits.kv}};
  for (const auto& [name, value] : main) plan["optimum"][name] = value;
  for (size_t i = 0; i < main.size() && !constants.draws.empty(); ++i) {
    std::vector<double> drawn;
    for (const std::vector<double>& draw : constants.draws) drawn.push_back(solve(draw)[i].second);
    const Json range = interval(std::move(drawn));
    if (range.is_object()) plan["intervals"][main[i].first] = range;
  }
  return "";
}

}  // namespace

Json make_plan(const PlanRequest& asked, const Json& fit, const Json& devices) {
  Constants constants;
  std::string wrong = read_constants(asked.law, asked.constants, fit, constants);
  if (!wrong.empty()) return error(wrong);
  const Law& law = *constants.law;
  PlanRequest request = asked;
  request.law = law.name;
  const bool of_share = law.predicts == Predicts::kQatShare;
  if (of_share) {
    request.free.clear();
    if (!(request.params > 0) || !(request.tokens > 0)) {
      return error(fmt::format(
          "{}: {} says what share of the tokens to train with quantization, not a loss; give "
          "params, tokens and bits",
          request.params > 0 ? "tokens" : "params", law.name));
    }
  }
  if (!law.has_delta &&
      (request.critical_data || request.inference_budget > 0 || request.post_bits > 0)) {
    return error(fmt::format("{} does not model quantization after training; plan with {}",
                             law.name, laws_with_delta()));
  }
  PlanProblem problem;
  wrong = read_problem(request, law, devices, constants.knows_bits, problem);
  if (!wrong.empty()) return error(wrong);

  Json plan{{"law", law.name},
            {"source", constants.source},
            {"knows_bits", constants.knows_bits},
            {"request", request_json(request)}};
  const Planner planner(problem, constants);
  if (of_share) {
    wrong = add_share(plan, planner);
  } else if (request.critical_data) {
    if (!(request.params > 0))
      return error("params: critical data depends on the number of parameters; give N");
    if (request.bits.empty()) return error("bits: give the list of P_post, for example 3,4,5,6");
    add_critical_data(plan, planner, request.params, request.bits);
  } else if (request.inference_budget > 0) {
    wrong = add_served(plan, planner, request.inference_budget);
  } else {
    wrong = add_optimum(plan, planner, problem.limits);
  }
  if (!wrong.empty()) return error(wrong);
  add_notes(plan, problem, constants);
  plan["evaluations"] = planner.evaluations();
  return plan;
}

}  // namespace bitlaw
