#include "plan/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace bitlaw {
namespace {

struct Cheapest {
  Precision precision;
  double post_bits;
};

// The cheapest precision that a problem allows, and what it is quantized to.
Cheapest cheapest(const PlanProblem& problem) {
  Cheapest point{problem.precision, problem.post_bits};
  double fewest = kFewestBits;
  if (!problem.available.empty()) {
    fewest = *std::min_element(problem.available.begin(), problem.available.end());
  }
  if (problem.bits_are_free() && !problem.formats.empty()) {
    for (const PrecisionChoice& format : problem.formats) {
      if (&format == &problem.formats[0] || format.bits.weights < point.precision.bits.weights) {
        point.precision = {format.bits, &format};
      }
    }
  } else {
    if (problem.free_tied) point.precision.bits = Bits::all(fewest);
    for (const auto part : problem.free_bits) point.precision.bits.*part = fewest;
  }
  if (problem.free_post) point.post_bits = fewest;
  return point;
}

std::string amount(const std::string& name, double value) {
  if (name == "memory_bytes") return format_bytes(value);
  if (name == "gpu_hours") return fmt::format("{:.4g} GPU hours", value);
  return fmt::format("{:.4g} FLOP", value);
}

}  // namespace

std::string why_nothing(const PlanProblem& problem) {
  const Limits& limits = problem.limits;
  const Cheapest cheap = cheapest(problem);
  const double memory = limits.serving.memory_bytes;
  if (memory > 0) {
    const double params = problem.free_params ? 1 : problem.params;
    const double needed = limits.memory_bytes(params, cheap.precision, cheap.post_bits);
    if (needed > memory) {
      return fmt::format(
          "memory_bytes: {} is too little for {}: that needs {} (KV cache {}) even at the fewest "
          "bits allowed",
          format_bytes(memory),
          problem.free_params ? "a model of any size"
                              : fmt::format("{} parameters", format_count(problem.params)),
          format_bytes(needed), format_bytes(limits.kv_bytes(params, cheap.precision)));
    }
  }
  if (limits.compute.empty()) {
    return "compute: more data always lowers the loss here; give a training budget in FLOP (or "
           "gpu_hours)";
  }
  const double params = problem.free_params ? 1 : problem.params;
  const std::string name = limits.compute.front().name;
  if (limits.serving.tokens > 0 &&
      !(limits.most_tokens(params, cheap.precision, cheap.post_bits) >= 1)) {
    return fmt::format(
        "serve_tokens: serving {} tokens alone costs more than the {} given; raise that, or lower "
        "serve_tokens",
        format_count(limits.serving.tokens), name);
  }
  return fmt::format("{}: budget too small for this N and D at any allowed precision; raise it",
                     name);
}

std::string binding_sentence(const PlanProblem& problem, const std::vector<Use>& uses) {
  std::vector<std::string> binding, spare;
  for (const Use& use : uses) {
    if (use.binds()) {
      binding.push_back(fmt::format("{} ({})", use.name, amount(use.name, use.amount)));
    } else {
      spare.push_back(
          fmt::format("{} has {:.0f} % to spare", use.name, 100 * (1 - use.used / use.amount)));
    }
  }
  if (uses.empty()) return "";
  std::string out;
  if (!binding.empty()) {
    out = fmt::format("{} {} the answer", fmt::join(binding, " and "),
                      binding.size() == 1 ? "limits" : "limit");
  } else if (problem.free_tokens) {
    out = "No budget limits the answer: more training would make the quantized model worse";
  } else {
    out = "No budget limits the answer";
  }
  if (!spare.empty()) out += fmt::format("; {}", fmt::join(spare, ", "));
  return out + ".";
}

}  // namespace bitlaw
