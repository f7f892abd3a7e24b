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

using Cell = std::tuple<double, double, std::string, std::vector<std::string>>;

struct Runs {
  std::string label;
  std::set<std::string> seeds;
  std::vector<double> losses;
  std::set<double> different;  // of them
  bool seeded = true;
};

// The factors of training that any row tells.
std::vector<const Factor*> told_factors(const std::vector<FactorRow>& rows) {
  const std::vector<bool> known = known_factors(rows);
  std::vector<const Factor*> out;
  for (const Factor& factor : factors()) {
    const bool of_training =
        (factor.varies == Varies::kNever || factor.varies == Varies::kBySize) &&
        *factor.bits == '\0';
    if (of_training && known[factor.index()]) out.push_back(&factor);
  }
  return out;
}

bool tells_all(const FactorRow& row, const std::vector<const Factor*>& told) {
  return !told.empty() && std::all_of(told.begin(), told.end(), [&](const Factor* factor) {
    return !row.value(*factor).empty();
  });
}

void add(const Runs& runs, PureErrorPart& part) {
  double mean = 0, log_mean = 0;
  const auto count = static_cast<double>(runs.losses.size());
  for (const double loss : runs.losses) mean += loss / count, log_mean += std::log(loss) / count;
  for (const double loss : runs.losses) {
    part.squares += (loss - mean) * (loss - mean);
    part.log_squares += std::pow(std::log(loss) - log_mean, 2);
  }
  part.seeded &= runs.seeded;
  ++part.cells;
  part.runs += static_cast<int>(runs.losses.size());
}

Json part_json(const PureErrorPart& part) {
  return {{"deviation", part.deviation()},
          {"freedom", part.freedom()},
          {"cells", part.cells},
          {"runs", part.runs},
          {"seeded", part.seeded}};
}

}  // namespace

std::string degrees_of_freedom(int freedom) {
  return fmt::format("{} degree{} of freedom", freedom, freedom == 1 ? "" : "s");
}

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
  const std::vector<const Factor*> told = told_factors(rows);
  std::map<Cell, Runs> cells;
  for (const FactorRow& row : rows) {
    if (!std::isfinite(row.loss) || (row.seed.empty() && !tells_all(row, told))) continue;
    Runs& runs = cells[{row.params, row.tokens, row.precision, row.fixed_values()}];
    if (!row.seed.empty() && !runs.seeds.insert(row.seed).second) continue;
    // To the last bit: the same run again, rather than another seed that nobody named.
    const bool is_new = runs.different.insert(row.loss).second;
    if (row.seed.empty() && !is_new) continue;
    runs.label = row.label;
    runs.seeded &= !row.seed.empty();
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
  std::string out =
      fmt::format("pure error: losses of {} runs in {} settings deviate by {:.2g} nats {} ({})\n",
                  error.all.runs, error.all.cells, error.all.deviation(), error.all.between(),
                  degrees_of_freedom(error.all.freedom()));
  for (const PureErrorPart& part : error.parts) {
    out += fmt::format("  N {:<8} {:<8} {:.2g} ({})\n", format_count(part.params), part.label,
                       part.deviation(), degrees_of_freedom(part.freedom()));
  }
  return out;
}

}  // namespace bitlaw
