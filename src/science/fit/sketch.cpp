#include "fit/sketch.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>

#include "base/random.h"

namespace bitlaw {

std::vector<Observation> sketch_of(const std::vector<Observation>& rows, size_t count,
                                   uint64_t seed) {
  if (rows.size() <= count) return rows;
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Copied, so that sorting a large table stays in the caches.
  std::vector<std::tuple<double, std::string_view, double, double, double, double, double>> keys;
  for (const Observation& row : rows) {
    keys.emplace_back(row.bits_post, row.precision, row.bits_weights, row.bits_activations,
                      row.bits_kv, row.params, row.tokens);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return keys[a] < keys[b]; });

  constexpr uint64_t kStream = 1u << 29;
  std::vector<size_t> chosen;
  for (size_t part = 0; part < count; ++part) {
    const size_t first = part * rows.size() / count, last = (part + 1) * rows.size() / count;
    chosen.push_back(order[first + random_below(seed, kStream, part, last - first)]);
  }
  std::sort(chosen.begin(), chosen.end());
  std::vector<Observation> out;
  for (const size_t i : chosen) out.push_back(rows[i]);
  return out;
}

}  // namespace bitlaw
