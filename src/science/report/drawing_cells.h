// Cells of quantization after training, as their drawings see them.
#pragma once

#include <string>

#include "report/drawing_data.h"
#include "report/rows.h"

namespace bitlaw {

inline constexpr const char* kPtqGroup = "Quantization after training";

// A method without options (gptq+clip), of which there may be any number, and without groups.
inline bool is_plain(const DrawnRow& row) {
  return row.tidy->method.find('+') == std::string::npos && !(whole(row.tidy->group) > 0);
}

// The loss that a cell adds, with its bar.
inline DrawnPoint delta_point(const DrawnRow& row, double x) {
  DrawnPoint out{x, row.tidy->delta};
  if (const double error = row.tidy->standard_error; error > 0)
    out.low = out.y - kBarErrors * error, out.high = out.y + kBarErrors * error;
  out.run = row.tidy->run, out.about = about_row(row), out.flagged = row.flagged;
  return out;
}

}  // namespace bitlaw
