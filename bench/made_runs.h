// Directories of runs, made up for benchmarks.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/checksum.h"
#include "base/error.h"
#include "base/json.h"
#include "record/cell.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw::bench {

namespace fs = std::filesystem;

inline void write_text(const fs::path& file, const std::string& text) {
  std::FILE* out = std::fopen(file.c_str(), "w");
  if (out == nullptr) throw Error(file.string() + ": cannot be written");
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
}

// A run of its own configuration, as `bitlaw train` and `bitlaw quantize` would record it. Renaming
// each file into place, with a flush, would take most of the time here.
inline void make_run(const fs::path& runs, int number, int cells) {
  const char* weights[] = {"3", "4", "5", "6", "16"};
  RunRecord record = trained_run_record(102'400 + 256 * number, weights[number % 5]);
  const double params = 20'000 * std::pow(2, number / 5 % 7), tokens = 102'400 + 256.0 * number;
  record.model = {static_cast<int64_t>(params), static_cast<int64_t>(params) + 2000, 6 * params};
  const double loss = 1.7 + 60 * std::pow(params, -0.4) + 300 * std::pow(tokens, -0.42) +
                      0.3 * std::exp(-std::stod(weights[number % 5])) + 1e-3 * (number % 7);
  const fs::path run = runs / record.name;
  fs::create_directories(run / "checkpoints/final");
  const ResultRecord result{.validation = Validation{loss, 0.01, 1.5, 8192, 64},
                            .training = TrainingResult{.schema = kRunSchema,
                                                       .train_loss_nats = 3.1,
                                                       .tokens = *record.settings().train.tokens,
                                                       .seconds = 60}};
  write_text(run / "run.json", dump_json(with_checksum(struct_to_json(record)), 1) + "\n");
  write_text(run / "result.json", dump_json(with_checksum(result_to_json(result)), 1) + "\n");
  std::string metrics;
  for (int step = 10; step <= 300; step += 10)
    metrics += dump_json(Json{{"step", step},
                              {"tokens", 256 * step},
                              {"loss_nats", 4.5},
                              {"learning_rate", 0.01},
                              {"gradient_norm", 0.5},
                              {"seconds", 0.1 * step}}) +
               "\n";
  write_text(run / "metrics.jsonl", metrics);
  if (cells > 0) fs::create_directory(cell_directory(run));
  for (int i = 0; i < cells; ++i) {
    CellRecord cell;
    cell.key.method = i % 2 == 0 ? "rtn" : "gptq";
    cell.key.bits = 2 + i / 2;
    cell.key.scheme = fmt::format("int{}", cell.key.bits);
    cell.key.evaluation = {.tokens = 8192, .hash = "abc"};
    cell.key.checkpoint = record.name;
    cell.run = record.name;
    cell.loss_nats = 3.1;
    cell.delta = 0.1;
    cell.standard_error = 0.001;
    cell.layers.resize(14, MatrixRecord{.matrix = "qkv", .weights = 4096, .error = 1.5});
    write_text(cell_file(run, cell.key), dump_json(with_checksum(struct_to_json(cell)), 1) + "\n");
  }
}

}  // namespace bitlaw::bench
