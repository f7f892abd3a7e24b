#include "plan/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace bitlaw {
namespace {

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

std::string read_free(const PlanRequest& request, const Law& law, PlanProblem& out) {
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

std::string read_bits(const PlanRequest& request, PlanProblem& out) {
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

std::string read_amounts(const PlanRequest& request, PlanProblem& out) {
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

}  // namespace

std::string read_problem(const PlanRequest& request, const Law& law, PlanProblem& out) {
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

}  // namespace bitlaw
