// The residuals of a comparison, a line for each row and law.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "compare/compare.h"
#include "table/write_table.h"

namespace bitlaw {
namespace {

std::string field(const std::vector<double>& values, size_t i) {
  return i < values.size() && std::isfinite(values[i]) ? fmt::format("{}", values[i]) : "";
}

void add_rows(const ComparePart& part, std::vector<Observation>& rows,
              std::vector<ExtraColumn>& columns) {
  const char* const unit = part.in_standard_errors() ? "standard errors" : "log loss";
  for (const ComparedLaw& law : part.laws) {
    if (!law.fitted) continue;
    for (size_t i = 0; i < part.rows.size(); ++i) {
      rows.push_back(part.rows[i]);
      const std::array fields{law.name, field(law.residuals, i), field(law.held_out, i),
                              std::string(unit)};
      for (size_t c = 0; c < fields.size(); ++c) columns[c].fields.push_back(fields[c]);
    }
  }
}

}  // namespace

std::string comparison_csv(const Comparison& comparison) {
  std::vector<Observation> rows;
  std::vector<ExtraColumn> columns{
      {"law", {}}, {"residual", {}}, {"held_out_residual", {}}, {"residual_unit", {}}};
  for (const std::optional<ComparePart>& part : {comparison.training, comparison.post}) {
    if (part) add_rows(*part, rows, columns);
  }
  return table_to_csv(rows, columns);
}

}  // namespace bitlaw
