#include "fit/equal_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "fit/multistart.h"

namespace bitlaw {
namespace {

struct Part {
  double Observation::*bits;
  std::string_view suffix;
};
constexpr std::array kParts{Part{&Observation::bits_weights, "_w"},
                            Part{&Observation::bits_activations, "_a"},
                            Part{&Observation::bits_kv, "_kv"}};

// With bits below 16 in some row.
bool always_equal(const std::vector<Observation>& rows, const Part& one, const Part& other) {
  bool lowered = false;
  for (const Observation& row : rows) {
    if (row.*one.bits != row.*other.bits) return false;
    lowered |= row.*one.bits < kUnquantizedBits;
  }
  return lowered;
}

}  // namespace

std::vector<Exchange> exchanges_of(const StageSetup& setup, const std::vector<Observation>& rows) {
  std::vector<Exchange> out;
  const Law& law = *setup.law;
  for (size_t i = 0; i < kParts.size(); ++i) {
    for (size_t j = i + 1; j < kParts.size(); ++j) {
      if (!always_equal(rows, kParts[i], kParts[j])) continue;
      Exchange exchange;
      for (const int parameter : setup.free) {
        const std::string_view name = law.parameters[static_cast<size_t>(parameter)].name;
        if (!name.ends_with(kParts[i].suffix)) continue;
        std::string other(name.substr(0, name.size() - kParts[i].suffix.size()));
        other += kParts[j].suffix;
        const int at = parameter_index(law, other);
        if (at >= 0 && is_free(setup, at)) exchange.emplace_back(parameter, at);
      }
      if (!exchange.empty()) out.push_back(std::move(exchange));
    }
  }
  return out;
}

void add_exchanged(const StageSetup& setup, const std::vector<Observation>& rows,
                   StageMinimum& minimum) {
  for (const Exchange& exchange : exchanges_of(setup, rows)) {
    StageSetup still = setup;
    still.free.clear();
    still.base = minimum.values;
    for (const auto& [one, other] : exchange)
      std::swap(still.base[static_cast<size_t>(one)], still.base[static_cast<size_t>(other)]);
    const double objective = fit_stage(still, rows).objective;
    const bool same = std::fabs(objective - minimum.objective) <= 1e-6 * minimum.objective;
    if (same && still.base != minimum.values) minimum.others.push_back({objective, still.base});
  }
}

}  // namespace bitlaw
