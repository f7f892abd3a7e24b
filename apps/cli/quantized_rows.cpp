#include "cli/quantized_rows.h"

#include <fmt/format.h>

#include <set>
#include <string>

namespace bitlaw::cli {
namespace {

std::string number_or_dash(const Json& row, const char* key) {
  return row.contains(key) && row[key].is_number() ? fmt::format("{:.5f}", row[key].get<double>())
                                                   : "-";
}

std::string text_or_dash(const Json& row, const char* key) {
  return row[key].is_string() ? row[key].get<std::string>() : "-";
}

}  // namespace

void print_rows(const Json& rows) {
  fmt::print("{:<16} {:<18} {:<12} {:>9} {:>4} {:>9} {:>9} {:>9} {:>8} {:>7}\n", "run", "method",
             "format", "scale per", "seed", "loss", "delta", "std.err.", "KL", "top-1");
  for (const Json& row : rows) {
    fmt::print("{:<16} {:<18} {:<12} {:>9} {:>4} {:>9.4f} {:>9.5f} {:>9} {:>8} {:>7}{}\n",
               row["run"].get<std::string>(), row["method"].get<std::string>(),
               text_or_dash(row, "scheme"), text_or_dash(row, "granularity"),
               row["calibration"].is_object() ? dump_json(row["calibration"]["seed"]) : "-",
               row["loss_nats"].get<double>(), row["delta"].get<double>(),
               number_or_dash(row, "standard_error"), number_or_dash(row, "kl_nats"),
               row["same_top"].is_number()
                   ? fmt::format("{:.2f}%", 100 * row["same_top"].get<double>())
                   : "-",
               row["flagged"].get<bool>() ? "  worse than rtn" : "");
  }
}

void print_remarks(const Json& rows) {
  std::set<std::string> said;
  for (const Json& row : rows) {
    if (!row.contains("spread")) continue;
    const Json& spread = row["spread"];
    const std::string line = fmt::format(
        "{} {} {} {}: delta {:.5f}, standard deviation {:.5f} over {} calibrations",
        row["run"].get<std::string>(), row["method"].get<std::string>(),
        text_or_dash(row, "scheme"), text_or_dash(row, "granularity"), spread["mean"].get<double>(),
        spread["standard_deviation"].get<double>(), spread["seeds"].get<int>());
    if (said.insert(line).second) fmt::print("{}\n", line);
  }
  for (const Json& row : rows) {
    for (const Json& flag : row["flags"]) {
      fmt::print("{} {} {}: {}\n", row["run"].get<std::string>(), row["method"].get<std::string>(),
                 text_or_dash(row, "scheme"), flag.get<std::string>());
    }
  }
}

}  // namespace bitlaw::cli
