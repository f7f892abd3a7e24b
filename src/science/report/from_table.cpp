#include "report/from_table.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/number.h"
#include "formats/precision.h"

namespace bitlaw {
namespace {

std::optional<int64_t> whole_or_none(double value) {
  constexpr double kMost = 9e15;
  return value > 0 && value < kMost ? std::optional(std::llround(value)) : std::nullopt;
}

bool names_no_bits(const Observation& row, const std::string& reference) {
  const bool has_bits = row.bits_weights < kUnquantizedBits ||
                        row.bits_activations < kUnquantizedBits || row.bits_kv < kUnquantizedBits;
  return !has_bits && !row.precision.empty() && row.precision != reference &&
         !is_unquantized(row.precision) && !named_precision(row.precision);
}

}  // namespace

ReportInput report_input(const Table& table, const ReportedTable& names) {
  if (table.runs[0].stand_in_sizes) {
    throw Error(fmt::format(
        "report: {} has neither N nor D, which the page is about; `bitlaw predict --fit {}` gives "
        "the losses of {}",
        names.path, names.fit, names.law));
  }
  ReportInput out;
  out.observations = table.runs;
  ReportRows rows = report_rows(table);
  out.rows = std::move(rows.rows);
  out.factors = std::move(rows.factors);
  out.is_table = true;
  out.runs_hash = table.hash;
  out.pooled = names.pooled;
  return out;
}

std::string name_of_unnamed(size_t place) {
  return fmt::format("row {}", place + 1);
}

ReportRows report_rows(const Table& table) {
  ReportRows out;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const Observation& row = table.runs[i];
    FactorRow& factors = out.factors.emplace_back(table.factors[i]);
    TidyRow& tidy = out.rows.emplace_back();
    tidy.run = row.cluster.empty() ? name_of_unnamed(i) : row.cluster;
    tidy.status = "finished";
    if (!row.stand_in_sizes) tidy.N = whole_or_none(row.params);
    if (row.params_total > 0) tidy.N_total = whole_or_none(row.params_total);
    if (!row.stand_in_sizes) tidy.D = whole_or_none(row.tokens);
    tidy.P_w = row.bits_weights, tidy.P_a = row.bits_activations, tidy.P_kv = row.bits_kv;
    if (names_no_bits(row, table.reference)) {
      tidy.P_w = tidy.P_a = tidy.P_kv = kNoNumber;
      factors.label = row.precision;
    }
    if (!row.backward.empty()) {
      tidy.gradient_format = row.backward;
      factors.label += ", gradients " + row.backward;
    }
    tidy.P_post = row.is_post_training() ? row.bits_post : kUnquantizedBits;
    tidy.loss = row.loss_nats, tidy.loss_standard_error = row.loss_standard_error;
    tidy.delta = row.delta_nats, tidy.standard_error = row.delta_standard_error;
    tidy.method = !row.is_post_training() ? "none" : row.method.empty() ? "gptq" : row.method;
    if (const auto seed = parse_whole(factors.seed)) tidy.seed = static_cast<int64_t>(*seed);
  }
  return out;
}

}  // namespace bitlaw
