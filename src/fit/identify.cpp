#include "fit/identify.h"

#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <set>

namespace bitlaw {
namespace {

double weights_below_16(const Observation& run) {
  return run.bits_weights < kUnquantizedBits ? run.bits_weights : kUnknown;
}
double activations_below_16(const Observation& run) {
  return run.bits_activations < kUnquantizedBits ? run.bits_activations : kUnknown;
}
double kv_below_16(const Observation& run) {
  return run.bits_kv < kUnquantizedBits ? run.bits_kv : kUnknown;
}

// A constant needs this many distinct values of a quantity (NaN is none) among the rows of its
// stage.
struct Need {
  const char* parameter;
  Stage stage;
  double (*quantity)(const Observation&);
  size_t distinct;
  const char* what;
};

constexpr Need kNeeds[] = {
    {"alpha", Stage::kTraining, [](const Observation& run) { return run.params; }, 2, "sizes N"},
    {"beta", Stage::kTraining, [](const Observation& run) { return run.tokens; }, 2,
     "token counts D"},
    {"gamma_w", Stage::kTraining, weights_below_16, 1, "weight precisions below 16"},
    {"n_w", Stage::kTraining, weights_below_16, 2, "weight precisions below 16"},
    {"gamma_a", Stage::kTraining, activations_below_16, 1, "activation precisions below 16"},
    {"n_a", Stage::kTraining, activations_below_16, 2, "activation precisions below 16"},
    {"gamma_kv", Stage::kTraining, kv_below_16, 1, "KV precisions below 16"},
    {"n_kv", Stage::kTraining, kv_below_16, 2, "KV precisions below 16"},
    {"gamma_D", Stage::kPost, [](const Observation& run) { return run.tokens; }, 2,
     "token counts D"},
    {"gamma_N", Stage::kPost, [](const Observation& run) { return run.params; }, 2, "sizes N"},
    {"gamma_post", Stage::kPost, [](const Observation& run) { return run.bits_post; }, 2,
     "post-training precisions"},
    {"C_w", Stage::kPost, weights_below_16, 1,
     "precisions of training below 16 among the quantized rows"},
    {"C_a", Stage::kPost, activations_below_16, 1,
     "precisions of training below 16 among the quantized rows"},
    {"C_kv", Stage::kPost, kv_below_16, 1,
     "precisions of training below 16 among the quantized rows"},
};

double correlation_of_logs(const std::vector<Observation>& rows) {
  double n = 0, d = 0, nn = 0, dd = 0, nd = 0;
  for (const Observation& row : rows) n += std::log(row.params), d += std::log(row.tokens);
  n /= static_cast<double>(rows.size()), d /= static_cast<double>(rows.size());
  for (const Observation& row : rows) {
    const double a = std::log(row.params) - n, b = std::log(row.tokens) - d;
    nn += a * a, dd += b * b, nd += a * b;
  }
  return nn > 0 && dd > 0 ? nd / std::sqrt(nn * dd) : 0;
}

}  // namespace

std::vector<Frozen> unidentifiable(const Law& law, Stage stage,
                                   const std::vector<Observation>& rows) {
  std::vector<Frozen> out;
  for (const Need& need : kNeeds) {
    const int i = parameter_index(law, need.parameter);
    if (i < 0 || need.stage != stage) continue;
    std::set<double> seen;
    for (const Observation& row : rows) {
      const double value = need.quantity(row);
      if (!std::isnan(value)) seen.insert(value);
    }
    if (seen.size() < need.distinct) {
      out.push_back({i, fmt::format("the rows have {} {}, {} needed", seen.size(), need.what,
                                    need.distinct == 1 ? "1 is" : "2 are")});
    }
  }
  if (stage == Stage::kPost && parameter_index(law, "b") >= 0) {
    out.push_back({parameter_index(law, "b"), "only C_T exp(b) can be told from data"});
  }
  return out;
}

Conditioning conditioning(const Matrix& jacobian, const std::vector<std::string>& names,
                          const std::vector<Observation>& rows) {
  constexpr double kFlat = 1000;
  Conditioning out;
  if (jacobian.cols() < 2 || jacobian.rows() < jacobian.cols() || !jacobian.allFinite()) return out;
  Eigen::MatrixXd scaled = jacobian;
  for (long j = 0; j < scaled.cols(); ++j) {
    const double length = scaled.col(j).norm();
    if (length > 0) scaled.col(j) /= length;
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(scaled, Eigen::ComputeThinV);
  const auto& values = svd.singularValues();
  const double least = values[values.size() - 1];
  out.number = least > 0 ? values[0] / least : std::numeric_limits<double>::infinity();
  if (out.number < kFlat) return out;

  // The constants that move along the flattest direction, those that move most first.
  const Vector direction = svd.matrixV().col(scaled.cols() - 1);
  std::vector<std::pair<double, std::string>> movers;
  for (size_t j = 0; j < names.size(); ++j) {
    const double share = std::fabs(direction[static_cast<long>(j)]);
    if (share > 0.3) movers.emplace_back(-share, names[j]);
  }
  std::sort(movers.begin(), movers.end());
  std::vector<std::string> who;
  for (const auto& mover : movers) who.push_back(mover.second);
  out.flat = who.size() == 1 ? fmt::format("Condition number {:.1e}: the rows hardly depend on {}.",
                                           out.number, who[0])
                             : fmt::format(
                                   "Condition number {:.1e}: {} trade off, so trust their joint "
                                   "prediction more than their values.",
                                   out.number, fmt::join(who, ", "));
  if (correlation_of_logs(rows) > 0.98) {
    out.flat +=
        " D is nearly proportional to N in these rows; runs at other D/N would separate the "
        "exponents.";
  }
  return out;
}

}  // namespace bitlaw
