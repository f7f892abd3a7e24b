#include "train/state.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "tensor/same_bits_for_tests.h"
#include "train/state_for_tests.h"
#include "train/synthetic_text.h"

namespace bitlaw {
namespace {

constexpr int64_t kElements = 1000;

struct Vectors {
  Tensor weights = Tensor::zeros(DType::kF32, {kElements});
  Tensor first = Tensor::zeros(DType::kF32, {kElements});
  Tensor second = Tensor::zeros(DType::kF32, {kElements});
};

Vectors some_vectors(float scale) {
  Vectors out;
  for (int64_t i = 0; i < kElements; ++i) {
    out.weights.f32()[i] = scale * static_cast<float>(i) + 0.1f;
    out.first.f32()[i] = -scale * static_cast<float>(i);
    out.second.f32()[i] = 1 / (scale + static_cast<float>(i));
  }
  return out;
}

class StateFile : public testing::Test {
 protected:
  void save(const Vectors& v, int64_t steps) {
    save_state(file_,
               {.run = "a run",
                .engine = "avx2",
                .library = "a library",
                .engines = {"avx512", "avx2"},
                .steps = steps,
                .progress = {{"loss", 0.1}}},
               v.weights, v.first, v.second);
  }
  std::optional<StateHeader> load(Vectors& v, const std::string& run = "a run") {
    return load_state(file_, run, v.weights, v.first, v.second);
  }
  void write(const std::string& bytes) { std::ofstream(file_, std::ios::binary) << bytes; }
  std::string error_of_loading(const std::string& run = "a run") {
    Vectors v;
    try {
      load(v, run);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "state.bin";
};

TEST_F(StateFile, ComesBackBitForBit) {
  const Vectors saved = some_vectors(3);
  save(saved, 17);
  Vectors loaded;
  const auto header = load(loaded);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->steps, 17);
  EXPECT_EQ(header->progress.at("loss"), 0.1);
  EXPECT_EQ(header->engine, "avx2");
  EXPECT_EQ(header->library, "a library");
  EXPECT_EQ(header->engines, (std::vector<std::string>{"avx512", "avx2"}));
  EXPECT_TRUE(same_bits(saved.weights, loaded.weights));
  EXPECT_TRUE(same_bits(saved.first, loaded.first));
  EXPECT_TRUE(same_bits(saved.second, loaded.second));
}

TEST_F(StateFile, NoFileIsNoState) {
  Vectors v;
  EXPECT_FALSE(load(v));
}

TEST_F(StateFile, EveryCutAndEveryChangedRegionIsRefused) {
  save(some_vectors(3), 17);
  const std::string bytes = read_file(file_);
  for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 97) {
    write(bytes.substr(0, size));
    EXPECT_NE(error_of_loading().find("state.bin"), std::string::npos) << size << " bytes";
  }
  const size_t header = bytes.find("}") + 1;  // all of it, and a part of the rest
  for (size_t at = 0; at < bytes.size(); at += at < header ? 1 : 1 + bytes.size() / 97) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    write(changed);
    EXPECT_NE(error_of_loading().find("state.bin"), std::string::npos) << "byte " << at;
  }
  write(bytes + "x");
  EXPECT_NE(error_of_loading(), "");
}

// The checksum of the whole file, not only of what is trained on.
TEST_F(StateFile, AnotherNumberOfStepsIsRefused) {
  save(some_vectors(3), 80);
  std::string bytes = read_file(file_);
  const size_t place = bytes.find("\"steps\":80");
  ASSERT_NE(place, bytes.npos);
  write(bytes.replace(place, 10, "\"steps\":79"));
  EXPECT_NE(error_of_loading().find("the content does not match its checksum"), std::string::npos);
}

TEST_F(StateFile, NumbersThatCannotBeAreRefused) {
  for (const int version : {1, 2}) {
    save(some_vectors(3), 80);
    if (version == 1) make_state_of_version_1(file_);
    for (const Json& steps : {Json(-5), Json(1e300), Json(1.5), Json("80"), Json(nullptr)}) {
      change_state(file_, [&](Json& header) { header["steps"] = steps; });
      EXPECT_NE(error_of_loading().find("damaged header"), std::string::npos) << dump_json(steps);
    }
  }
}

TEST_F(StateFile, OfVersion1NeedsItsChecksum) {
  save(some_vectors(3), 80);
  make_state_of_version_1(file_);
  change_state(file_, [&](Json& header) { header["hash"] = 3; });
  EXPECT_NE(error_of_loading().find("damaged header"), std::string::npos);
}

TEST_F(StateFile, OfVersion1IsReadWithoutAnEngine) {
  const Vectors saved = some_vectors(3);
  save(saved, 17);
  make_state_of_version_1(file_);
  Vectors loaded;
  const auto header = load(loaded);
  EXPECT_EQ(header->steps, 17);
  EXPECT_EQ(header->engine, "");
  EXPECT_TRUE(header->engines.empty());
  EXPECT_TRUE(same_bits(saved.second, loaded.second));
  std::string bytes = read_file(file_);
  bytes.back() ^= 1;
  write(bytes);
  EXPECT_NE(error_of_loading().find("the content does not match its checksum"), std::string::npos);
}

TEST_F(StateFile, ANewerVersionIsNamed) {
  save(some_vectors(3), 17);
  change_state(file_, [](Json& header) { header["version"] = 3; });
  EXPECT_NE(error_of_loading().find("written by a newer version of bitlaw"), std::string::npos);
}

TEST_F(StateFile, AnotherRunsStateIsRefused) {
  save(some_vectors(3), 17);
  EXPECT_NE(error_of_loading("another run").find("the state of run a run"), std::string::npos);
}

TEST_F(StateFile, AFullDiskLeavesTheOlderState) {
  const Vectors before = some_vectors(3);
  save(before, 17);
  // A limit on the size of files fails a write as a full disk does, in the middle.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit tight{5000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  std::string error;
  try {
    save(some_vectors(4), 18);
  } catch (const Error& e) {
    error = e.what();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_NE(error.find("cannot be written"), std::string::npos) << error;

  Vectors loaded;
  EXPECT_EQ(load(loaded)->steps, 17);
  EXPECT_TRUE(same_bits(before.weights, loaded.weights));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path()))
    ++files;
  EXPECT_EQ(files, 1u) << "nothing half-written is left";
}

}  // namespace
}  // namespace bitlaw
