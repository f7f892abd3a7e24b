// Which rows a fit resamples together (Observation::cluster), and which row of a learning curve is kept.
//
//   --cluster run     (the default) by the column of the run, and the runs of a grid at equal N, D and
//                     precision together; without one, learning curves (curves.h)
//                     are recognised, and rows of equal inputs are together
//   --cluster a,b     by the values of these columns
//   --cluster inputs  by N, D and precision; --cluster row: every row by itself; unless there are
//                     columns of these names
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "table/columns.h"
#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw {

// What the file has of a row that became an observation.
struct RowOrigin {
  std::string words;       // its fields in columns of words without a meaning here
  double step = kUnknown;  // in a column of steps
};

class RowClusters {
 public:
  // Error if `cluster` names a column that is not there.
  RowClusters(const RawTable& raw, const Columns& columns, const std::string& cluster);

  // By columns alone; "" if there are none.
  std::string cluster_of(const RawRow& row) const;
  RowOrigin origin_of(const RawRow& row) const;
  const std::vector<size_t>& columns() const { return columns_; }

  // Learning curves become clusters if no column says what a run is, with a note. `origins`: of each
  // row. last_row: only the last row of each cluster (of the largest step or D) stays. by_step: where
  // all rows of a cluster have the D of the whole run and different steps, D becomes that of the step.
  struct OfCurves {
    bool last_row = false, by_step = false;
  };
  void settle_curves(Table& table, const std::vector<RowOrigin>& origins, OfCurves how,
                     const std::string& where) const;
  // Rows of equal inputs become clusters, as far as they have none; warnings.h says so.
  void settle_inputs(Table& table) const;

 private:
  enum class Kind { kColumns, kRun, kRecognised, kInputs, kRow };

  Kind kind_ = Kind::kColumns;
  std::vector<size_t> columns_, words_;
  std::optional<size_t> step_;
};

}  // namespace bitlaw
