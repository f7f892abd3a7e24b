#include "laws/effective.h"

#include <cmath>

#include "base/search.h"

namespace bitlaw {
namespace {

Observation not_quantized(double params, double tokens) {
  Observation run;
  run.params = params, run.tokens = tokens;
  run.bits_weights = run.bits_activations = run.bits_kv = kUnlimitedBits;
  return run;
}

}  // namespace

// Where L = c + A N^-alpha, log(L - c) is straight in log N.
double effective_share(const Law& law, const double* p, const Observation& run) {
  Observation trained = run;
  trained.bits_post = 0;
  Observation plain = not_quantized(run.params, run.tokens);
  plain.unique_tokens = run.unique_tokens, plain.group = run.group;
  const double loss = predict(law, p, trained);
  const auto at = [&](double log_share) {
    plain.params = run.params * std::exp(log_share);
    return predict(law, p, plain);
  };
  const double least = at(500);
  if (!(loss > least)) return kUnknown;
  const double target = std::log(loss - least);
  return std::exp(root_of_falling(
      [&](double log_share) { return std::log(at(log_share) - least) - target; }, -40, 10));
}

double best_bits(const Law& law, const double* p, double params, double tokens,
                 const Parts& parts) {
  if (!law.uses_bits || !law.class_parameters.empty()) return kUnknown;
  const auto worth = [&](double bits) {  // log of N_eff / (N P)
    Observation run = not_quantized(params, tokens);
    if (parts[0]) run.bits_weights = bits;
    if (parts[1]) run.bits_activations = bits;
    if (parts[2]) run.bits_kv = bits;
    const double share = effective_share(law, p, run);
    return std::isnan(share) ? -std::numeric_limits<double>::infinity()
                             : std::log(share) - std::log(bits);
  };
  constexpr double kStep = 1;
  double best = 1, most = -std::numeric_limits<double>::infinity();
  for (double bits = 1; bits <= kUnquantizedBits; bits += kStep) {
    const double value = worth(bits);
    if (value > most) best = bits, most = value;
  }
  if (std::isinf(most)) return kUnknown;
  // Where its slope in log P is zero: to all digits, so that P* can be differentiated.
  constexpr double kReach = 1e-3;
  const double bits = root_of_falling(
      [&](double at) { return worth(at * (1 + kReach)) - worth(at * (1 - kReach)); },
      std::fmax(1, best - kStep), std::fmin(kUnquantizedBits, best + kStep));
  return std::isnan(bits) ? best : bits;
}

// Where what the loss still gains from data equals what delta loses; both are straight in log D for
// power laws, so their logarithms are compared.
double critical_tokens(const Law& law, const double* p, double params, double post_bits) {
  if (!law.has_delta || law.predicts != Predicts::kLoss) return kUnknown;
  constexpr double kStep = 1e-2;
  Observation plain = not_quantized(params, 1);
  Observation after = plain;
  after.bits_post = post_bits;
  const auto gain = [&](double log_tokens) {
    plain.tokens = std::exp(log_tokens - kStep);
    const double before = predict(law, p, plain);
    plain.tokens = std::exp(log_tokens + kStep);
    return before - predict(law, p, plain);
  };
  const auto harm = [&](double log_tokens) {
    after.tokens = std::exp(log_tokens + kStep);
    const double more = predict_delta(law, p, after);
    after.tokens = std::exp(log_tokens - kStep);
    return more - predict_delta(law, p, after);
  };
  const auto balance = [&](double x) { return std::log(gain(x)) - std::log(harm(x)); };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double decade = std::log(10.0);
  double low = 3 * decade;  // more data helps there
  if (!(gain(low) > 0)) return kUnknown;
  if (!(harm(low) > 0)) return kInfinity;
  if (!(balance(low) > 0)) return kUnknown;
  for (double high = low + decade; high < 40 * decade; low = high, high += decade) {
    const double there = balance(high);
    if (!std::isfinite(there)) return kInfinity;  // nothing is gained any more, nor lost
    if (there <= 0) return std::exp(root_of_falling(balance, low, high));
  }
  return kInfinity;
}

}  // namespace bitlaw
