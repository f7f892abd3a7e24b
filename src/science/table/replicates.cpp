#include "table/replicates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace bitlaw {
namespace {

using Numbers = std::vector<double>;
using Settings = std::pair<Numbers, std::vector<std::string>>;

// NaN becomes a number that equals itself and is none of a table's.
Numbers comparable(Numbers values) {
  for (double& value : values) {
    if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();
  }
  return values;
}

// What a law sees of a row.
Settings settings_of(const Observation& row) {
  return {comparable({row.params, row.params_total, row.tokens, row.unique_tokens, row.bits_weights,
                      row.bits_activations, row.bits_kv, row.bits_post, row.group,
                      row.exponent_bits, row.mantissa_bits, row.gaussian_error_weights,
                      row.gaussian_error_activations, row.gaussian_error_kv}),
          {row.precision, row.backward, row.method}};
}

// What was measured.
Numbers measured(const Observation& row) {
  return comparable({row.loss_nats, row.loss_standard_error, row.delta_nats,
                     row.delta_standard_error, row.qat_share});
}

}  // namespace

Repeats count_repeats(const std::vector<Observation>& rows) {
  std::map<Settings, std::map<Numbers, int>> seen;
  Repeats repeats;
  for (const Observation& row : rows) ++seen[settings_of(row)][measured(row)];
  for (const auto& [inputs, measurements] : seen) {
    for (const auto& [numbers, count] : measurements) repeats.duplicates += count - 1;
    if (measurements.size() > 1) repeats.replicates += static_cast<int>(measurements.size());
  }
  return repeats;
}

std::vector<bool> is_repeated(const std::vector<Observation>& rows) {
  std::set<std::pair<Settings, Numbers>> seen;
  std::vector<bool> out;
  for (const Observation& row : rows)
    out.push_back(!seen.emplace(settings_of(row), measured(row)).second);
  return out;
}

}  // namespace bitlaw
