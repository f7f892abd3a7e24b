#include "quantize/grid_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "ops/engine.h"

namespace bitlaw {

GridRows::GridRows(std::filesystem::path directory, std::string run,
                   std::optional<int64_t> at_tokens)
    : directory_(std::move(directory)), run_(std::move(run)), at_tokens_(at_tokens) {}

void GridRows::add(const PtqCell& cell, const CellKey& key) {
  Row row{cell, {.key = key}, cell_file(directory_, key), false};
  read_if_there(row);
  rows_.push_back(std::move(row));
}

void GridRows::read_if_there(Row& row) {
  if (std::filesystem::exists(row.file)) {
    row.record = read_cell(row.file);
    row.there = true;
  }
  row.record.run = run_;  // the directory may have been renamed
  row.record.at_tokens = at_tokens_;
}

void GridRows::claim() {
  if (!std::filesystem::exists(directory_)) return;  // nobody has begun there
  lock_ = std::make_unique<FileLock>();
  if (!lock_->take(cells_lock(directory_))) {
    throw Busy(
        fmt::format("{}: another process is quantizing this run; wait for it or stop it first",
                    directory_.string()));
  }
  for (Row& row : rows_) {
    if (!row.there) read_if_there(row);
  }
}

std::vector<size_t> GridRows::missing() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].there) out.push_back(i);
  }
  return out;
}

// The row of round to nearest that a cell is compared with; null if it is one itself.
const CellRecord* GridRows::rtn_of(const PtqCell& cell) const {
  PtqCell rtn = cell;
  rtn.weights = round_to_nearest_beside(cell.weights);
  rtn.calibration_seed = 0;
  if (rtn.weights == cell.weights) return nullptr;
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) {
    return other.there && other.cell == rtn;
  });
  BITLAW_CHECK(found != rows_.end());
  return &found->record;
}

void GridRows::finish(size_t index, const std::vector<MatrixReport>& matrices,
                      const PairedComparison& paired, const std::string& clustered_by,
                      bool no_difference_by_definition, double seconds) {
  Row& row = rows_[index];
  add_matrices(row.record, matrices);
  add_comparison(row.record, paired, clustered_by, no_difference_by_definition);
  compare_with_rtn(row.record, rtn_of(row.cell));
  row.record.seconds = seconds;
  row.record.engine = engine_name(Context());
  write_cell(row.file, row.record);
  row.there = true;
}

std::vector<CellRow> GridRows::answer(bool same_calibration_text) const {
  std::vector<CellRecord> cells;
  for (const Row& row : rows_) {
    BITLAW_CHECK(row.there);
    cells.push_back(row.record);
  }
  if (!same_calibration_text) return with_spreads(std::move(cells));
  std::vector<CellRow> out;
  for (CellRecord& cell : cells) out.push_back({std::move(cell), std::nullopt});
  return out;
}

}  // namespace bitlaw
