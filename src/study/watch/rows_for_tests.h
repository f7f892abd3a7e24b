// Rows of runs whose losses follow a law, for the tests of this folder.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "record/tidy_row.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {

inline TidyRow row_of(const Observation& run, size_t number) {
  TidyRow row;
  row.run = fmt::format("{:016x}", number);
  row.status = "finished";
  row.method = "none";
  row.N = static_cast<int64_t>(run.params);
  row.D = static_cast<int64_t>(run.tokens);
  row.P_w = run.bits_weights;
  row.P_a = run.bits_activations;
  row.P_kv = row.P_k = row.P_v = row.P_q = run.bits_kv;
  row.P_post = 16;
  row.run_fraction = 1;
  row.loss = run.loss_nats;
  return row;
}

// Only the weights are quantized; no cells.
inline std::vector<TidyRow> rows_of_a_study() {
  StudyShape shape;
  shape.activations = shape.kv = shape.post = {};
  std::vector<TidyRow> rows;
  for (const Observation& run : simulate(shape)) rows.push_back(row_of(run, rows.size()));
  return rows;
}

}  // namespace bitlaw
