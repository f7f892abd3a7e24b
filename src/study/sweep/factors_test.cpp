// Whatever a run can be told is a column of the tidy table, and a factor unless it is listed here as
// none: so no key can be varied in a study and pooled without anybody knowing.
#include "record/factor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "record/tidy_row.h"
#include "train/config.h"

namespace bitlaw {
namespace {

TEST(RunKeys, EachIsAFactorOrKnownNotToBeOne) {
  // The key's column, where its name is another.
  const std::map<std::string, std::string> columns{
      {"model.heads", "head_width"},
      {"optimizer.width_power", "peak_lr"},
      {"optimizer.depth_power", "peak_lr"},
      {"optimizer.batch_power", "peak_lr"},
      {"schedule.kind", "schedule"},
      {"schedule.final", "final_rate"},
      {"schedule.warmup_steps", "warmup"},
      {"schedule.decay_shape", "schedule"},
      {"data.path", "data_hash"},
      {"train.backward", "gradient_format"},
      {"recipe.queries", "P_q"},
      {"recipe.weights_granularity", "granularity_w"},
      {"recipe.activations_granularity", "granularity_a"},
      {"recipe.kv_granularity", "granularity_kv"},
  };
  const std::set<std::string> none{
      // what laws see
      "train.tokens", "recipe.weights", "recipe.activations", "recipe.kv",
      // a name for other keys
      "recipe.named",
      // replicates: another order of samples, or of the sums of a gradient
      "train.seed", "train.lanes"};
  for (const ConfigKey& key : config_keys(TrainConfig{})) {
    if (none.count(key.name)) continue;
    const auto named = columns.find(key.name);
    const std::string column =
        named == columns.end() ? key.name.substr(key.name.find('.') + 1) : named->second;
    EXPECT_NE(find_factor(column), nullptr)
        << key.name << ": give it a column (record/tidy_row.h) and list that as a factor "
        << "(record/factor.h), or say here why it is none";
  }
}

}  // namespace
}  // namespace bitlaw
