// Records as `bitlaw train` writes them, for tests that read them.
#pragma once

#include <string>

#include "record/run.h"

namespace bitlaw {

inline RunRecord trained_run_record(int64_t tokens, const std::string& weights) {
  RunSettings settings;
  settings.model = {64, 2, 4, 32, 257, 4, 176, false, true};
  settings.recipe.weights = weights;
  settings.optimizer = RunSettings::Optimizer{0.9, 0.95, 1e-15, 0.1, 1};
  settings.schedule = RunSettings::Schedule{"cosine", 0.1, 0, 0.1};
  settings.train = {.tokens = tokens,
                    .seed = 1,
                    .batch_tokens = 256,
                    .lr = 0.01,
                    .backward = "bf16",
                    .validation_tokens = 8192};
  settings.version = 1;
  RunRecord record;
  record.config = struct_to_json(settings);
  record.model = {1000, 3000, 6000};
  record.data = {"data", "abc", "byte", 257, 100'000, 10'000, "def"};
  record.schema = kRunSchema;
  record.name = name_of_configuration(record.config);
  record.recipe = weights;
  record.peak_learning_rate = 0.01;
  record.build = RunBuild{"0", "none", "avx2", "avx2"};
  record.created = "2026-01-01T00:00:00Z";
  return record;
}

// The same after a change to its configuration.
inline void write_named_run(const std::filesystem::path& run, RunRecord record) {
  record.name = name_of_configuration(record.config);
  write_run_record(run, record);
}

}  // namespace bitlaw
