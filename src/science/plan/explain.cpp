#include "plan/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

// Nats; log of a vocabulary is below 20. Laws are continued where training diverges (laws/terms.h), and
// have huge losses there.
constexpr double kMostLoss = 100;

// Whether the law gives a loss there at any N and D, of those that are given or else of many.
bool has_loss(const PlanProblem& problem, const Predictor& predictor, const Precision& precision,
              double post_bits) {
  for (const double some : {1e9, 1e6, 1e12}) {
    const double params = problem.params > 0 ? problem.params : some;
    const double ratio = problem.tokens_per_param > 0 ? problem.tokens_per_param : 20;
    const double tokens = problem.tokens > 0 ? problem.tokens : ratio * params;
    if (predictor.loss(params, tokens, precision, post_bits) < kMostLoss) return true;
  }
  return false;
}

struct GivenPart {
  double Bits::*bits;
  const char* name;
};
constexpr GivenPart kGivenParts[] = {
    {&Bits::weights, "weights"}, {&Bits::activations, "activations"}, {&Bits::kv, "KV"}};

// "1.5 bits of weights, activations and KV".
std::string text_of(const Bits& bits, const std::vector<GivenPart>& parts) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    const double each = bits.*parts[i].bits;
    if (i > 0) out += i + 1 == parts.size() ? " and " : ", ";
    if (i == 0 || each != bits.*parts[i - 1].bits) out += fmt::format("{:g} bits of ", each);
    out += parts[i].name;
  }
  return out;
}

// The bits that are given, where the law gives no loss at them whatever the budget; "" if it does.
std::string law_without_loss(const PlanTask& task) {
  const PlanProblem& problem = task.problem;
  const std::string law = task.predictor.law().name;
  const double post = problem.free_post ? 0 : problem.post_bits;
  const auto has = [&](const Precision& precision, double post_bits) {
    return has_loss(problem, task.predictor, precision, post_bits);
  };
  Precision given = problem.precision;
  if (problem.bits_are_free()) {
    if (std::any_of(problem.formats.begin(), problem.formats.end(),
                    [&](const PrecisionChoice& format) {
                      return has({format.bits, &format}, post);
                    }))
      return "";
    const double most = problem.available.empty()
                            ? kUnquantizedBits
                            : *std::max_element(problem.available.begin(), problem.available.end());
    if (problem.free_tied) given.bits = Bits::all(most);
    for (const auto part : problem.free_bits) given.bits.*part = most;
  }
  if (has(given, post)) return "";
  if (post > 0 && has(given, 0)) {
    return fmt::format("post_bits: {} gives no loss at {:g} bits after training; give more bits",
                       law, post);
  }
  if (given.choice != nullptr) {
    return fmt::format("precision: {} gives no loss at {}; give one of more bits", law,
                       given.choice->name);
  }
  if (!has({}, post)) return "";  // it is not the bits
  std::vector<GivenPart> few, alone;
  for (const GivenPart& part : kGivenParts) {
    if (!(given.bits.*part.bits < kUnquantizedBits)) continue;
    few.push_back(part);
    Precision only;
    only.bits.*part.bits = given.bits.*part.bits;
    if (!has(only, post)) alone.push_back(part);
  }
  const std::vector<GivenPart>& parts = alone.empty() ? few : alone;
  const bool has_share = std::isfinite(task.predictor.share(1e9, 2e10, {Bits::all(8)}));
  const bool no_share = has_share && std::isnan(task.predictor.share(1e9, 2e10, given));
  std::string out =
      fmt::format("bits: {} gives no loss at {}{}; give more bits", law, text_of(given.bits, parts),
                  no_share ? ": its share of effective parameters is not above zero there" : "");
  for (int tenths = 10; tenths <= 160; ++tenths) {
    Precision more = given;
    for (const GivenPart& part : parts)
      more.bits.*part.bits = std::max(more.bits.*part.bits, 0.1 * tenths);
    if (has(more, post)) return out + fmt::format(", such as {:g}", 0.1 * tenths);
  }
  return out;
}

// What a budget that is too small is to pay.
std::string of_what(const PlanProblem& problem) {
  if (!problem.free_params && !problem.free_tokens) return "this N and D";
  if (!problem.free_params) return "this N";
  return problem.free_tokens ? "a model of any size" : "this D";
}

std::string amount(const std::string& name, double value) {
  if (name == "memory_bytes") return format_bytes(value);
  if (name == "gpu_hours") return fmt::format("{:.4g} GPU hours", value);
  return fmt::format("{:.4g} FLOP", value);
}

}  // namespace

std::string why_nothing(const PlanTask& task) {
  const PlanProblem& problem = task.problem;
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
  if (const std::string reason = law_without_loss(task); !reason.empty()) return reason;
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
  return fmt::format(
      "{}: budget too small for {} at {}; raise it", name, of_what(problem),
      problem.bits_are_free() || problem.free_post ? "any allowed precision" : "this precision");
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
