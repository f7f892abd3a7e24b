#include "fit/identify.h"

#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <set>

#include "laws/bind.h"

namespace bitlaw {
namespace {

// NaN if the row does not inform the quantity.
double value_of(const Needs& needs, const Observation& run) {
  const auto below_16 = [](double bits) { return bits < kUnquantizedBits ? bits : kUnknown; };
  switch (needs.of) {
    case Quantity::kNothing:
      return kUnknown;
    case Quantity::kInput:
      return run.input(needs.column);
    case Quantity::kSizes:
      return run.params;
    case Quantity::kTokens:
      return run.tokens;
    case Quantity::kTokensPerParam:
      return run.tokens / run.params;
    case Quantity::kWeightBits:
      return below_16(run.bits_weights);
    case Quantity::kActivationBits:
      return below_16(run.bits_activations);
    case Quantity::kKvBits:
      return below_16(run.bits_kv);
    case Quantity::kKeyBits:
      return below_16(run.key_bits());
    case Quantity::kValueBits:
      return below_16(run.value_bits());
    case Quantity::kEmbeddingBits:
      return below_16(run.bits_embedding);
    case Quantity::kHeadBits:
      return below_16(run.bits_head);
    case Quantity::kAnyBits: {
      const double least = std::min({run.bits_weights, run.bits_activations, run.bits_kv});
      // Distinct for distinct triples.
      if (least < kUnquantizedBits)
        return run.bits_weights + 100 * run.bits_activations + 10000 * run.bits_kv;
      return precision_class(run).empty() ? kUnknown : 0;  // named without its bits
    }
    case Quantity::kPostBits:
      return run.bits_post;
    case Quantity::kRepetitions:
      return run.tokens > run.unique_tokens ? run.tokens / run.unique_tokens : kUnknown;
    case Quantity::kGroups:
      return run.group;
    case Quantity::kExponentBits:
      if (run.exponent_bits >= 0) return run.exponent_bits;
      return run.bits_weights < kUnquantizedBits ? 0 : kUnknown;
    case Quantity::kMantissaBits:
      if (run.mantissa_bits >= 0) return run.mantissa_bits;
      return run.bits_weights < kUnquantizedBits ? run.bits_weights - 1 : kUnknown;
  }
  return kUnknown;
}

std::string words(const Needs& needs, Stage stage) {
  switch (needs.of) {
    case Quantity::kNothing:
      return "";
    case Quantity::kSizes:
      return "sizes N";
    case Quantity::kTokens:
      return "token counts D";
    case Quantity::kTokensPerParam:
      return "ratios D/N";
    case Quantity::kWeightBits:
      return stage == Stage::kPost ? "weight precisions below 16 among the quantized rows"
                                   : "weight precisions below 16";
    case Quantity::kActivationBits:
      return stage == Stage::kPost ? "activation precisions below 16 among the quantized rows"
                                   : "activation precisions below 16";
    case Quantity::kKvBits:
      return stage == Stage::kPost ? "KV precisions below 16 among the quantized rows"
                                   : "KV precisions below 16";
    case Quantity::kKeyBits:
      return "precisions of keys below 16";
    case Quantity::kValueBits:
      return "precisions of values below 16";
    case Quantity::kEmbeddingBits:
      return "precisions of embeddings below 16";
    case Quantity::kHeadBits:
      return "precisions of the head below 16";
    case Quantity::kAnyBits:
      return "precisions below 16";
    case Quantity::kPostBits:
      return "post-training precisions";
    case Quantity::kRepetitions:
      return "repetitions of the data";
    case Quantity::kGroups:
      return "group sizes";
    case Quantity::kExponentBits:
      return "exponent widths";
    case Quantity::kMantissaBits:
      return "mantissa widths";
    case Quantity::kInput:
      return std::string("values of ") + needs.column;
  }
  return "";
}

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
  const std::vector<std::vector<int>> classes = class_positions(law, rows);
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const Parameter& p = law.parameters[i];
    if (p.stage != stage) continue;
    if (p.never) {
      out.push_back({static_cast<int>(i), p.never});
      continue;
    }
    const auto of_class =
        std::find_if(law.classes.begin(), law.classes.end(),
                     [&](const BoundClass& each) { return each.position == static_cast<int>(i); });
    std::set<double> seen;
    for (size_t row = 0; row < rows.size(); ++row) {
      if (static_cast<int>(seen.size()) >= p.needs.distinct) break;
      if (p.needs.quantized && precision_class(rows[row]).empty()) continue;
      if (of_class != law.classes.end() &&
          classes[static_cast<size_t>(of_class->parameter)][row] != of_class->position)
        continue;
      const double value = value_of(p.needs, rows[row]);
      if (!std::isnan(value)) seen.insert(value);
    }
    if (static_cast<int>(seen.size()) < p.needs.distinct) {
      out.push_back(
          {static_cast<int>(i),
           fmt::format("the rows{} have {} {}, {} {} needed",
                       of_class != law.classes.end() ? fmt::format(" of class {}", of_class->name)
                       : p.needs.quantized           ? " that are quantized"
                                                     : "",
                       seen.size(), words(p.needs, stage), p.needs.distinct,
                       p.needs.distinct == 1 ? "is" : "are"),
           !seen.empty()});
    }
  }
  for (const BoundClass& each : law.classes) {
    const std::vector<int>& of_rows = classes[static_cast<size_t>(each.parameter)];
    const bool present = std::find(of_rows.begin(), of_rows.end(), each.position) != of_rows.end();
    if (!present && stage == Stage::kTraining) {
      out.push_back({each.position, fmt::format("no row is of class {}", each.name)});
    }
  }
  return out;
}

Conditioning conditioning(const Matrix& jacobian, const std::vector<std::string>& names,
                          const std::vector<Observation>& rows) {
  constexpr double kFlat = 1000;
  Conditioning out;
  const long count = std::min(jacobian.rows(), static_cast<long>(rows.size()));  // without padding
  if (jacobian.cols() < 2 || count < jacobian.cols() || !jacobian.allFinite()) return out;
  Eigen::MatrixXd scaled = jacobian.topRows(count);
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
  out.flat = who.size() == 1 ? fmt::format("Condition number {:.1e}: the rows barely depend on {}.",
                                           out.number, who[0])
                             : fmt::format(
                                   "Condition number {:.1e}: {} trade off against each other: "
                                   "trust their joint prediction more than their values.",
                                   out.number, fmt::join(who, " and "));
  if (correlation_of_logs(rows) > 0.98) {
    out.flat +=
        " D is nearly proportional to N in these rows; runs at other D/N would separate the "
        "exponents.";
  }
  return out;
}

}  // namespace bitlaw
