#include "table/table_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "table/missing.h"
#include "table/row_reader.h"

namespace bitlaw {

std::vector<LawInputName> inputs_of(const std::vector<const Law*>& laws) {
  std::vector<LawInputName> out;
  for (const Law* law : laws) {
    for (const LawInput& input : law->inputs) {
      const bool known = std::any_of(out.begin(), out.end(), [&](const LawInputName& each) {
        return each.column == input.column;
      });
      if (!known) out.push_back({input.name, input.column});
    }
  }
  return out;
}

TableInputs::TableInputs(const RawTable& raw, const Columns& columns,
                         const std::vector<LawInputName>& inputs, const std::string& where)
    : raw_(raw), where_(where), inputs_(inputs) {
  for (const LawInputName& input : inputs_) {
    auto place = columns.place(input.column);
    if (!place) place = columns.place(input.name);
    if (!place) {
      throw Error(fmt::format("{}: the formula's input {}: {}", where, input.name,
                              unknown_column(input.column, raw.columns())));
    }
    places_.push_back(*place);
  }
}

std::vector<NamedInput> TableInputs::of(const RawRow& row) const {
  std::vector<NamedInput> out;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const RawField& field = row.at(places_[i]);
    NamedInput& made = out.emplace_back(NamedInput{inputs_[i].column, kUnknown});
    if (field.number()) {
      made.value = *field.number();
    } else if (!field.empty() && !is_missing_word(field.view())) {
      const auto value = parse_count(field.view());
      if (!value || !std::isfinite(*value)) {
        throw RowError(where_, raw_.place_of(row), raw_.columns()[places_[i]],
                       printable(field.text()) + " is not a number, which the formula's " +
                           inputs_[i].name + " needs");
      }
      made.value = *value;
    }
  }
  return out;
}

std::string missing_input(const Observation& run) {
  for (const NamedInput& each : run.inputs) {
    if (!std::isfinite(each.value)) return each.column;
  }
  return "";
}

}  // namespace bitlaw
