#include "hf/writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "formats/half.h"
#include "hf/fake_checkpoint_for_tests.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

class HfWriter : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) /
                 (std::string("bitlaw_hf_writer_") +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  fs::path source() const { return directory_ / "source"; }
  fs::path target() const { return directory_ / "target"; }
  std::vector<std::string> left_behind() const {  // next to the source
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path() != source()) names.push_back(entry.path().filename().string());
    }
    return names;
  }
  fs::path directory_;
};

const std::string kUp = "model.layers.1.mlp.up_proj.weight";

TEST_F(HfWriter, ReplacedTensorsAreNewAndOthersAreAsTheyWere) {
  FakeCheckpoint checkpoint(fake_config("llama", {{"dtype", "float16"}}));
  for (const int shards : {1, 3}) {
    for (const char* dtype : {"F32", "BF16"}) {
      fs::remove_all(source());
      fs::remove_all(target());
      checkpoint.write(source(), shards);
      write_file_atomically(source() / "tokenizer.json", "{}");
      write_file_atomically(source() / "pytorch_model.bin", "pickled");
      const Weights before(source(), read_architecture(source()));
      std::vector<float> values(48 * 32);
      for (size_t i = 0; i < values.size(); ++i) values[i] = 1.0f / static_cast<float>(i + 3);
      CheckpointWriter writer(source(), before, target(), {kUp}, dtype);
      EXPECT_FALSE(fs::exists(target()));
      writer.write(kUp, values.data(), 48 * 32);
      writer.commit();

      EXPECT_EQ(left_behind(), std::vector<std::string>{"target"});
      const Architecture a = read_architecture(target());
      EXPECT_EQ(a.dtype, "float32");  // what all tensors fit into: the others are not BF16
      const Weights after(target(), a);
      EXPECT_EQ(after.files().size(), before.files().size());
      for (const TensorSpec& spec : before.layout().tensors()) {
        const Tensor x = before.tensor(spec), y = after.tensor(spec);
        for (int64_t i = 0; i < x.elements(); ++i) {
          const float own = values[static_cast<size_t>(i) % values.size()];
          const float expected = spec.name != kUp              ? x.f32()[i]
                                 : std::string(dtype) == "F32" ? own
                                                               : round_to_bf16(own);
          ASSERT_EQ(y.f32()[i], expected) << spec.name;
        }
      }
      EXPECT_EQ(after.dtype({kUp, {48, 32}}), dtype);
      EXPECT_EQ(read_file(target() / "tokenizer.json"), "{}");
      EXPECT_FALSE(fs::exists(target() / "pytorch_model.bin"));
    }
  }
}

TEST_F(HfWriter, WhatIsNotCommittedLeavesNothing) {
  FakeCheckpoint(fake_config("llama")).write(source());
  const Weights weights(source(), read_architecture(source()));
  { const CheckpointWriter writer(source(), weights, target(), {kUp}, "F32"); }
  EXPECT_TRUE(left_behind().empty());
  fs::create_directories(target());
  EXPECT_THROW(CheckpointWriter(source(), weights, target(), {kUp}, "F32"), Error);
  EXPECT_EQ(left_behind(), std::vector<std::string>{"target"});
  EXPECT_THROW(CheckpointWriter(source(), weights, "/proc/nowhere/target", {kUp}, "F32"), Error);
}

}  // namespace
}  // namespace bitlaw::hf
