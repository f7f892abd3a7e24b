#include "report/from_table.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace bitlaw {
namespace {

std::optional<int64_t> whole_or_none(double value) {
  constexpr double kMost = 9e15;
  return value > 0 && value < kMost ? std::optional(std::llround(value)) : std::nullopt;
}

}  // namespace

std::string name_of_unnamed(size_t place) {
  return fmt::format("row {}", place + 1);
}

std::vector<TidyRow> tidy_rows_of(const std::vector<Observation>& rows) {
  std::vector<TidyRow> out;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Observation& row = rows[i];
    TidyRow& tidy = out.emplace_back();
    tidy.run = row.cluster.empty() ? name_of_unnamed(i) : row.cluster;
    tidy.status = "finished";
    if (!row.stand_in_sizes) tidy.N = whole_or_none(row.params);
    if (row.params_total > 0) tidy.N_total = whole_or_none(row.params_total);
    if (!row.stand_in_sizes) tidy.D = whole_or_none(row.tokens);
    tidy.P_w = row.bits_weights, tidy.P_a = row.bits_activations, tidy.P_kv = row.bits_kv;
    tidy.P_post = row.is_post_training() ? row.bits_post : kUnquantizedBits;
    tidy.loss = row.loss_nats, tidy.loss_standard_error = row.loss_standard_error;
    tidy.delta = row.delta_nats, tidy.standard_error = row.delta_standard_error;
    tidy.method = !row.is_post_training() ? "none" : row.method.empty() ? "gptq" : row.method;
  }
  return out;
}

}  // namespace bitlaw
