#include "table/replicates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>

namespace bitlaw {
namespace {

// What a law sees of a row, then what was measured.
constexpr size_t kSettings = 18, kMeasured = 5;
using Numbers = std::array<double, kSettings + kMeasured>;

Numbers numbers_of(const Observation& row) {
  Numbers out{row.params,
              row.params_total,
              row.tokens,
              row.unique_tokens,
              row.bits_weights,
              row.bits_activations,
              row.bits_kv,
              row.bits_keys,
              row.bits_values,
              row.bits_embedding,
              row.bits_head,
              row.bits_post,
              row.group,
              row.exponent_bits,
              row.mantissa_bits,
              row.gaussian_error_weights,
              row.gaussian_error_activations,
              row.gaussian_error_kv,
              row.loss_nats,
              row.loss_standard_error,
              row.delta_nats,
              row.delta_standard_error,
              row.qat_share};
  // NaN becomes a number that equals itself and is none of a table's.
  for (double& value : out) {
    if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();
  }
  return out;
}

// The rows sorted by settings, then by what was measured, then by place: equal ones are neighbours.
class Sorted {
 public:
  explicit Sorted(const std::vector<Observation>& rows) : rows_(rows), order_(rows.size()) {
    for (const Observation& row : rows) numbers_.push_back(numbers_of(row));
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      if (const int by_settings = compare_settings(a, b)) return by_settings < 0;
      if (const int by_results = compare(a, b, kSettings, kMeasured)) return by_results < 0;
      return a < b;
    });
  }

  const std::vector<size_t>& order() const { return order_; }
  bool same_settings(size_t a, size_t b) const { return compare_settings(a, b) == 0; }
  bool same_results(size_t a, size_t b) const { return compare(a, b, kSettings, kMeasured) == 0; }

 private:
  int compare(size_t a, size_t b, size_t first, size_t count) const {
    for (size_t i = first; i < first + count; ++i) {
      if (numbers_[a][i] != numbers_[b][i]) return numbers_[a][i] < numbers_[b][i] ? -1 : 1;
    }
    return 0;
  }
  int compare_settings(size_t a, size_t b) const {
    if (const int by_numbers = compare(a, b, 0, kSettings)) return by_numbers;
    for (size_t i = 0; i < rows_[a].inputs.size() && i < rows_[b].inputs.size(); ++i) {
      const double one = rows_[a].inputs[i].value, other = rows_[b].inputs[i].value;
      if (one != other) return one < other ? -1 : 1;
    }
    for (std::string Observation::*text : {&Observation::precision, &Observation::backward,
                                           &Observation::optimizer, &Observation::method}) {
      if (const int by_text = (rows_[a].*text).compare(rows_[b].*text)) return by_text;
    }
    return 0;
  }

  const std::vector<Observation>& rows_;
  std::vector<Numbers> numbers_;
  std::vector<size_t> order_;
};

}  // namespace

Repeats count_repeats(const std::vector<Observation>& rows) {
  const Sorted sorted(rows);
  Repeats repeats;
  int results = 0;  // different ones of the settings so far
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t row = sorted.order()[i];
    const bool old_settings = i > 0 && sorted.same_settings(sorted.order()[i - 1], row);
    const bool repeats_it = old_settings && sorted.same_results(sorted.order()[i - 1], row);
    repeats.duplicates += repeats_it;
    results = old_settings ? results + !repeats_it : 1;
    // The second result makes the first a replicate, too.
    if (!repeats_it && results > 1) repeats.replicates += results == 2 ? 2 : 1;
  }
  return repeats;
}

std::vector<int> number_settings(const std::vector<Observation>& rows) {
  const Sorted sorted(rows);
  std::vector<int> out(rows.size(), 0);
  int number = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t row = sorted.order()[i];
    number += i > 0 && !sorted.same_settings(sorted.order()[i - 1], row);
    out[row] = number;
  }
  return out;
}

std::vector<bool> is_repeated(const std::vector<Observation>& rows) {
  const Sorted sorted(rows);
  std::vector<bool> out(rows.size(), false);
  for (size_t i = 1; i < rows.size(); ++i) {
    const size_t before = sorted.order()[i - 1], row = sorted.order()[i];
    out[row] = sorted.same_settings(before, row) && sorted.same_results(before, row);
  }
  return out;
}

}  // namespace bitlaw
