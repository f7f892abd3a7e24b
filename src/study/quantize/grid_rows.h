// The rows of one checkpoint's grid, each a file of its directory (record/cell.h): a cell whose file is
// there is never computed again, so that a killed call goes on where it stopped.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "quantize/rows.h"

namespace bitlaw {

class GridRows {
 public:
  // `run`: the name that rows get.
  GridRows(std::filesystem::path directory, std::string run);

  // `key`: requested_cell() and everything else that the numbers of the cell follow from. Error
  // where its file is there and damaged.
  void add(const PtqCell& cell, const CellKey& key);

  // Rows that are to be computed, in the order of add(); what finish() was given is not.
  std::vector<size_t> missing() const;
  const PtqCell& cell(size_t row) const { return rows_[row].cell; }

  // Completes a row and writes its file. Round to nearest of the same scheme is finished before.
  void finish(size_t row, const std::vector<MatrixReport>& matrices, const PairedComparison& paired,
              const std::string& clustered_by, bool no_difference_by_definition, double seconds);

  // All rows, complete, in the order of add(), with their spreads.
  std::vector<CellRow> answer() const;

 private:
  struct Row {
    PtqCell cell;
    CellRecord record;
    std::filesystem::path file;
    bool there;
  };
  const CellRecord* rtn_of(const PtqCell& cell) const;

  std::filesystem::path directory_;
  std::string run_;
  std::vector<Row> rows_;
};

}  // namespace bitlaw
