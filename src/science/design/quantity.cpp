#include "design/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "laws/effective.h"

namespace bitlaw {
namespace {

// "", "_w", "_a", "_kv" after a quantity's name.
bool parse_parts(const std::string& suffix, Parts& parts) {
  constexpr std::pair<const char*, Parts> kNames[] = {{"", kAllParts},
                                                      {"_w", {true, false, false}},
                                                      {"_a", {false, true, false}},
                                                      {"_kv", {false, false, true}}};
  for (const auto& [name, of_name] : kNames) {
    if (suffix != name) continue;
    parts = of_name;
    return true;
  }
  return false;
}

double number_of(const std::string& text, const std::string& whole) {
  const auto value = parse_positive(text);
  if (!value)
    throw Error(fmt::format("shrink: {}: '{}' is not a positive number", whole, trim(text)));
  return *value;
}

void require_formula_of_bits(const Law& law, const std::string& text) {
  if (law.uses_bits && law.class_parameters.empty()) return;
  throw Error(
      fmt::format("shrink: {}: {} has no formula in bits; choose {} or another law that has one",
                  text, law.name, default_law().name));
}

void require_delta(const Law& law, const std::string& text) {
  if (law.has_delta) return;
  throw Error(fmt::format("shrink: {}: {} does not model quantization after training; choose {}",
                          text, law.name, laws_with_delta()));
}

LawQuantity best_precision(const Law& law, const Parts& parts, const Middle& middle) {
  LawQuantity out;
  out.unit = "bits";
  out.low = kFewestBits, out.high = kMostBits;
  out.of = [&law, parts, middle](const double* p) {
    return best_bits(law, p, middle.next_compute, parts, middle.run);
  };
  return out;
}

LawQuantity share_at(const Law& law, const Parts& parts, double bits, const Middle& middle) {
  Observation run = middle.run;
  run.bits_weights = parts[0] ? bits : kUnlimitedBits;
  run.bits_activations = parts[1] ? bits : kUnlimitedBits;
  run.bits_kv = parts[2] ? bits : kUnlimitedBits;
  LawQuantity out;
  out.logarithmic = true;
  out.of = [&law, run](const double* p) { return effective_share(law, p, run); };
  return out;
}

LawQuantity critical_data(const Law& law, double bits, double params) {
  LawQuantity out;
  out.unit = "tokens";
  out.logarithmic = true;
  out.of = [&law, bits, params](const double* p) { return critical_tokens(law, p, params, bits); };
  return out;
}

const LawInput* input_called(const Law& law, const std::string& name) {
  for (const LawInput& input : law.inputs) {
    if (name == input.name || name == input.column) return &input;
  }
  return nullptr;
}

LawQuantity loss_of_run(const Law& law, const std::string& assignments, const std::string& whole) {
  Observation run;
  for (const std::string& each : split(assignments, ',')) {
    const std::vector<std::string> sides = split(each, '=');
    if (sides.size() != 2)
      throw Error(fmt::format("shrink: {}: {} is not NAME=NUMBER", whole, each));
    const std::string name = trim(sides[0]);
    if (name == "class") {
      run.precision = trim(sides[1]);
      continue;
    }
    const double value = number_of(sides[1], whole);
    if (name == "N")
      run.params = value;
    else if (name == "D")
      run.tokens = value;
    else if (name == "P_w")
      run.bits_weights = value;
    else if (name == "P_a")
      run.bits_activations = value;
    else if (name == "P_kv")
      run.bits_kv = value;
    else if (name == "P")
      run.bits_weights = run.bits_activations = run.bits_kv = value;
    else if (name == "P_post")
      run.bits_post = value;
    else if (const LawInput* input = input_called(law, name))
      run.inputs.push_back({input->column, value});
    else
      throw Error(
          fmt::format("shrink: {}: a run has N, D, P, P_w, P_a, P_kv, P_post and class, "
                      "not {}",
                      whole, name));
  }
  if (!(run.params > 0 && run.tokens > 0)) {
    throw Error(fmt::format("shrink: {}: a run needs N and D", whole));
  }
  for (const LawInput& input : law.inputs) {
    if (!std::isfinite(run.input(input.column)))
      throw Error(fmt::format("shrink: {}: a run of {} needs {}", whole, law.name, input.name));
  }
  LawQuantity out;
  out.unit = "nats";
  out.of = [&law, run](const double* p) { return predict(law, p, run); };
  return out;
}

LawQuantity find(const std::string& text, const Law& law, const std::vector<Observation>& rows) {
  const int constant = parameter_index(law, text);
  if (constant >= 0) {
    LawQuantity out;
    const Parameter& range = law.parameters[static_cast<size_t>(constant)];
    if (range.scale != Scale::kTimesLast) out.low = range.low, out.high = range.high;
    out.of = [constant](const double* p) { return p[constant]; };
    return out;
  }
  const size_t at = text.find('@'), colon = text.find(':');
  const std::string head = trim(text.substr(0, std::min(at, colon)));
  const std::string bits = colon == std::string::npos ? "" : text.substr(colon + 1, at - colon - 1);
  Parts parts = kAllParts;
  const bool alone = at == std::string::npos;
  if (head.starts_with("P*") && parse_parts(head.substr(2), parts) && alone && bits.empty()) {
    require_formula_of_bits(law, text);
    return best_precision(law, parts, middle_of(rows));
  }
  if (head.starts_with("N_eff") && parse_parts(head.substr(5), parts) && alone) {
    require_formula_of_bits(law, text);
    return share_at(law, parts, number_of(bits, text), middle_of(rows));
  }
  if (head == "D_crit") {
    require_delta(law, text);
    double params = 0;
    for (const Observation& row : rows) params = std::max(params, row.params);
    if (at != std::string::npos) {
      const std::vector<std::string> sides = split(text.substr(at + 1), '=');
      if (sides.size() != 2 || trim(sides[0]) != "N") {
        throw Error(fmt::format("shrink: {}: write D_crit:4@N=1e9", text));
      }
      params = number_of(sides[1], text);
    }
    return critical_data(law, number_of(bits, text), params);
  }
  if (head == "loss" && at != std::string::npos) {
    return loss_of_run(law, text.substr(at + 1), text);
  }
  std::vector<std::string> names{"P*", "P*_w", "N_eff:4", "D_crit:4", "loss@N=1e9,D=2e10"};
  for (const Parameter& p : law.parameters) names.emplace_back(p.name);
  throw Error(fmt::format("shrink: {}", unknown_name("quantity", text, names)));
}

}  // namespace

LawQuantity parse_quantity(const std::string& text, const Law& law,
                           const std::vector<Observation>& rows) {
  LawQuantity out = find(trim(text), law, rows);
  out.name = trim(text);
  return out;
}

}  // namespace bitlaw
