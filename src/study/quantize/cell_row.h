// A row of the answer of `quantize`: a cell, and how far its calibrations agree.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/json_struct.h"
#include "record/cell.h"

namespace bitlaw {

// Spread of measured_delta over the calibration seeds of a cell.
struct Spread {
  int64_t seeds = 0;  // two or more
  double mean = 0, standard_deviation = 0;

  bool operator==(const Spread&) const = default;
  template <class V>
  void visit(V& v) {
    v("seeds", seeds);
    v("mean", mean);
    v("standard_deviation", standard_deviation);
  }
};

// A row of the answer.
struct CellRow {
  CellRecord cell;
  std::optional<Spread> spread;

  template <class V>
  void visit(V& v) {
    cell.visit(v);
    v.known("spread", spread);
  }
};

// Adds the spread of cells that differ only in their calibration seed.
std::vector<CellRow> with_spreads(std::vector<CellRecord> cells);

}  // namespace bitlaw
