#include "laws/fixed_params.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace bitlaw {
namespace {

double fixed_number(const Json& document, const char* name) {
  const Json value = document.value(name, Json());
  return value.is_number() ? value.get<double>() : 0;
}

}  // namespace

double FixedParams::fixed(double matrices) const {
  return scale > 0 ? scale * std::pow(matrices, exponent) : 0;
}

double FixedParams::matrices_of_total(double params) const {
  if (!is_known()) return params;
  if (exponent == 0) return std::max(0.0, params - scale);
  // log(M + c M^p) is convex in log M: Newton's method from above never overshoots.
  double log_matrices = std::log(params);
  for (int i = 0; i < 200; ++i) {
    const double matrices = std::exp(log_matrices), rest = fixed(matrices);
    const double error = std::log((matrices + rest) / params);
    log_matrices -= error * (matrices + rest) / (matrices + exponent * rest);
    if (std::fabs(error) < 1e-15) break;
  }
  return std::exp(log_matrices);
}

double FixedParams::share_of_total(double params) const {
  return is_known() ? std::clamp(1 - matrices_of_total(params) / params, 0.0, 1.0) : 0;
}

FixedParams fixed_params_of(std::span<const Observation> runs) {
  std::set<std::pair<double, double>> points;  // log N, log(N_total - N)
  std::set<double> sizes;
  for (const Observation& run : runs) {
    if (!(run.params > 0) || !(run.params_total > run.params)) continue;
    points.emplace(std::log(run.params), std::log(run.params_total - run.params));
    sizes.insert(run.params);
  }
  if (points.empty()) return {};
  const auto n = static_cast<double>(points.size());
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [size, rest] : points) x += size / n, y += rest / n;
  for (const auto& [size, rest] : points) {
    xx += (size - x) * (size - x), xy += (size - x) * (rest - y);
  }
  FixedParams out;
  out.sizes = static_cast<int>(sizes.size());
  out.exponent = xx > 1e-6 ? std::clamp(xy / xx, 0.0, 0.95) : kUsualWidthExponent;
  out.scale = std::exp(y - out.exponent * x);
  double squares = 0;
  for (const auto& [size, rest] : points) {
    const double off = rest - std::log(out.fixed(std::exp(size)));
    squares += off * off / n;
  }
  out.spread = std::sqrt(squares);
  return out;
}

void count_all_params(Observation& run) {
  const bool embedding = run.bits_embedding < kUnquantizedBits;
  const bool head = run.bits_head < kUnquantizedBits;
  const double rest = std::max(0.0, 1 - run.params / run.params_total);
  run.fixed_share = embedding && head ? 0 : embedding || head ? 0.5 * rest : rest;
  if (std::isnan(run.fixed_share)) run.fixed_share = 0;
  run.params = run.params_total;
}

bool count_params_by_compute(Observation& run) {
  if (!(run.compute > 0) || !(run.tokens > 0)) return false;
  run.params = run.compute / (6 * run.tokens);
  run.params_total = run.fixed_share = 0;
  return true;
}

double params_counted(const Observation& run, std::string_view how) {
  if (how == "total") return run.params_total;
  return how == "flops" ? run.compute / (6 * run.tokens) : run.params;
}

std::string_view words_for_count(std::string_view params) {
  if (params == "total") return "with embeddings and head";
  if (params == "flops") return "by FLOPs, C / (6 D)";
  return "without embeddings";
}

Json fixed_params_json(const FixedParams& fixed) {
  if (!fixed.is_known()) return nullptr;
  return {{"scale", fixed.scale},
          {"exponent", fixed.exponent},
          {"sizes", fixed.sizes},
          {"spread", fixed.spread}};
}

FixedParams fixed_params_from(const Json& document) {
  FixedParams out;
  if (!document.is_object()) return out;
  out.scale = fixed_number(document, "scale"), out.exponent = fixed_number(document, "exponent");
  out.sizes = static_cast<int>(fixed_number(document, "sizes"));
  out.spread = fixed_number(document, "spread");
  if (!(out.scale > 0) || !(out.exponent >= 0) || !(out.exponent < 1)) return {};
  return out;
}

}  // namespace bitlaw
