// Records as `bitlaw train` writes them, for tests that read them.
#pragma once

#include <string>

#include "record/run.h"

namespace bitlaw {

inline RunRecord trained_run_record(const std::string& name, int64_t tokens,
                                    const std::string& weights) {
  RunSettings settings;
  settings.model = {64, 2, 4, 32, 257};
  settings.recipe.weights = weights;
  settings.schedule = RunSettings::Schedule{"cosine"};
  settings.train = {.tokens = tokens, .seed = 1, .batch_tokens = 256, .lr = 0.01};
  RunRecord record;
  record.config = struct_to_json(settings);
  record.model = {1000, 3000, 6000};
  record.data = {"data", "abc", "byte", 257, 100'000, 10'000};
  record.schema = kRunSchema;
  record.name = name;
  record.recipe = weights;
  record.peak_learning_rate = 0.01;
  record.build = RunBuild{"0", "none", "none"};
  record.created = "2026-01-01T00:00:00Z";
  return record;
}

}  // namespace bitlaw
