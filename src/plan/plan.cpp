#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include "base/text.h"
#include "plan/constants.h"
#include "plan/forms.h"
#include "plan/search.h"

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kFewestBits = 1, kMostBits = 32;     // a free P stays within
constexpr double kStudiedLow = 3, kStudiedHigh = 16;  // what arXiv 2411.04330 trained at

// The request, understood.
struct Problem {
  bool free_params = false, free_tokens = false;
  std::vector<double Bits::*> free_bits;  // parts that are free one by one
  bool free_tied = false;                 // one P for all parts is free
  bool ignores_bits = false;              // asked for a free P, of a law that knows no bits
  Bits bits;                              // where not free
  CostModel cost;
  double compute = 0, params = 0, tokens = 0, post_bits = 0;
  std::vector<double> available;  // empty = any

  bool bits_are_free() const { return free_tied || !free_bits.empty(); }
};

struct Point {
  double params = kUnknown, tokens = kUnknown;
  Bits bits;
  double post_bits = 0;
  double loss = kInfinity;
};

bool parse_number(const std::string& text, double& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

std::string read_cost(const std::string& text, CostModel& out) {
  if (text.empty() || text == "linear") return "";
  for (const std::string& item : split(text, ',')) {
    const std::vector<std::string> pair = split(item, ':');
    CostModel::Step step{};
    if (pair.size() != 2 || !parse_number(trim(pair[0]), step.bits) ||
        !parse_number(trim(pair[1]), step.speed_up) || !(step.bits > 0) || !(step.speed_up > 0)) {
      return fmt::format(
          "cost: {} is not BITS:SPEED_UP; write linear, or a list such as 16:1,8:2,4:4", item);
    }
    out.steps.push_back(step);
  }
  std::sort(out.steps.begin(), out.steps.end(), [](auto& a, auto& b) { return a.bits < b.bits; });
  return "";
}

std::string read_free(const PlanRequest& request, const Law& law, Problem& out) {
  for (const std::string& list : request.free) {
    for (const std::string& item : split(list, ',')) {
      const std::string name = trim(item);
      if (name == "N") {
        out.free_params = true;
      } else if (name == "D") {
        out.free_tokens = true;
      } else if (name == "P" && request.tied) {
        out.free_tied = true;
      } else if (name == "P") {
        out.free_bits = {&Bits::weights, &Bits::activations, &Bits::kv};
      } else if (name == "P_w" || name == "P_a" || name == "P_kv") {
        out.free_bits.push_back(name == "P_w"   ? &Bits::weights
                                : name == "P_a" ? &Bits::activations
                                                : &Bits::kv);
      } else if (!name.empty()) {
        return fmt::format("free: {} cannot be chosen; name some of N, D, P, P_w, P_a, P_kv", name);
      }
    }
  }
  if (out.free_tied && !out.free_bits.empty()) {
    return "free: P is all three parts at once; name either P, or some of P_w, P_a, P_kv";
  }
  if (!law.uses_bits) {
    out.ignores_bits = out.bits_are_free();
    out.free_tied = false;
    out.free_bits.clear();
  }
  return "";
}

std::string read_bits(const PlanRequest& request, Problem& out) {
  for (const double bits : request.bits) {
    if (!(bits >= kFewestBits && bits <= kMostBits)) {
      return fmt::format("bits: {} is outside {}..{}", bits, kFewestBits, kMostBits);
    }
  }
  for (const double bits : request.available_bits) {
    if (!(bits >= kFewestBits && bits <= kMostBits)) {
      return fmt::format("available_bits: {} is outside {}..{}", bits, kFewestBits, kMostBits);
    }
  }
  if (request.post_bits != 0 &&
      !(request.post_bits >= kFewestBits && request.post_bits <= kMostBits)) {
    return fmt::format("post_bits: {} is outside {}..{}", request.post_bits, kFewestBits,
                       kMostBits);
  }
  if (request.critical_data) return "";
  if (request.bits.size() == 1) {
    out.bits = Bits::all(request.bits[0]);
  } else if (request.bits.size() == 3) {
    out.bits = {request.bits[0], request.bits[1], request.bits[2]};
  } else if (!request.bits.empty()) {
    return "bits: give one number for all parts, or three: weights, activations, KV";
  }
  return "";
}

std::string read_amounts(const PlanRequest& request, Problem& out) {
  for (const auto& [name, value] : {std::pair{"compute", request.compute},
                                    {"params", request.params},
                                    {"tokens", request.tokens},
                                    {"inference_budget", request.inference_budget}}) {
    if (!(value >= 0) || std::isinf(value)) {
      return fmt::format("{}: {} is not a positive amount", name, value);
    }
  }
  out.compute = request.compute, out.params = request.params, out.tokens = request.tokens;
  out.post_bits = request.post_bits;
  if (request.critical_data || request.inference_budget > 0) return "";
  if (!out.free_params && out.params == 0) return "params: give N, or let it be free";
  if (!out.free_tokens && out.tokens == 0) return "tokens: give D, or let it be free";
  if ((out.free_params || out.free_tokens) && out.compute == 0) {
    return "compute: give a training budget in FLOP, or fix both N and D";
  }
  if (out.compute == 0 && !out.free_bits.empty()) {
    return "compute: give a training budget in FLOP to choose the precision of single parts";
  }
  return "";
}

// Returns "" or what is wrong with the request.
std::string read_problem(const PlanRequest& request, const Law& law, Problem& out) {
  for (const std::string& wrong : {read_cost(request.cost, out.cost), read_free(request, law, out),
                                   read_bits(request, out), read_amounts(request, out)}) {
    if (!wrong.empty()) return wrong;
  }
  // Between two steps of a cost table only accuracy is lost: the steps are all there is to choose
  // from.
  out.available = request.available_bits;
  if (out.available.empty()) {
    for (const CostModel::Step& step : out.cost.steps) out.available.push_back(step.bits);
  }
  if (out.compute == 0 && out.free_tied && !out.available.empty()) {
    return "compute: give a training budget in FLOP to choose among given precisions";
  }
  return "";
}

// The best N and D that the budget buys at these bits.
Point split_budget(const EffectiveForm& form, const Problem& problem, const Bits& bits) {
  Point point{problem.params, problem.tokens, bits, problem.post_bits};
  const double product = problem.compute / (6 * problem.cost.of(bits));  // N D
  if (product == 0) return point;
  if (problem.free_params && problem.free_tokens) {
    point.params = form.best_params(product, bits);
    if (problem.post_bits > 0) {  // no closed form: search around the one without quantization
      const double centre = std::log(point.params);
      point.params =
          std::exp(minimise(
                       [&](double log_params) {
                         const double params = std::exp(log_params);
                         return form.loss(params, product / params, bits, problem.post_bits);
                       },
                       centre - 12, centre + 12)
                       .x);
    }
    point.tokens = product / point.params;
  } else if (problem.free_params) {
    point.params = product / problem.tokens;
  } else if (problem.free_tokens) {
    point.tokens = product / problem.params;
  } else if (problem.compute > 0 && problem.params * problem.tokens > product * (1 + 1e-9)) {
    return point;  // cannot be paid: the loss stays infinite
  }
  point.loss = form.loss(point.params, point.tokens, bits, problem.post_bits);
  return point;
}

// The best value of one precision, others as in `bits`. set() writes it.
Point best_over(const EffectiveForm& form, const Problem& problem, const Bits& bits,
                const std::function<void(Bits&, double)>& set) {
  const auto at = [&](double value) {
    Bits trial = bits;
    set(trial, value);
    return split_budget(form, problem, trial);
  };
  if (problem.available.empty()) {
    return at(minimise([&](double value) { return at(value).loss; }, kFewestBits, kMostBits).x);
  }
  Point best = at(problem.available[0]);
  for (const double value : problem.available) {
    const Point point = at(value);
    if (point.loss < best.loss) best = point;
  }
  return best;
}

// Parts one after another, round and round: the loss has one valley in them.
Point best_parts(const EffectiveForm& form, const Problem& problem) {
  Problem local = problem;
  for (const auto part : problem.free_bits) local.bits.*part = 8;
  Point best = split_budget(form, local, local.bits);
  for (int round = 0; round < 100; ++round) {
    const Bits before = best.bits;
    for (const auto part : problem.free_bits) {
      best = best_over(form, local, best.bits, [part](Bits& b, double value) { b.*part = value; });
    }
    double moved = 0;
    for (const auto part : problem.free_bits) {
      moved = std::max(moved, std::fabs(best.bits.*part - before.*part));
    }
    if (moved < 1e-6) break;
  }
  return best;
}

Point best_training(const EffectiveForm& form, const Problem& problem) {
  if (problem.free_tied && problem.compute > 0) {
    return best_over(form, problem, problem.bits,
                     [](Bits& b, double value) { b = Bits::all(value); });
  }
  if (problem.compute > 0 && !problem.free_bits.empty()) return best_parts(form, problem);
  Bits bits = problem.bits;
  if (problem.free_tied) {  // N and D given without a budget: the precision that is worth them
    bits =
        Bits::all(form.balanced_bits(problem.params, problem.tokens, kFewestBits, 4 * kMostBits));
  }
  if (problem.compute > 0) return split_budget(form, problem, bits);
  Point point{problem.params, problem.tokens, bits, problem.post_bits};
  point.loss = form.loss(point.params, point.tokens, bits, problem.post_bits);
  return point;
}

// Minimises the loss of a BF16 model quantized to P_post, with N P_post = budget; at fixed N and
// P_post the best D is the critical one.
Point best_served(const EffectiveForm& form, double budget, const std::vector<double>& available) {
  const auto at = [&](double post_bits) {
    Point point{budget / post_bits, 0, Bits::all(kUnlimitedBits), post_bits};
    point.tokens = form.critical_tokens(point.params, post_bits);
    if (std::isfinite(point.tokens)) {
      point.loss = form.loss(point.params, point.tokens, point.bits, post_bits);
    }
    return point;
  };
  if (available.empty()) {
    // Just under 16, where the law's term ends.
    return at(
        minimise([&](double p) { return at(p).loss; }, kFewestBits, kUnquantizedBits - 1e-6).x);
  }
  Point best = at(available[0]);
  for (const double bits : available) {
    const Point point = at(bits);
    if (point.loss < best.loss) best = point;
  }
  return best;
}

Json point_json(const EffectiveForm& form, const CostModel& cost, const Point& point) {
  const bool unlimited = std::isinf(point.bits.weights);
  const auto shown = [&](double bits) { return unlimited ? kUnquantizedBits : bits; };
  const Bits paid = unlimited ? Bits{} : point.bits;
  Json out{{"N", point.params},
           {"D", point.tokens},
           {"P_w", shown(point.bits.weights)},
           {"P_a", shown(point.bits.activations)},
           {"P_kv", shown(point.bits.kv)},
           {"loss", point.loss},
           {"N_eff", point.params * std::exp(form.log_share(point.bits))},
           {"tokens_per_param", point.tokens / point.params},
           {"compute", 6 * point.params * point.tokens * cost.of(paid)}};
  if (point.post_bits > 0) {
    out["P_post"] = point.post_bits;
    out["delta"] = form.delta(point.params, point.tokens, point.bits, point.post_bits);
  }
  return out;
}

// The 5 % and 95 % points of each number over the draws, by linear interpolation.
Json interval(std::vector<double> values) {
  values.erase(
      std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }),
      values.end());
  if (values.size() < 20) return nullptr;  // fewer cannot show a 5 % tail
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {{"low", at(0.05)}, {"high", at(0.95)}};
}

void add_optimum(Json& plan, const Constants& constants, const CostModel& cost,
                 const std::function<Point(const EffectiveForm&)>& solve) {
  const EffectiveForm form(*constants.law, constants.values);
  plan["optimum"] = point_json(form, cost, solve(form));
  if (constants.draws.empty()) return;
  std::vector<Json> outcomes;
  for (const std::vector<double>& draw : constants.draws) {
    const EffectiveForm drawn(*constants.law, draw);
    outcomes.push_back(point_json(drawn, cost, solve(drawn)));
  }
  for (const auto& [name, value] : plan["optimum"].items()) {
    std::vector<double> values;
    for (const Json& outcome : outcomes) {
      const auto found = outcome.find(name);
      if (found != outcome.end() && found->is_number()) values.push_back(found->get<double>());
    }
    Json range = interval(std::move(values));
    if (!range.is_null()) plan["intervals"][name] = std::move(range);
  }
}

void add_critical_data(Json& plan, const Constants& constants, double params,
                       const std::vector<double>& post_bits) {
  plan["critical_data"] = Json::array();
  for (const double bits : post_bits) {
    const double tokens =
        EffectiveForm(*constants.law, constants.values).critical_tokens(params, bits);
    Json row{{"params", params}, {"bits", bits}};
    row["tokens"] = std::isfinite(tokens) ? Json(tokens) : Json(nullptr);
    row["tokens_per_param"] = std::isfinite(tokens) ? Json(tokens / params) : Json(nullptr);
    std::vector<double> drawn;
    for (const std::vector<double>& draw : constants.draws) {
      drawn.push_back(EffectiveForm(*constants.law, draw).critical_tokens(params, bits));
    }
    const Json range = interval(std::move(drawn));
    if (range.is_object()) row.update(range);
    plan["critical_data"].push_back(row);
  }
}

Json request_json(PlanRequest request) {
  Json out = Json::object();
  auto write = [&out](const char* name, const auto& value, const char*) { out[name] = value; };
  request.visit(write);
  return out;
}

void add_notes(Json& plan, const Problem& problem, const Constants& constants) {
  Json& notes = plan["notes"] = Json::array();
  for (const std::string& note : constants.notes) notes.push_back(note);
  if (problem.ignores_bits) {
    notes.push_back(fmt::format("{} knows nothing of bits: P stays at {}.", constants.law->name,
                                problem.bits.weights));
  }
  if (!plan.contains("optimum")) return;
  const Json& best = plan["optimum"];
  for (const char* name : {"P_w", "P_a", "P_kv"}) {
    const double bits = best[name].get<double>();
    if (constants.law->uses_bits && (bits < kStudiedLow - 1e-9 || bits > kStudiedHigh + 1e-9)) {
      notes.push_back(fmt::format("{} = {:.2f} lies outside the {} to {} bits that were studied.",
                                  name, bits, kStudiedLow, kStudiedHigh));
    }
  }
}

Json error(const std::string& sentence) {
  return {{"error", sentence}};
}

}  // namespace

Json make_plan(const PlanRequest& request, const Json& fit) {
  Constants constants;
  std::string wrong = read_constants(request.law, request.constants, fit, constants);
  if (!wrong.empty()) return error(wrong);
  const Law& law = *constants.law;
  if (!EffectiveForm::fits(law)) {
    return error(fmt::format("{} is not of the form E + A/(N f)^alpha + B/D^beta, which plans need",
                             law.name));
  }
  Problem problem;
  wrong = read_problem(request, law, problem);
  if (!wrong.empty()) return error(wrong);
  if ((request.critical_data || request.inference_budget > 0 || request.post_bits > 0) &&
      !law.delta) {
    return error(
        fmt::format("{} says nothing of quantization after training; plan with kumar", law.name));
  }

  Json plan{{"law", law.name}, {"source", constants.source}, {"request", request_json(request)}};
  plan["request"]["law"] = law.name;
  if (request.critical_data) {
    if (!(request.params > 0))
      return error("params: critical data is of a model of N parameters; give N");
    if (request.bits.empty()) return error("bits: give the list of P_post, for example 3,4,5,6");
    add_critical_data(plan, constants, request.params, request.bits);
  } else if (request.inference_budget > 0) {
    add_optimum(plan, constants, problem.cost, [&](const EffectiveForm& form) {
      return best_served(form, request.inference_budget, request.available_bits);
    });
  } else {
    add_optimum(plan, constants, problem.cost,
                [&](const EffectiveForm& form) { return best_training(form, problem); });
  }
  if (plan.contains("optimum") && !std::isfinite(plan["optimum"]["loss"].get<double>())) {
    return error(
        "compute: the budget does not pay for this N and D at any precision allowed; raise it");
  }
  add_notes(plan, problem, constants);
  return plan;
}

}  // namespace bitlaw
