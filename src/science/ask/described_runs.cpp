#include "ask/described_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "laws/bind.h"
#include "table/column_list.h"
#include "table/columns.h"
#include "table/table_inputs.h"

namespace bitlaw {
namespace {

// A law of C = 6 N D takes any N and D of a C.
bool depends_on_compute_alone(const Predicting& by) {
  const auto at = [&](double params, double tokens) {
    return predict(*by.constants.law, by.constants.values.data(),
                   Observation{.params = params, .tokens = tokens});
  };
  return std::fabs(at(1e8, 4e10) / at(4e8, 1e10) - 1) < 1e-12 && at(1e8, 4e10) != at(1e9, 4e10);
}

std::vector<Observation> runs_of_compute(const RawTable& raw, size_t place) {
  std::vector<Observation> out;
  if (raw.columns().size() > 1)
    throw Error("predict: the law depends on C alone; leave out everything else");
  for (const RawRow& row : raw.rows) {
    const auto compute = parse_positive(row.at(place).text());
    if (!compute) throw Error("predict: C: expected a number of FLOP above 0");
    Observation& run = out.emplace_back();
    run.compute = *compute;
    run.params = run.tokens = std::sqrt(*compute / 6);
    run.stand_in_sizes = true;
  }
  return out;
}

// N, D and C were all given, and no law takes its N from C: then C must be 6 N D, about as in a table
// (table/table_notes.cpp), or one of them is a mistake.
void refuse_other_compute(const std::vector<Observation>& runs) {
  constexpr double kAlike = 0.2;  // of the logarithm
  for (size_t i = 0; i < runs.size(); ++i) {
    const double expected = 6 * runs[i].params * runs[i].tokens;
    if (!(std::fabs(std::log(runs[i].compute / expected)) > kAlike)) continue;
    throw Error(
        fmt::format("predict: run {}: C is {:.3g}, and 6 N D is {:.3g}; leave out C, or one of "
                    "N and D",
                    i + 1, runs[i].compute, expected));
  }
}

}  // namespace

std::vector<Observation> described_runs(RawTable raw, const std::string& where,
                                        const std::vector<Predicting>& by,
                                        const TableOptions& reading) {
  std::vector<std::string> notes;
  for (const LawInputName& input : reading.inputs) {
    if (raw.find(input.column) || raw.find(input.name)) continue;
    throw Error(
        fmt::format("predict: the law needs a value of {}; add {}=NUMBER", input.name, input.name));
  }
  const Columns columns(raw, where, reading.columns, notes);
  if (columns.has("C") && !columns.has("N") && !columns.has("D") &&
      std::all_of(by.begin(), by.end(), depends_on_compute_alone))
    return runs_of_compute(raw, *columns.find("C"));
  for (size_t place = 0; place < raw.columns().size(); ++place) {
    const std::string& name = raw.columns()[place];
    const bool is_input = std::any_of(
        reading.inputs.begin(), reading.inputs.end(),
        [&](const LawInputName& input) { return name == input.name || name == input.column; });
    if (!columns.is_taken(place) && !is_input)
      throw Error("predict: " + unknown_name("name", raw.columns()[place], known_columns()));
  }
  const bool all_given = columns.has("N") && columns.has("D") && columns.has("C");
  std::vector<Observation> runs = table_of(std::move(raw), where, reading).runs;
  const auto takes_compute = [](const Predicting& each) { return each.constants.by_compute; };
  if (all_given && std::none_of(by.begin(), by.end(), takes_compute)) refuse_other_compute(runs);
  return runs;
}

}  // namespace bitlaw
