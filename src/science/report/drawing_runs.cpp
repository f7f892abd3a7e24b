#include "report/drawing_runs.h"

#include <algorithm>
#include <cmath>

namespace bitlaw {

RunsByParts runs_by_parts(const DrawingData& data) {
  RunsByParts out;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() && row.n > 0 && row.d > 0 && std::isfinite(row.loss) && row.parts.is_equal())
      out[row.parts.name].push_back(&row);
  }
  return out;
}

double fewest_drawn_bits(const DrawnRows& rows) {
  double fewest = 2;
  for (const DrawnRow* row : rows) fewest = std::min(fewest, row->parts.bits);
  return fewest;
}

std::vector<double> params_of_rows(const DrawnRows& rows) {
  std::vector<double> out;
  for (const DrawnRow* row : rows) out.push_back(row->n);
  return out;
}

std::vector<double> tokens_of_rows(const DrawnRows& rows) {
  std::vector<double> out;
  for (const DrawnRow* row : rows) out.push_back(row->d);
  return out;
}

}  // namespace bitlaw
