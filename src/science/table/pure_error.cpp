#include "table/pure_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"

namespace bitlaw {
namespace {

constexpr int kFewestFreedom = 4;  // with less, a deviation is too uncertain to prefer

using Cell = std::tuple<double, double, std::string, std::vector<std::string>>;

struct Runs {
  std::string label;
  std::set<std::string> seeds;
  std::vector<double> losses;
};

void add(const Runs& runs, PureErrorPart& part) {
  double mean = 0;
  for (const double loss : runs.losses) mean += loss / static_cast<double>(runs.losses.size());
  for (const double loss : runs.losses) part.squares += (loss - mean) * (loss - mean);
  ++part.cells;
  part.runs += static_cast<int>(runs.losses.size());
}

Json part_json(const PureErrorPart& part) {
  return {{"deviation", part.deviation()},
          {"freedom", part.freedom()},
          {"cells", part.cells},
          {"runs", part.runs}};
}

std::string degrees(int freedom) {
  return fmt::format("{} degree{} of freedom", freedom, freedom == 1 ? "" : "s");
}

}  // namespace

double PureErrorPart::deviation() const {
  return freedom() > 0 ? std::sqrt(squares / freedom()) : kUnknown;
}

double PureError::deviation(double params, const std::string& label) const {
  for (const PureErrorPart& part : parts) {
    if (part.params == params && part.label == label && part.freedom() >= kFewestFreedom)
      return part.deviation();
  }
  return all.deviation();
}

PureError pure_error(const std::vector<FactorRow>& rows) {
  std::map<Cell, Runs> cells;
  for (const FactorRow& row : rows) {
    if (!std::isfinite(row.loss)) continue;
    Runs& runs = cells[{row.params, row.tokens, row.precision, row.fixed_values()}];
    if (!row.seed.empty() && !runs.seeds.insert(row.seed).second) continue;
    runs.label = row.label;
    runs.losses.push_back(row.loss);
  }
  PureError out;
  std::map<std::pair<double, std::string>, PureErrorPart> parts;
  for (const auto& [cell, runs] : cells) {
    if (runs.losses.size() < 2) continue;
    PureErrorPart& part = parts[{std::get<0>(cell), runs.label}];
    part.params = std::get<0>(cell);
    part.label = runs.label;
    add(runs, part);
    add(runs, out.all);
  }
  for (auto& [key, part] : parts) out.parts.push_back(std::move(part));
  return out;
}

Json pure_error_json(const PureError& error) {
  if (error.all.cells == 0) return nullptr;
  Json out = part_json(error.all);
  out["parts"] = Json::array();
  for (const PureErrorPart& part : error.parts) {
    Json& line = out["parts"].emplace_back(part_json(part));
    line["N"] = part.params;
    line["precision"] = part.label;
  }
  return out;
}

std::string pure_error_text(const PureError& error) {
  if (error.all.cells == 0) return "";
  std::string out = fmt::format(
      "pure error: losses of {} runs in {} settings deviate by {:.2g} nats between seeds ({})\n",
      error.all.runs, error.all.cells, error.all.deviation(), degrees(error.all.freedom()));
  for (const PureErrorPart& part : error.parts) {
    out += fmt::format("  N {:<8} {:<8} {:.2g} ({})\n", format_count(part.params), part.label,
                       part.deviation(), degrees(part.freedom()));
  }
  return out;
}

}  // namespace bitlaw
