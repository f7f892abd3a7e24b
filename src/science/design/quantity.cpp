#include "design/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

using Function = std::function<double(double)>;

// The x in [low, high] of least f: the best of a grid, then golden sections around it. NaN where
// that is an end of the range or f is not a number there.
double least_at(const Function& f, double low, double high, int grid) {
  double best = low, least = std::numeric_limits<double>::infinity();
  const double step = (high - low) / grid;
  for (int i = 0; i <= grid; ++i) {
    const double value = f(low + i * step);
    if (value < least) least = value, best = low + i * step;
  }
  if (!std::isfinite(least)) return kUnknown;
  double a = std::max(low, best - step), b = std::min(high, best + step);
  constexpr double kGolden = 0.6180339887498949;
  double x = b - kGolden * (b - a), y = a + kGolden * (b - a), fx = f(x), fy = f(y);
  while (b - a > 1e-9 * (std::fabs(a) + std::fabs(b))) {
    if (fx < fy) {
      b = y, y = x, fy = fx, x = b - kGolden * (b - a), fx = f(x);
    } else {
      a = x, x = y, fx = fy, y = a + kGolden * (b - a), fy = f(y);
    }
  }
  const double found = 0.5 * (a + b), end = 1e-6 * (high - low);
  return found - low < end || high - found < end ? kUnknown : found;
}

enum class Parts { kAll, kWeights, kActivations, kKv };

// "", "_w", "_a", "_kv" after a quantity's name.
bool parse_parts(const std::string& suffix, Parts& parts) {
  constexpr const char* kNames[] = {"", "_w", "_a", "_kv"};
  for (int i = 0; i < 4; ++i) {
    if (suffix == kNames[i]) {
      parts = static_cast<Parts>(i);
      return true;
    }
  }
  return false;
}

Observation run_of(double log_params, double log_tokens, Parts parts, double bits,
                   double other_bits) {
  Observation run;
  run.bits_weights = run.bits_activations = run.bits_kv = other_bits;
  run.params = std::exp(log_params);
  run.tokens = std::exp(log_tokens);
  const bool all = parts == Parts::kAll;
  if (all || parts == Parts::kWeights) run.bits_weights = bits;
  if (all || parts == Parts::kActivations) run.bits_activations = bits;
  if (all || parts == Parts::kKv) run.bits_kv = bits;
  return run;
}

constexpr double kLogLeast = 6.9, kLogMost = 92;  // sizes and tokens searched: 1e3 to 1e40
constexpr double kLeastBits = 1, kMostBits = 32;

double number_of(const std::string& text, const std::string& whole) {
  const std::string digits = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !(value > 0)) {
    throw Error(fmt::format("shrink: {}: '{}' is not a positive number", whole, digits));
  }
  return value;
}

void require_formula_of_bits(const Law& law, const std::string& text) {
  if (law.uses_bits && law.class_parameters.empty()) return;
  throw Error(
      fmt::format("shrink: {}: {} has no formula in bits; choose kumar or another law that "
                  "has",
                  text, law.name));
}

void require_delta(const Law& law, const std::string& text) {
  if (law.has_delta) return;
  throw Error(fmt::format(
      "shrink: {}: {} says nothing of quantization after training; choose kumar or ouyang-qid",
      text, law.name));
}

// Of the largest study: 6 N D.
double most_compute(const std::vector<Observation>& rows) {
  double most = 0;
  for (const Observation& row : rows) most = std::max(most, row.params * row.tokens);
  return most > 0 ? most : 1e18;
}

LawQuantity best_bits(const Law& law, Parts parts, const std::vector<Observation>& rows) {
  const double log_compute = std::log(most_compute(rows));
  LawQuantity out;
  out.unit = "bits";
  out.low = kLeastBits, out.high = kMostBits;
  out.of = [&law, parts, log_compute](const double* p) {
    const auto least_loss = [&](double bits) {
      const double log_product = log_compute - std::log(bits / kUnquantizedBits);
      const auto loss = [&](double log_params) {
        return predict(law, p,
                       run_of(log_params, log_product - log_params, parts, bits, kUnlimitedBits));
      };
      const double best = least_at(loss, 0.1 * log_product, 0.9 * log_product, 8);
      return std::isnan(best) ? std::numeric_limits<double>::infinity() : loss(best);
    };
    return least_at(least_loss, kLeastBits, kMostBits, 31);
  };
  return out;
}

LawQuantity effective_share(const Law& law, Parts parts, double bits,
                            const std::vector<Observation>& rows) {
  double log_params = std::log(1e8), log_tokens = std::log(1e10);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double n = std::log(rows[i].params), d = std::log(rows[i].tokens);
    log_params = i == 0 ? n : std::max(log_params, n);
    log_tokens = i == 0 ? d : std::max(log_tokens, d);
  }
  LawQuantity out;
  out.logarithmic = true;
  out.of = [&law, parts, bits, log_params, log_tokens](const double* p) {
    const double loss =
        predict(law, p, run_of(log_params, log_tokens, parts, bits, kUnlimitedBits));
    // An unquantized model of the same loss, by bisection: loss falls with size.
    double low = 0, high = kLogMost;
    for (int i = 0; i < 80; ++i) {
      const double middle = 0.5 * (low + high);
      const Observation run =
          run_of(middle, log_tokens, Parts::kAll, kUnlimitedBits, kUnlimitedBits);
      (predict(law, p, run) > loss ? low : high) = middle;
    }
    const bool found = low > 1e-6 && high < kLogMost - 1e-6;
    return found ? std::exp(0.5 * (low + high) - log_params) : kUnknown;
  };
  return out;
}

LawQuantity critical_tokens(const Law& law, double bits, double params) {
  LawQuantity out;
  out.unit = "tokens";
  out.logarithmic = true;
  out.of = [&law, bits, params](const double* p) {
    return std::exp(least_at(
        [&](double log_tokens) {
          Observation run =
              run_of(std::log(params), log_tokens, Parts::kAll, kUnlimitedBits, kUnlimitedBits);
          run.bits_post = bits;
          return predict(law, p, run);
        },
        kLogLeast, kLogMost, 64));
  };
  return out;
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
    else
      throw Error(
          fmt::format("shrink: {}: a run has N, D, P, P_w, P_a, P_kv, P_post and class, "
                      "not {}",
                      whole, name));
  }
  if (!(run.params > 0 && run.tokens > 0)) {
    throw Error(fmt::format("shrink: {}: a run needs N and D", whole));
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
  Parts parts = Parts::kAll;
  const bool alone = at == std::string::npos;
  if (head.starts_with("P*") && parse_parts(head.substr(2), parts) && alone && bits.empty()) {
    require_formula_of_bits(law, text);
    return best_bits(law, parts, rows);
  }
  if (head.starts_with("N_eff") && parse_parts(head.substr(5), parts) && alone) {
    require_formula_of_bits(law, text);
    return effective_share(law, parts, number_of(bits, text), rows);
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
    return critical_tokens(law, number_of(bits, text), params);
  }
  if (head == "loss" && at != std::string::npos) {
    return loss_of_run(law, text.substr(at + 1), text);
  }
  std::vector<std::string> names{"P*", "P*_w", "N_eff:4", "D_crit:4", "loss@N=1e9,D=2e10"};
  for (const Parameter& p : law.parameters) names.emplace_back(p.name);
  const std::string near = nearest_name(text, names);
  throw Error(fmt::format("shrink: {} is unknown; {}", text,
                          near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                       : fmt::format("did you mean {}?", near)));
}

}  // namespace

LawQuantity parse_quantity(const std::string& text, const Law& law,
                           const std::vector<Observation>& rows) {
  LawQuantity out = find(trim(text), law, rows);
  out.name = trim(text);
  return out;
}

}  // namespace bitlaw
