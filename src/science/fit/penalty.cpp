#include "fit/penalty.h"

#include <cmath>
#include <map>
#include <tuple>

#include "fit/setup.h"
#include "laws/bind.h"

namespace bitlaw {

PenaltyFit penalty_fit(const Law& law, const std::vector<double>& values,
                       const std::vector<Observation>& rows) {
  struct Reference {
    double loss = 0, predicted = 0;
    int runs = 0;
  };
  // What a law may see of a run besides its precision.
  using Place = std::tuple<double, double, double, double, std::vector<double>>;
  const auto place = [](const Observation& row) {
    constexpr double kNone = -1;  // equals itself, as NaN does not
    const auto known = [](double value) { return std::isnan(value) ? kNone : value; };
    std::vector<double> inputs;
    for (const auto& input : row.inputs) inputs.push_back(known(input.value));
    return Place(row.params, row.params_total, row.tokens, known(row.unique_tokens),
                 std::move(inputs));
  };
  std::map<Place, Reference> references;
  for (const Observation& row : rows) {
    if (!precision_class(row).empty()) continue;
    Reference& reference = references[place(row)];
    reference.loss += measured(law, row);
    reference.predicted += predict(law, values.data(), row);
    ++reference.runs;
  }
  PenaltyFit out;
  std::vector<double> penalties, predicted;
  for (const Observation& row : rows) {
    if (precision_class(row).empty()) continue;
    const auto found = references.find(place(row));
    if (found == references.end()) {
      ++out.without_reference;
      continue;
    }
    const Reference& reference = found->second;
    penalties.push_back(measured(law, row) - reference.loss / reference.runs);
    predicted.push_back(predict(law, values.data(), row) - reference.predicted / reference.runs);
  }
  out.rows = static_cast<int>(penalties.size());
  if (out.rows >= 3) out.r2 = r_squared(penalties, predicted);
  return out;
}

}  // namespace bitlaw
