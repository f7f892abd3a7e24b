#include "laws/effective.h"

#include <algorithm>
#include <cmath>

#include "base/search.h"

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLeastLogShare = -40, kMostLogShare = 10;
// Of differences by log P and log D: what they leave out and what rounding adds are both below 1e-9
// of a slope.
constexpr double kBitsStep = 2e-3, kTokensStep = 1e-2;
constexpr double kNextStudy = 10;  // times the largest budget so far

Observation not_quantized(const Observation& run) {
  Observation out = run;
  out.bits_weights = out.bits_activations = out.bits_kv = kUnlimitedBits;
  out.bits_keys = out.bits_values = out.bits_embedding = out.bits_head = kUnknown;
  out.bits_post = 0;
  out.precision.clear(), out.backward.clear();
  out.exponent_bits = out.mantissa_bits = kUnknown;
  out.gaussian_error_weights = out.gaussian_error_activations = out.gaussian_error_kv = kUnknown;
  return out;
}

void set_bits(Observation& run, const Parts& parts, double bits) {
  if (parts[0]) run.bits_weights = bits;
  if (parts[1]) run.bits_activations = bits;
  if (parts[2]) run.bits_kv = bits, run.bits_keys = run.bits_values = kUnknown;
}

// f'(0) from five points, `h` of a logarithm apart.
template <class F>
double slope(const F& f, double h) {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

// The least loss that a budget buys, at bits of one's choice.
class Budget {
 public:
  Budget(const Law& law, const double* p, double compute, const Parts& parts,
         const Observation& like)
      : law_(law),
        p_(p),
        parts_(parts),
        log_product_(std::log(compute / 6 * kUnquantizedBits)),
        run_(not_quantized(like)) {}

  // Over N; infinite if the law gives no loss.
  double least_loss(double bits) const { return loss(best_log_params(bits), std::log(bits)); }

  // Its derivative by log bits. At the best N the loss does not change with N along the budget, so
  // that only the tokens that dearer bits take away are left.
  double slope_at(double bits) const {
    const double log_params = best_log_params(bits), log_bits = std::log(bits);
    return slope([&](double step) { return loss(log_params, log_bits + step); }, kBitsStep);
  }

 private:
  double loss(double log_params, double log_bits) const {
    run_.params = std::exp(log_params);
    run_.tokens = std::exp(log_product_ - log_bits - log_params);
    set_bits(run_, parts_, std::exp(log_bits));
    const double found = predict(law_, p_, run_);
    return std::isnan(found) ? kInfinity : found;
  }

  double best_log_params(double bits) const {
    constexpr double kTolerance = 1e-6, kPolishStep = 2e-3;
    const double log_bits = std::log(bits), high = log_product_ - log_bits;
    const auto at = [&](double log_params) { return loss(log_params, log_bits); };
    const double near = std::isnan(near_) ? 0.5 * (high - std::log(20.0)) : near_;
    const double best =
        minimise_near(at, near, std::isnan(near_) ? 0.5 : 0.05, 0, high, kTolerance).x;
    near_ = polish(at, best, kPolishStep);
    return near_;
  }

  const Law& law_;
  const double* p_;
  const Parts& parts_;
  const double log_product_;
  mutable Observation run_;
  mutable double near_ = kUnknown;  // the last best log N: where the next search begins
};

// The bits of least `value`. Values locate their minimum to half of their digits; the root of the
// slope is known to all, so that P* can be differentiated.
template <class Value, class Slope>
double least_at(const Value& value, const Slope& slope_at) {
  Found best{kFewestBits, kInfinity};
  for (double bits = kFewestBits; bits <= kMostBits; ++bits) {
    const double found = value(bits);
    if (found < best.value) best = {bits, found};
  }
  if (std::isinf(best.value)) return kUnknown;
  best = minimise_near(value, best.x, 0.5, kFewestBits, kMostBits, 1e-6);
  if (best.x == kFewestBits || best.x == kMostBits) return best.x;
  constexpr double kReach = 0.01;
  const double bits =
      root_of_falling([&](double at) { return -slope_at(at); },
                      std::max(kFewestBits, best.x - kReach), std::min(kMostBits, best.x + kReach));
  return value(bits) <= best.value + 1e-13 * std::fabs(best.value) ? bits : best.x;
}

// The logarithm of N_eff / N.
double log_share_at_loss(const Law& law, const double* p, const Observation& run, double loss) {
  Observation plain = not_quantized(run);
  const auto at = [&](double log_share) {
    plain.params = run.params * std::exp(log_share);
    return predict(law, p, plain);
  };
  // Where L = c + A N^-alpha, log(L - c) is straight in log N.
  const double least = at(500);
  if (!(loss > least)) return kUnknown;
  const double target = std::log(loss - least);
  return root_of_falling([&](double log_share) { return std::log(at(log_share) - least) - target; },
                         kLeastLogShare, kMostLogShare);
}

}  // namespace

bool feels_bits(const Law& law, const double* p, const Parts& parts) {
  if (!law.uses_bits) return false;
  if (!law.class_parameters.empty()) return true;
  Observation run;
  run.params = 1e9, run.tokens = 1e11;
  const double wide = predict(law, p, run);
  const auto differs = [&](double bits) {
    set_bits(run, parts, bits);
    return predict(law, p, run) != wide;
  };
  return differs(4) || differs(kFewestBits);  // a steep law feels only what is next to divergence
}

bool feels_gaussian_error(const Law& law, const double* p) {
  if (!law.uses_bits || !law.class_parameters.empty() || !law.inputs.empty()) return false;
  Observation run;
  run.params = 1e9, run.tokens = 1e11, run.bits_weights = 4, run.bits_activations = 4;
  run.gaussian_error_weights = run.gaussian_error_activations = 0.01;
  const double loss = predict(law, p, run);
  run.gaussian_error_weights = run.gaussian_error_activations = 0.02;
  return predict(law, p, run) != loss && !std::isnan(loss);
}

Parts parts_of(const Law& law, const double* p) {
  if (law.own == nullptr) return kAllParts;
  Parts out{};
  for (size_t i = 0; i < out.size(); ++i) {
    Parts alone{};
    alone[i] = true;
    out[i] = feels_bits(law, p, alone);
  }
  return out;
}

bool has_parts(const Law& law, const double* p, const Parts& parts) {
  const Parts known = parts_of(law, p);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] && !known[i]) return false;
  }
  return true;
}

double effective_share(const Law& law, const double* p, const Observation& run) {
  if (law.predicts != Predicts::kLoss || !feels_bits(law, p)) return kUnknown;
  Observation trained = run;
  trained.bits_post = 0;
  const double loss = predict(law, p, trained);
  if (std::isnan(loss)) return kUnknown;
  if (!law.has_share) return share_at_loss(law, p, run, loss);
  const double log_of_share = log_share(law, p, trained);
  return log_of_share >= kLeastLogShare ? std::exp(log_of_share) : kUnknown;
}

double share_at_loss(const Law& law, const double* p, const Observation& run, double loss) {
  return std::exp(log_share_at_loss(law, p, run, loss));
}

double best_bits(const Law& law, const double* p, double compute, const Parts& parts,
                 const Observation& like) {
  if (law.predicts != Predicts::kLoss || !law.class_parameters.empty() ||
      !feels_bits(law, p, parts)) {
    return kUnknown;
  }
  if (!law.has_share) {
    const Budget budget(law, p, compute, parts, like);
    return least_at([&](double bits) { return budget.least_loss(bits); },
                    [&](double bits) { return budget.slope_at(bits); });
  }
  // With N D P fixed, the loss depends on bits only through f / P.
  Observation run = not_quantized(like);
  const auto price = [&](double bits) {
    set_bits(run, parts, bits);
    return std::log(bits) - log_share(law, p, run);
  };
  return least_at(price, [&](double bits) {
    return slope([&](double step) { return price(bits * std::exp(step)); }, kBitsStep);
  });
}

double critical_tokens(const Law& law, const double* p, const Observation& model,
                       double post_bits) {
  if (!law.has_delta || law.predicts != Predicts::kLoss) return kUnknown;
  Observation plain = not_quantized(model), after = plain;
  after.bits_post = post_bits;
  const auto gain = [&](double log_tokens) {
    return -slope(
        [&](double step) {
          plain.tokens = std::exp(log_tokens + step);
          return predict(law, p, plain);
        },
        kTokensStep);
  };
  const auto harm = [&](double log_tokens) {
    return slope(
        [&](double step) {
          after.tokens = std::exp(log_tokens + step);
          return predict_delta(law, p, after);
        },
        kTokensStep);
  };
  // Both are straight in log D for power laws, so their logarithms are compared.
  const auto balance = [&](double x) { return std::log(gain(x)) - std::log(harm(x)); };
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

double critical_tokens(const Law& law, const double* p, double params, double post_bits) {
  Observation model;
  model.params = params;
  return critical_tokens(law, p, model, post_bits);
}

Middle middle_of(std::span<const Observation> runs) {
  if (runs.empty()) return {.run = {.params = 1e8, .tokens = 1e10}, .next_compute = 6e19};
  double least_n = kInfinity, most_n = 0, least_d = kInfinity, most_d = 0, most = 0;
  double group = runs[0].group, fixed = 0;
  std::vector<NamedInput> inputs = runs[0].inputs;
  for (const Observation& run : runs) {
    least_n = std::min(least_n, run.params), most_n = std::max(most_n, run.params);
    least_d = std::min(least_d, run.tokens), most_d = std::max(most_d, run.tokens);
    most = std::max(most, 6 * run.params * run.tokens);
    if (run.group != group) group = kUnknown;
    fixed += run.fixed_share / static_cast<double>(runs.size());
    for (NamedInput& input : inputs) {
      if (run.input(input.column) != input.value) input.value = kUnknown;
    }
  }
  Middle out{.run = {.params = std::sqrt(least_n * most_n), .tokens = std::sqrt(least_d * most_d)},
             .next_compute = kNextStudy * most};
  out.run.group = group;
  out.run.fixed_share = fixed;
  out.run.inputs = std::move(inputs);
  return out;
}

}  // namespace bitlaw
