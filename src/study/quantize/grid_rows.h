// The rows of one checkpoint's grid, each a file in its directory (record/cell.h). A cell whose
// file exists is never computed again, so a killed command resumes where it stopped. One process at
// a time computes cells of a directory, behind a lock.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "quantize/cell_row.h"
#include "quantize/rows.h"

namespace bitlaw {

class GridRows {
 public:
  // `run` is the name in the rows; `at_tokens` as in CellRecord.
  GridRows(std::filesystem::path directory, std::string run,
           std::optional<int64_t> at_tokens = std::nullopt);

  // `key` is requested_cell() completed with everything else that determines the numbers of the
  // cell. Error if its file exists and is damaged.
  void add(const PtqCell& cell, const CellKey& key);

  // Before the first missing row is computed: keeps other processes from computing rows of this
  // directory while the object lives, and takes up those they have finished. Busy if one is at it.
  void claim();

  // Rows still to be computed, in the order of add(), without those passed to finish().
  std::vector<size_t> missing() const;
  const PtqCell& cell(size_t row) const { return rows_[row].cell; }

  // Completes a row and writes its file. Round-to-nearest of the same scheme must be finished
  // first.
  void finish(size_t row, const std::vector<MatrixReport>& matrices, const PairedComparison& paired,
              const std::string& clustered_by, bool no_difference_by_definition, double seconds);

  // All rows in the order of add(); all must be complete. With their spreads, unless every
  // calibration had the same text.
  std::vector<CellRow> answer(bool same_calibration_text = false) const;

 private:
  struct Row {
    PtqCell cell;
    CellRecord record;
    std::filesystem::path file;
    bool there;
  };
  void read_if_there(Row& row);
  const CellRecord* rtn_of(const PtqCell& cell) const;

  std::filesystem::path directory_;
  std::string run_;
  std::optional<int64_t> at_tokens_;
  std::vector<Row> rows_;
  std::unique_ptr<FileLock> lock_;  // once claimed
};

}  // namespace bitlaw
