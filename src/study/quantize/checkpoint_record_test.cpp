#include "quantize/checkpoint_record.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/test_folder.h"
#include "hf/fake_checkpoint_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

TextWindows some_text() {
  TextWindows out;
  out.sequence = 4;
  out.tokens = {1, 2, 3, 4, 5};
  out.cluster = {0};
  out.clustered_by = "window";
  out.bytes_per_token = 2;
  return out;
}

class CheckpointRecordTest : public testing::Test {
 protected:
  CheckpointRecord record(const fs::path& checkpoint) {
    ThreadPool pool(1);
    return make_checkpoint_record(checkpoint, folder_ / "runs", some_text(), 0, pool);
  }

  TestFolder folder_;
};

// The same model as other programs would save it again.
TEST_F(CheckpointRecordTest, TheNameIsOfTheMeaningOfConfigJson) {
  const hf::FakeCheckpoint model(hf::fake_config("llama", {{"rope_theta", 500000.0}}));
  model.write(folder_ / "a");
  const std::string name = record(folder_ / "a").name;
  const auto name_with = [&](const Json& config) {
    write_file_atomically(folder_ / "a/config.json", dump_json(config));
    return record(folder_ / "a").name;
  };
  Json again = model.config;
  again["transformers_version"] = "5.0.0";
  again["torch_dtype"] = "bfloat16";
  again["use_cache"] = true;
  again["num_key_value_heads"] = again["num_attention_heads"];
  again.erase("rope_theta");
  again["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500000}};
  EXPECT_EQ(name_with(again), name);
  again["rms_norm_eps"] = 1e-5;
  EXPECT_NE(name_with(again), name);
}

TEST_F(CheckpointRecordTest, ARecordOfAnEarlierVersionKeepsItsName) {
  hf::FakeCheckpoint(hf::fake_config("llama")).write(folder_ / "a");
  CheckpointRecord now = record(folder_ / "a");
  const std::string spelled = hash_hex(read_file(folder_ / "a/config.json"));
  CheckpointRecord before = now;
  before.name =
      hash_hex(now.run.checkpoint->weights_hash + spelled + some_text().hash()).substr(0, 16);
  EXPECT_NE(before.name, now.name);
  before.directory = folder_ / "runs" / before.name;
  begin_checkpoint_record(before);
  now = record(folder_ / "a");
  EXPECT_EQ(now.name, before.name);
  EXPECT_EQ(now.architecture_hash, spelled);
}

}  // namespace
}  // namespace bitlaw
