#include "plan/limits.h"

#include <algorithm>
#include <cmath>

#include "base/search.h"

namespace bitlaw {
namespace {

constexpr double kAspect = 128;  // width / layers of the estimated shape
// N = 12 layers width^2 = 12 kAspect^2 layers^3.
constexpr double kParamsOfOneLayer = 12 * kAspect * kAspect;

}  // namespace

double Limits::most_tokens(double params, const Precision& precision, double post_bits) const {
  double most = std::numeric_limits<double>::infinity();
  for (const ComputeBudget& budget : compute) {
    double left = budget.flop / params;
    if (serving.tokens > 0) {
      left -= 2 * serving.tokens * budget.cost.of_serving(precision, post_bits);
    }
    most = std::min(most, left / (6 * budget.cost.of(precision)));
  }
  return most;
}

double Limits::most_params(double tokens, const Precision& precision, double post_bits) const {
  double most = most_params_in_memory(precision, post_bits);
  for (const ComputeBudget& budget : compute) {
    double each = 6 * tokens * budget.cost.of(precision);
    if (serving.tokens > 0) {
      each += 2 * serving.tokens * budget.cost.of_serving(precision, post_bits);
    }
    most = std::min(most, budget.flop / each);
  }
  return most;
}

double Limits::most_params_at_ratio(double ratio, const Precision& precision,
                                    double post_bits) const {
  double most = most_params_in_memory(precision, post_bits);
  for (const ComputeBudget& budget : compute) {
    // a N^2 + b N = C
    const double a = 6 * ratio * budget.cost.of(precision);
    const double b =
        serving.tokens > 0 ? 2 * serving.tokens * budget.cost.of_serving(precision, post_bits) : 0;
    most = std::min(most, 2 * budget.flop / (b + std::sqrt(b * b + 4 * a * budget.flop)));
  }
  return most;
}

double Limits::most_params_in_memory(const Precision& precision, double post_bits) const {
  if (!(serving.memory_bytes > 0)) return std::numeric_limits<double>::infinity();
  if (file.whole) {
    // Bytes grow with the matrices, nearly as a power of their number.
    const auto params = [&](double log_matrices) { return file.params_of(std::exp(log_matrices)); };
    const auto room = [&](double log_matrices) {
      return std::log(serving.memory_bytes /
                      memory_bytes(params(log_matrices), precision, post_bits));
    };
    if (!(room(0) >= 0)) return 0;
    double high = 1;
    while (room(high) > 0) high *= 2;
    return params(root_of_falling(room, 0, high));
  }
  const double weight_bytes = storage_bits(precision, post_bits).weights / 8;
  const double bytes_at_one = kv_bytes(1, precision);
  if (serving.kv_entries > 0 || bytes_at_one == 0) {
    return (serving.memory_bytes - bytes_at_one) / weight_bytes;
  }
  // With u = N^(1/3): a u^3 + b u^2 = M. Newton's method from above, where the left side is convex.
  const double a = weight_bytes, b = bytes_at_one;
  double u = std::cbrt(serving.memory_bytes / a);
  for (int i = 0; i < 100; ++i) {
    const double step = (u * u * (a * u + b) - serving.memory_bytes) / (u * (3 * a * u + 2 * b));
    u -= step;
    if (!(step > 1e-15 * u)) break;
  }
  return u * u * u;
}

double Limits::product(const Precision& precision) const {
  double most = std::numeric_limits<double>::infinity();
  for (const ComputeBudget& budget : compute) {
    most = std::min(most, budget.flop / (6 * budget.cost.of(precision)));
  }
  return most;
}

double Limits::kv_bytes(double params, const Precision& precision) const {
  const double entries = serving.kv_entries > 0 ? serving.kv_entries
                                                : serving.kv_share * kAspect *
                                                      std::pow(params / kParamsOfOneLayer, 2.0 / 3);
  return 2 * entries * serving.context * serving.batch * storage_bits(precision, 0).kv / 8;
}

double Limits::memory_bytes(double params, const Precision& precision, double post_bits) const {
  return file.weight_bytes(params, precision, post_bits) + file.embedding_bytes(params) +
         kv_bytes(params, precision);
}

std::vector<Use> Limits::uses(double params, double tokens, const Precision& precision,
                              double post_bits) const {
  std::vector<Use> out;
  for (const ComputeBudget& budget : compute) {
    double each = 6 * tokens * budget.cost.of(precision);
    if (serving.tokens > 0) {
      each += 2 * serving.tokens * budget.cost.of_serving(precision, post_bits);
    }
    out.push_back({budget.name, budget.amount, budget.amount * (params * each / budget.flop)});
  }
  if (serving.memory_bytes > 0) {
    out.push_back(
        {"memory_bytes", serving.memory_bytes, memory_bytes(params, precision, post_bits)});
  }
  return out;
}

}  // namespace bitlaw
