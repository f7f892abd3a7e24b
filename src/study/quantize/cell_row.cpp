#include "quantize/cell_row.h"

#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace bitlaw {

std::vector<CellRow> with_spreads(std::vector<CellRecord> cells) {
  std::vector<CellRow> rows;
  for (CellRecord& cell : cells) rows.push_back({std::move(cell), std::nullopt});

  // What is the same but for the calibration.
  const auto key_of = [](const CellRecord& cell) {
    const CellKey& key = cell.key;
    return std::tuple(cell.run, key.method, key.scheme, key.group, key.activations, key.kv);
  };
  std::map<decltype(key_of(rows[0].cell)), std::vector<CellRow*>> same;
  for (CellRow& row : rows) {
    if (row.cell.key.calibration) same[key_of(row.cell)].push_back(&row);
  }
  for (const auto& [key, members] : same) {
    if (members.size() < 2) continue;
    const auto n = static_cast<double>(members.size());
    double mean = 0, squares = 0;
    for (const CellRow* row : members) mean += row->cell.measured_delta / n;
    for (const CellRow* row : members) squares += std::pow(row->cell.measured_delta - mean, 2);
    if (std::isnan(mean)) continue;
    for (CellRow* row : members)
      row->spread = {static_cast<int64_t>(members.size()), mean, std::sqrt(squares / (n - 1))};
  }
  return rows;
}

}  // namespace bitlaw
