// What a low-precision run is compared with: the mean loss of the BF16 runs of the same N and D that
// differ from it in no factor but those of precision (record/factor.h). Runs that differ in the seed
// are all in the mean.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "record/tidy_row.h"
#include "table/factors.h"

namespace bitlaw {

struct Mean {
  double loss = 0;  // nats per token
  int runs = 0;
  void add(double value) { loss += (value - loss) / ++runs; }
};

struct Reference : Mean {
  std::map<std::string, Mean> by_seed;  // of runs whose seed is known
};

class References {
 public:
  // `pooled`: factors that need not be the same. `factors`: of the rows, where a table has them; empty: from
  // the rows themselves.
  References(const std::vector<TidyRow>& rows, const std::vector<std::string>& pooled,
             const std::vector<FactorRow>& factors = {});

  // Of a row by its place; empty if it is no run of lower precision, has no loss, or nothing
  // matches.
  std::optional<Reference> of(size_t row) const;
  // Low-precision runs with a loss that nothing matches.
  int unmatched() const { return unmatched_; }
  bool is_low(size_t row) const { return low_[row]; }

  // The rows with their numbers merged (table/factors.h).
  const std::vector<FactorRow>& rows() const { return rows_; }

 private:
  using Key = std::pair<std::pair<double, double>, std::vector<std::string>>;
  Key key_of(size_t row) const;

  std::vector<FactorRow> rows_;
  std::vector<bool> low_;     // runs of lower precision that have a loss
  std::vector<bool> counts_;  // factors that have to be the same
  std::map<Key, Reference> means_;
  int unmatched_ = 0;
};

}  // namespace bitlaw
