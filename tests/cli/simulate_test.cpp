// `bitlaw simulate`: what it writes can be fitted again, and options without effect are refused.
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

class SimulateVerb : public World {};

TEST_F(SimulateVerb, AFitOfOwnPartsDrawsThem) {
  json_of({"simulate", "--law",     "kumar-parts", "--params",      "1e8,4e8", "--tokens",
           "2e9,2e10", "--weights", "3,4,6",       "--activations", "5,8",     "--kv",
           "8",        "--keys",    "3,4,6",       "--values",      "3,4,6",   "--embedding",
           "3,4,6",    "--out",     "parts.csv",   "--json"});
  json_of({"fit", "parts.csv", "--law", "kumar-parts", "--draws", "0", "--starts", "8", "--threads",
           "1", "--out", "fit.json", "--json"});
  const Outcome out = run({"simulate", "--fit", "fit.json", "--like", "parts.csv"});
  const std::string header = out.out.substr(0, out.out.find('\n'));
  for (const char* column : {"P_k", "P_v", "P_emb"})
    EXPECT_NE(header.find(column), std::string::npos) << header << out.err;
}

TEST_F(SimulateVerb, OptionsWithoutEffectAreRefused) {
  expect_refused({"simulate", "--law", "chinchilla", "--weights", "3"},
                 {"--weights: chinchilla does not model bits in training"});
  expect_refused({"simulate", "--law", "chinchilla", "--post", "3"}, {"--post", "after training"});
  expect_refused({"simulate", "--law", "chinchilla", "--keys", "3"}, {"keys", "chinchilla"});
  expect_refused({"simulate", "--law", "chinchilla", "--like", "table.csv", "--tokens", "1e9"},
                 {"--tokens: the runs are those of --like"});
  expect_refused({"simulate", "--law", "kumar", "--dry-run", "--out", "new.csv"}, {"--out"});
}

}  // namespace
}  // namespace bitlaw
