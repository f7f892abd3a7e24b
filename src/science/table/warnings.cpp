#include "table/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/statistics.h"
#include "base/text.h"
#include "laws/bind.h"
#include "table/replicates.h"

namespace bitlaw {
namespace {

using Rows = std::vector<Observation>;

constexpr double kFewestTokens = 1e6, kFewestParams = 1e4;
// An untrained model has log V, which is 12.5 with a vocabulary of 262,144.
constexpr double kLargestLoss = 12.5;
// Web text in nats per token stays above this; it is a usual value in bits per byte.
constexpr double kSmallestLoss = 1.3;
// Tokens per parameter outside of these are more than anyone has trained with, or less.
constexpr double kFewestRatio = 1e-2, kMostRatio = 1e5;
constexpr double kProportional = 0.98;  // correlation of log N and log D

template <class Value>
bool all_have_one(const Rows& rows, const Value& value) {
  const auto first = value(rows[0]);
  return std::all_of(rows.begin(), rows.end(),
                     [&](const Observation& row) { return value(row) == first; });
}

std::string trained_precision(const Observation& row) {
  const std::string forward = precision_class(row), backward = backward_class(row);
  const std::string name = forward.empty() ? "BF16" : forward;
  return backward.empty() ? name : name + ", backward " + backward;
}

std::string size_units(const Rows& rows) {
  const bool few = std::all_of(rows.begin(), rows.end(),
                               [](const Observation& row) { return row.params < kFewestParams; });
  if (!few) return "";
  return fmt::format(
      "Every N is below {:.0f} parameters: if they are in millions or billions, use --scale N=1e6 "
      "or N=1e9.",
      kFewestParams);
}

std::string token_units(const Rows& rows) {
  const bool few = std::all_of(rows.begin(), rows.end(),
                               [](const Observation& row) { return row.tokens < kFewestTokens; });
  if (!few) return "";
  return fmt::format(
      "Every D is below {:.0f} tokens: if they are in millions or billions, use --scale D=1e6 or "
      "D=1e9.",
      kFewestTokens);
}

std::string ratio(const Rows& rows) {
  if (!size_units(rows).empty() || !token_units(rows).empty()) return "";
  std::vector<double> ratios;
  for (const Observation& row : rows) ratios.push_back(row.tokens / row.params);
  const double middle = upper_median(std::move(ratios));
  if (middle >= kFewestRatio && middle <= kMostRatio) return "";
  return fmt::format(
      "The median of D/N is {:.3g}: are N and D in the same unit? --scale N=1e6 or D=1e9 "
      "multiplies a column.",
      middle);
}

std::string large_losses(const Rows& rows) {
  const auto large = std::count_if(rows.begin(), rows.end(), [](const Observation& row) {
    return row.loss_nats > kLargestLoss;
  });
  if (large == 0) return "";
  return fmt::format(
      "{} of {} losses exceed {} nats per token, more than an untrained model has: if they are "
      "perplexities, --columns perplexity=COLUMN takes their logarithm.",
      large, rows.size(), kLargestLoss);
}

std::string small_losses(const Rows& rows) {
  bool any = false;
  for (const Observation& row : rows) {
    if (row.loss_nats >= kSmallestLoss) return "";
    any |= row.loss_nats < kSmallestLoss;
  }
  if (!any) return "";
  return fmt::format(
      "Every loss is below {} nats per token: if they are bits per byte, multiply by "
      "0.6931 times the bytes of a token, as in --scale loss=2.9.",
      kSmallestLoss);
}

std::string duplicates(int count) {
  if (count == 0) return "";
  return fmt::format(
      "{} {} exactly and {} twice in a fit, but not as replicates: --drop-duplicates keeps the "
      "first.",
      count, count == 1 ? "row repeats an earlier one" : "rows repeat earlier ones",
      count == 1 ? "counts" : "count");
}

std::string replicates(int count) {
  if (count == 0) return "";
  return fmt::format(
      "{} rows are replicates: the same N, D and precision as another row, with a different "
      "result. All are used, and resampled together unless a column names their runs; --replicates "
      "best or mean makes one of them.",
      count);
}

std::string one_size(const Rows& rows) {
  if (rows.size() < 2 || !all_have_one(rows, [](const Observation& row) { return row.params; }))
    return "";
  return fmt::format(
      "Every row has N = {}: how the loss falls with N cannot be identified; alpha and A need runs "
      "of other sizes.",
      format_count(rows[0].params));
}

std::string one_token_count(const Rows& rows) {
  if (rows.size() < 2 || !all_have_one(rows, [](const Observation& row) { return row.tokens; }))
    return "";
  return fmt::format(
      "Every row has D = {}: how the loss falls with D cannot be identified; beta and B need runs "
      "of other lengths.",
      format_count(rows[0].tokens));
}

// Of log N and log D over their distinct pairs; 0 if fewer than three, or if one of them is
// constant.
double correlation(const Rows& rows) {
  std::vector<std::pair<double, double>> pairs;
  for (const Observation& row : rows) pairs.emplace_back(row.params, row.tokens);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (auto& [n, d] : pairs) n = std::log(n), d = std::log(d);
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  if (pairs.size() < 3) return 0;
  const auto count = static_cast<double>(pairs.size());
  double mean_n = 0, mean_d = 0, nn = 0, dd = 0, nd = 0;
  for (const auto& [n, d] : pairs) mean_n += n / count, mean_d += d / count;
  for (const auto& [n, d] : pairs) {
    nn += (n - mean_n) * (n - mean_n);
    dd += (d - mean_d) * (d - mean_d);
    nd += (n - mean_n) * (d - mean_d);
  }
  return nn > 0 && dd > 0 ? nd / std::sqrt(nn * dd) : 0;
}

std::string proportional(const Rows& rows) {
  if (!one_size(rows).empty() || !one_token_count(rows).empty()) return "";
  const double rho = correlation(rows);
  if (!(rho > kProportional)) return "";
  return fmt::format(
      "D is nearly proportional to N (their logarithms correlate by {:.3f}): the effects of size "
      "and tokens cannot be separated; runs at other tokens per parameter would separate them.",
      rho);
}

std::string one_precision(const Rows& rows) {
  const bool post = std::any_of(rows.begin(), rows.end(),
                                [](const Observation& row) { return row.is_post_training(); });
  if (post || rows.size() < 2 || !all_have_one(rows, trained_precision)) return "";
  return fmt::format(
      "Every run is trained at one precision, {}: the cost of precision cannot be identified; that "
      "needs runs at other bits.",
      trained_precision(rows[0]));
}

}  // namespace

std::vector<std::string> table_warnings(const std::vector<Observation>& rows, bool law_uses_bits) {
  std::vector<std::string> warnings;
  const auto add = [&](std::string warning) {
    if (!warning.empty()) warnings.push_back(std::move(warning));
  };
  if (rows.empty()) return warnings;
  const bool has_sizes = !rows[0].stand_in_sizes;
  if (has_sizes) {
    for (const auto check : {size_units, token_units, ratio}) add(check(rows));
  }
  for (const auto check : {large_losses, small_losses}) add(check(rows));
  const Repeats repeats = count_repeats(rows);
  add(duplicates(repeats.duplicates));
  add(replicates(repeats.replicates));
  if (has_sizes) {
    for (const auto check : {one_size, one_token_count, proportional}) add(check(rows));
  }
  if (law_uses_bits) add(one_precision(rows));
  return warnings;
}

std::string nothing_to_fit(const std::vector<Observation>& rows) {
  const auto inputs = [](const Observation& row) {
    return std::tuple(row.params, row.tokens, row.bits_post, trained_precision(row));
  };
  if (rows.size() < 2 || !all_have_one(rows, inputs)) return "";
  return fmt::format(
      "all {} rows have the same N, D and precision: there is nothing to fit; a table needs runs "
      "that differ",
      rows.size());
}

}  // namespace bitlaw
