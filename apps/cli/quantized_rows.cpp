#include "cli/quantized_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace bitlaw::cli {
namespace {

std::string number_or_dash(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.5f}", value);
}

std::string text_or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string model_of(const CellRecord& cell) {
  return model_name(cell.run, json_struct::value_of(cell.at_tokens));
}

// The columns that name a row.
std::string name_of(const CellRecord& cell) {
  return fmt::format("{} {} {}", model_of(cell), cell.key.method, text_or_dash(cell.key.scheme));
}

}  // namespace

std::string model_name(const std::string& run, const Json& at_tokens) {
  return at_tokens.is_null() ? run : fmt::format("{}@{}", run, at_tokens.get<int64_t>());
}

void print_rows(const std::vector<CellRow>& rows) {
  size_t width = 16;
  for (const CellRow& row : rows) width = std::max(width, model_of(row.cell).size());
  fmt::print("{:<{}} {:<18} {:<12} {:>9} {:>4} {:>9} {:>9} {:>9} {:>8} {:>7}\n", "run", width,
             "method", "format", "scale per", "seed", "loss", "delta", "std.err.", "KL", "top-1");
  for (const CellRow& row : rows) {
    const CellRecord& cell = row.cell;
    const CellKey& key = cell.key;
    fmt::print("{:<{}} {:<18} {:<12} {:>9} {:>4} {:>9.4f} {:>9.5f} {:>9} {:>8} {:>7}{}\n",
               model_of(cell), width, key.method, text_or_dash(key.scheme),
               key.granularity.value_or("-"),
               key.calibration ? std::to_string(key.calibration->seed) : "-", cell.loss_nats,
               cell.delta, number_or_dash(cell.standard_error), number_or_dash(cell.kl_nats),
               std::isnan(cell.same_top) ? "-" : fmt::format("{:.2f}%", 100 * cell.same_top),
               cell.flagged ? "  worse than rtn" : "");
  }
}

void print_remarks(const std::vector<CellRow>& rows) {
  std::set<std::string> said;
  for (const CellRow& row : rows) {
    if (!row.spread) continue;
    const std::string line =
        fmt::format("{} {}: delta {:.5f}, standard deviation {:.5f} over {} calibrations",
                    name_of(row.cell), row.cell.key.granularity.value_or("-"), row.spread->mean,
                    row.spread->standard_deviation, row.spread->seeds);
    if (said.insert(line).second) fmt::print("{}\n", line);
  }
  for (const CellRow& row : rows) {
    for (const std::string& flag : row.cell.flags) fmt::print("{}: {}\n", name_of(row.cell), flag);
  }
}

}  // namespace bitlaw::cli
