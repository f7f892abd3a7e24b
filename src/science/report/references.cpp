#include "report/references.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

bool has_loss(const TidyRow& row) {
  return row.is_run() && row.status != "diverged" && std::isfinite(row.loss);
}

// Queries may be rounded where nothing else is.
bool is_reference(const TidyRow& row) {
  return all_bf16(row) && !(row.P_q < kUnquantizedBits);
}

// Those that are not of precision, not pooled, and not decided by what is pooled.
std::vector<bool> factors_that_count(const std::vector<std::string>& pooled) {
  std::vector<bool> counts;
  const auto is_ignored = [&](const std::string& name) {
    return std::find(pooled.begin(), pooled.end(), name) != pooled.end() ||
           !counts[find_factor(name)->index()];
  };
  for (const Factor& factor : factors()) {
    bool count = factor.varies == Varies::kNever || factor.varies == Varies::kBySize;
    count &= std::find(pooled.begin(), pooled.end(), factor.name) == pooled.end();
    for (const std::string& other : split(factor.follows, ' ')) {
      if (find_factor(other) != nullptr) count &= !is_ignored(other);
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

References::References(const std::vector<TidyRow>& rows, const std::vector<std::string>& pooled,
                       const std::vector<FactorRow>& factors)
    : rows_(factors), counts_(factors_that_count(pooled)) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (factors.empty()) rows_.push_back(factor_row(rows[i]));
    // The label of a table's row also knows precisions without bits, and gradients.
    low_.push_back(has_loss(rows[i]) && !(is_reference(rows[i]) && rows_[i].label == "BF16"));
  }
  rows_ = merge_numbers(std::move(rows_));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!has_loss(rows[i]) || low_[i]) continue;
    Reference& mean = means_[key_of(i)];
    mean.add(rows[i].loss);
    if (!rows_[i].seed.empty()) mean.by_seed[rows_[i].seed].add(rows[i].loss);
  }
  for (size_t i = 0; i < rows.size(); ++i)
    unmatched_ += low_[i] && !of(i) && !std::isfinite(gap_of(rows[i]));
}

std::optional<Reference> References::of(size_t row) const {
  if (!low_[row]) return std::nullopt;
  const auto found = means_.find(key_of(row));
  if (found == means_.end()) return std::nullopt;
  return found->second;
}

References::Key References::key_of(size_t row) const {
  Key key{{rows_[row].params, rows_[row].tokens}, {}};
  for (size_t i = 0; i < counts_.size(); ++i)
    key.second.push_back(counts_[i] ? rows_[row].values[i] : "");
  return key;
}

}  // namespace bitlaw
