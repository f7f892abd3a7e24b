#include "plan/frontier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/ends.h"
#include "base/names.h"
#include "base/number.h"
#include "base/search.h"
#include "base/text.h"
#include "plan/answer.h"
#include "plan/given.h"
#include "plan/unused.h"
#include "predict/constants.h"
#include "predict/predict.h"

namespace bitlaw {
namespace {

constexpr double kPointsPerDecade = 5;
constexpr double kMostDecades = 18;
constexpr double kChangeTolerance = 1e-5;  // of log bytes
const std::vector<double> kUsualBits{2, 3, 4, 5, 6, 8, 16};

Frontier no_frontier(std::string sentence) {
  Frontier out;
  out.error = std::move(sentence);
  return out;
}

std::string read_range(const std::string& text, double& low, double& high) {
  const std::string wrong =
      fmt::format("frontier: {} is not a range of bytes; write bytes=4e6..1e12 or bytes=4MB..1TB",
                  printable(text));
  const size_t equals = text.find('=');
  if (equals == std::string::npos || trim(text.substr(0, equals)) != "bytes") return wrong;
  const auto ends = split_ends(text.substr(equals + 1));
  if (!ends) return wrong;
  const auto amount = [](const std::string& part) {
    const auto number = parse_positive(part);
    return number ? number : parse_bytes(part);
  };
  const auto from = amount(ends->first), to = amount(ends->second);
  if (!from || !to) return wrong;
  low = *from, high = *to;
  if (!(low < high)) return fmt::format("frontier: {:g} is not below {:g}", low, high);
  if (std::log10(high / low) > kMostDecades)
    return fmt::format("frontier: {} is more than {} decades", printable(text), kMostDecades);
  return "";
}

// What the frontier leaves free unless the request says otherwise.
std::string resolve(PlanRequest& request, const Law& law) {
  for (const auto& [option, given] : {std::pair{"memory_bytes", request.memory_bytes > 0},
                                      {"params", request.params > 0},
                                      {"critical_data", request.critical_data},
                                      {"inference_budget", request.inference_budget > 0}}) {
    if (given)
      return fmt::format("{0}: the frontier chooses for every number of bytes; leave out {0}",
                         option);
  }
  const bool budget = request.compute > 0 || request.gpu_hours > 0;
  const bool tokens = request.tokens > 0 || request.tokens_per_param > 0;
  if (request.free.empty()) {
    request.free = {"N"};
    if (request.bits.empty() && request.precision.empty())
      request.free.emplace_back(law.class_parameters.empty() ? "P_w" : "P");
    if (!tokens) request.free.emplace_back("D");
  }
  const bool post = request.post_bits > 0 ||
                    std::any_of(request.free.begin(), request.free.end(), [](const std::string& f) {
                      return f.find("P_post") != std::string::npos;
                    });
  if (!tokens && !budget && !post) {
    return "frontier: say how much the models are trained: tokens, tokens_per_param, compute or "
           "gpu_hours";
  }
  const bool listed =
      !request.formats.empty() || !request.available_bits.empty() || request.integer_bits;
  const bool given = !request.bits.empty() || !request.precision.empty();
  if (!listed && law.class_parameters.empty() && (post || !given))
    request.available_bits = kUsualBits;
  return "";
}

// What a point chose, in few words: "4 bits" where only the weights are chosen.
std::string choice_of_point(const PlanProblem& problem, const PlanPoint& point) {
  const bool weights_alone = point.precision.choice == nullptr && problem.free_bits.size() == 1 &&
                             problem.free_bits[0] == &Bits::weights;
  if (!weights_alone) return label_of(problem, point);
  std::string label = fmt::format("{:g} bits", point.precision.bits.weights);
  if (problem.free_post) {
    label +=
        point.post_bits > 0 ? fmt::format(", {:g} afterwards", point.post_bits) : ", as trained";
  }
  return label;
}

// The choice at one number of bytes; "" if no model fits.
std::string choice_at(const Planner& planner, Limits& limits, double bytes) {
  limits.serving.memory_bytes = bytes;
  return planner.with(planner.constants().values, [&](const PlanTask& task) {
    const Optimum best = best_plan(task);
    return std::isfinite(best.point.loss) ? choice_of_point(planner.problem(), best.point)
                                          : std::string();
  });
}

// The changes between two numbers of bytes, in order.
void find_changes(const Planner& planner, Limits& limits, double low, const std::string& at_low,
                  double high, const std::string& at_high, int depth,
                  std::vector<FrontierChange>& out) {
  if (at_low == at_high) return;
  if (high - low < kChangeTolerance || depth == 0) {
    if (!at_low.empty()) out.push_back({std::exp(high), at_low, at_high});
    return;
  }
  const double middle = 0.5 * (low + high);
  const std::string between = choice_at(planner, limits, std::exp(middle));
  find_changes(planner, limits, low, at_low, middle, between, depth - 1, out);
  find_changes(planner, limits, middle, between, high, at_high, depth - 1, out);
}

FrontierPoint point_at_bytes(const Planner& planner, Limits& limits, double bytes) {
  const PlanProblem& problem = planner.problem();
  const Constants& constants = planner.constants();
  limits.serving.memory_bytes = bytes;
  FrontierPoint out{.bytes = bytes};
  const Optimum main = planner.with(constants.values, [&](const PlanTask& task) {
    const Optimum best = best_plan(task);
    if (std::isfinite(best.point.loss)) out.best = numbers_of(task, best.point);
    return best;
  });
  if (!std::isfinite(main.point.loss)) {
    out.none = fmt::format("no model fits into {:.3g} bytes", bytes);
    return out;
  }
  if (main.point.precision.choice != nullptr)
    out.best.precision = main.point.precision.choice->name;
  out.choice = choice_of_point(problem, main.point);
  for (const PlanPoint& each : main.runners_up) {
    if (!problem.discrete() || !std::isfinite(each.loss)) continue;
    out.choices.push_back({choice_of_point(problem, each), each.params, each.loss});
  }
  if (out.choices.size() > 1) {
    out.second = out.choices[1].choice, out.gap = out.choices[1].loss - out.choices[0].loss;
  }
  std::vector<double> params;
  for (const std::vector<double>& draw : constants.draws) {
    const PlanPoint drawn =
        planner.with(draw, [&](const PlanTask& task) { return best_plan_near(task, main); });
    if (!std::isfinite(drawn.loss)) continue;
    params.push_back(drawn.params);
    out.shares[choice_of_point(problem, drawn)] += 1;
  }
  for (auto& [label, count] : out.shares) count /= static_cast<double>(params.size());
  out.params = interval(std::move(params), drawn_level(constants, 0.9));
  // Where the bytes alone fix N, no draw moves it.
  if (out.params && out.params->high - out.params->low <= 1e-9 * out.params->high) {
    out.params.reset();
  }
  const Prediction run = predict_run(constants, run_of(out.best, planner));
  out.mean = run.mean, out.beyond = run.beyond;
  return out;
}

}  // namespace

Frontier make_frontier(const PlanRequest& asked, const Json& fit, const Json& devices) {
  double low = 0, high = 0;
  std::string wrong = read_range(asked.frontier, low, high);
  if (!wrong.empty()) return no_frontier(wrong);
  wrong = check_given(asked);
  if (!wrong.empty()) return no_frontier(wrong);
  Constants constants;
  wrong = read_constants(asked.law, asked.constants, fit, constants);
  if (!wrong.empty()) return no_frontier(wrong);
  const Law& law = *constants.law;
  if (law.predicts != Predicts::kLoss) {
    return no_frontier(
        fmt::format("frontier: {} does not predict a loss; name another law", law.name));
  }
  if (!law.needs_sizes)
    return no_frontier(fmt::format(
        "frontier: {} depends on neither N nor D, so there is nothing to plan", law.name));
  PlanRequest request = asked;
  request.law = law.name;
  wrong = resolve(request, law);
  if (!wrong.empty()) return no_frontier(wrong);
  if (!law.has_delta && request.post_bits > 0) {
    return no_frontier(fmt::format("{} does not model quantization after training; plan with {}",
                                   law.name, laws_with_delta()));
  }
  request.memory_bytes = low;
  PlanProblem problem;
  wrong = read_problem(request, constants, devices, problem);
  if (wrong.empty()) wrong = check_used(request, law, constants.total);
  if (wrong.empty()) wrong = check_felt(problem, constants);
  if (wrong.empty()) wrong = check_used(request, problem);
  if (!wrong.empty()) return no_frontier(wrong);
  request.memory_bytes = 0;

  Frontier out;
  out.law = law.name, out.source = constants.source, out.request = request;
  out.notes = constants.notes;
  if (!constants.knows_bits) {
    out.notes.push_back(fmt::format(
        "{} does not model bits in training, so nothing here says which bits are best.", law.name));
  }
  const Planner planner(problem, constants);
  Limits& limits = problem.limits;
  const int steps =
      std::max(1, static_cast<int>(std::ceil(kPointsPerDecade * std::log10(high / low) - 1e-9)));
  for (int i = 0; i <= steps; ++i) {
    const double bytes = i == steps ? high : low * std::pow(high / low, double(i) / steps);
    out.points.push_back(point_at_bytes(planner, limits, bytes));
  }
  if (problem.discrete()) {
    for (size_t i = 0; i + 1 < out.points.size(); ++i) {
      find_changes(planner, limits, std::log(out.points[i].bytes), out.points[i].choice,
                   std::log(out.points[i + 1].bytes), out.points[i + 1].choice, 24, out.changes);
    }
  }
  for (std::string& each : notes_on_counts(problem, constants))
    out.notes.push_back(std::move(each));
  for (std::string& each : assumptions(request, limits.file)) out.notes.push_back(std::move(each));
  if (limits.serving.context > 0 && limits.serving.kv_entries == 0) {
    out.notes.emplace_back(
        "The KV cache is an estimate for a decoder 128 times as wide as deep; give layers and "
        "kv_width for yours.");
  }
  for (const FrontierPoint* end : {&out.points.front(), &out.points.back()}) {
    if (end->beyond.empty()) continue;
    out.notes.push_back(fmt::format("At {:.3g} bytes this extrapolates: {}.", end->bytes,
                                    fmt::join(end->beyond, ", ")));
  }
  const bool any = std::any_of(out.points.begin(), out.points.end(),
                               [](const FrontierPoint& point) { return point.none.empty(); });
  if (!any) {
    return no_frontier(fmt::format(
        "frontier: no model fits into {:.3g} bytes with these embeddings and budgets; give more "
        "bytes, a smaller vocabulary, or tied_head",
        high));
  }
  return out;
}

Frontiers make_frontiers(const PlanRequest& request, const std::vector<Json>& fits,
                         const Json& devices) {
  Frontiers out;
  std::vector<std::string> names;
  for (const std::string& list : request.laws) {
    for (const std::string& item : split(list, ',')) {
      const std::string name = trim(item);
      if (name == "all") {
        for (const Law& law : laws()) {
          if (law.predicts == Predicts::kLoss && law.uses_bits && law.constants[0].is_published())
            names.emplace_back(law.name);
        }
      } else if (!name.empty()) {
        names.push_back(name);
      }
    }
  }
  if (names.empty() && fits.empty()) names.push_back(request.law);
  PlanRequest each = request;
  each.laws.clear();
  const auto named = [&](Frontier made, const std::string& name) {
    if (made.law.empty()) made.law = name;
    const auto same = std::count_if(out.laws.begin(), out.laws.end(), [&](const Frontier& other) {
      return other.law == made.law || other.law.starts_with(made.law + " #");
    });
    if (same > 0) made.law += fmt::format(" #{}", same + 1);
    out.laws.push_back(std::move(made));
  };
  for (const std::string& name : names) {
    each.law = name;
    if (names.size() + fits.size() > 1) each.constants.clear();
    named(make_frontier(each, nullptr, devices), name);
  }
  for (const Json& fit : fits) {
    const Json law = fit.is_object() ? fit.value("law", Json()) : Json();
    each.law = law.is_string() ? law.get<std::string>() : request.law;
    named(make_frontier(each, fit, devices), each.law);
  }
  const bool any = std::any_of(out.laws.begin(), out.laws.end(),
                               [](const Frontier& law) { return law.error.empty(); });
  if (!any) out.error = out.laws.front().error;
  return out;
}

}  // namespace bitlaw
