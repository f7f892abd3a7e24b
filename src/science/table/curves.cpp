#include "table/curves.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/statistics.h"

namespace bitlaw {
namespace {

constexpr size_t kFewestInEqualSteps = 10, kFewestOfAnySpacing = 30;

bool grows(const std::vector<double>& values) {
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    if (!(values[i] < values[i + 1])) return false;
  }
  return true;
}

// Most increments are within a tenth of their median.
bool in_equal_steps(const std::vector<double>& values) {
  constexpr double kNear = 0.1, kMost = 0.7;
  std::vector<double> increments;
  for (size_t i = 0; i + 1 < values.size(); ++i) increments.push_back(values[i + 1] - values[i]);
  const double middle = upper_median(increments);
  const auto near = std::count_if(increments.begin(), increments.end(), [&](double increment) {
    return std::abs(increment - middle) <= kNear * middle;
  });
  return static_cast<double>(near) >= kMost * static_cast<double>(increments.size());
}

bool all_equal(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values[0]; });
}

bool is_curve(const std::vector<double>& tokens, const std::vector<double>& steps) {
  if (tokens.size() < kFewestCurvePoints) return false;
  const auto sorted = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values;
  };
  const bool has_steps =
      std::none_of(steps.begin(), steps.end(), [](double step) { return std::isnan(step); });
  if (has_steps && grows(sorted(steps)) && (all_equal(tokens) || grows(sorted(tokens))))
    return true;
  if (tokens.size() < kFewestInEqualSteps) return false;
  if (grows(sorted(tokens)) && in_equal_steps(sorted(tokens))) return true;
  return tokens.size() >= kFewestOfAnySpacing && grows(tokens);
}

}  // namespace

Curves find_curves(const std::vector<CurvePoint>& points) {
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < points.size(); ++i) groups[points[i].key].push_back(i);
  Curves out;
  out.curve.assign(points.size(), -1);
  for (const auto& [key, rows] : groups) {
    std::vector<double> tokens, steps;
    for (const size_t row : rows) {
      tokens.push_back(points[row].tokens);
      steps.push_back(points[row].step);
    }
    if (!is_curve(tokens, steps)) continue;
    for (const size_t row : rows) out.curve[row] = out.count;
    ++out.count;
    out.points += static_cast<int>(rows.size());
    out.same_tokens = out.same_tokens || all_equal(tokens);
  }
  return out;
}

}  // namespace bitlaw
