#include "model/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

std::string message_of(const std::string& file) {
  try {
    parse_safetensors(file, "some.safetensors");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Safetensors : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    directory_ = fs::path(testing::TempDir()) / (std::string("bitlaw_safetensors_") + test.name());
    fs::remove_all(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  fs::path directory_;
};

TEST_F(Safetensors, WhatIsWrittenIsReadBack) {
  const fs::path path = directory_ / "all.safetensors";
  std::vector<NamedTensor> tensors;
  for (DType dtype : {DType::kF64, DType::kF32, DType::kBF16}) {
    for (const Shape& shape :
         {Shape{}, Shape{3}, Shape{2, 5}, Shape{0, 4}, Shape{1, 2, 3}, Shape{2, 1, 2, 3}}) {
      const Tensor tensor = Tensor::empty(dtype, shape);
      for (int64_t i = 0; i < tensor.elements(); ++i)
        tensor.set(i, 1.0 / (3 + static_cast<double>(i)));
      tensors.push_back(
          {std::string(name_of(dtype)) + " \"quoted\" \xc3\xa9 " + shape.text(), tensor});
    }
  }
  const SafetensorsMetadata metadata = {{"format", "pt"}, {"line", "a\nb"}};
  write_safetensors(path, tensors, metadata);

  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(file.entries().size(), tensors.size());
  for (const NamedTensor& expected : tensors) {
    ASSERT_TRUE(file.contains(expected.name));
    const Tensor tensor = file.tensor(expected.name);
    EXPECT_TRUE(tensor.dtype() == expected.tensor.dtype() &&
                tensor.shape() == expected.tensor.shape());
    EXPECT_EQ(std::memcmp(tensor.raw(), expected.tensor.raw(), tensor.bytes()), 0);
    EXPECT_EQ(file.bytes(expected.name).size(), tensor.bytes());
  }
}

TEST_F(Safetensors, EqualContentGivesEqualBytes) {
  const Tensor one = Tensor::zeros(DType::kF32, {4});
  const std::vector<NamedTensor> tensors = {{"b", one}, {"a", one}};
  write_safetensors(directory_ / "1", tensors, {{"x", "y"}});
  write_safetensors(directory_ / "2", tensors, {{"x", "y"}});
  EXPECT_EQ(read_file(directory_ / "1"), read_file(directory_ / "2"));
}

TEST_F(Safetensors, FirstTensorBeginsACacheLine) {
  for (int length = 1; length < 80; ++length) {
    const std::vector<NamedTensor> tensors = {
        {std::string(static_cast<size_t>(length), 'n'), Tensor::zeros(DType::kF32, {1})}};
    write_safetensors(directory_ / "file", tensors);
    EXPECT_EQ(SafetensorsFile(directory_ / "file").entries().begin()->second.begin % 64, 0u);
  }
}

TEST_F(Safetensors, ErrorsOfASingleTensor) {
  const std::string header = R"({"f16":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
                             R"("five":{"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[2,6]}})";
  write_file_atomically(directory_ / "file", file_of(header, std::string(6, '\0')));
  const SafetensorsFile file(directory_ / "file");
  EXPECT_THROW(file.tensor("f16"), Error);
  EXPECT_THROW(file.tensor("five"), Error);
  EXPECT_THROW(file.tensor("absent"), Error);
  EXPECT_THROW(file.bytes("absent"), Error);
  EXPECT_EQ(file.bytes("f16").size(), 2u);
}

TEST_F(Safetensors, MissingFileIsAnError) {
  EXPECT_THROW(SafetensorsFile(directory_ / "absent"), Error);
}

TEST(SafetensorsHeader, AnEmptyTableIsFine) {
  EXPECT_TRUE(parse_safetensors(file_of("{}", ""), "x").entries.empty());
  EXPECT_TRUE(parse_safetensors(file_of("{}     ", ""), "x").entries.empty());
}

struct Damage {
  std::string file;
  const char* says;  // part of the message
};

std::string one_tensor(const std::string& value, size_t data = 8) {
  return file_of(R"({"a":)" + value + "}", std::string(data, '\0'));
}

TEST(SafetensorsHeader, DamageIsNamed) {
  const std::string good = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  ASSERT_EQ(message_of(one_tensor(good)), "");
  std::string long_header = one_tensor(good);
  long_header[7] = 1;
  const std::string huge = R"("shape":[4294967296,4294967296])";
  const Damage cases[] = {
      {"", "only 0 bytes"},
      {"1234567", "only 7 bytes"},
      {long_header, "the header claims"},
      {file_of("not json", ""), "not a JSON object"},
      {file_of("[]", ""), "not a JSON object"},
      {file_of("{", ""), "not a JSON object"},
      {file_of(std::string(100000, '['), ""), "not a JSON object"},
      {file_of("{\"a\xff\":1}", ""), "not a JSON object"},
      {one_tensor("3"), "exactly dtype, shape and data_offsets"},
      {one_tensor("{}"), "exactly dtype, shape and data_offsets"},
      {one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})"), "exactly dtype"},
      {one_tensor(R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})"), "dtype that is not text"},
      {one_tensor(R"({"dtype":"F33","shape":[2],"data_offsets":[0,8]})"), "unknown dtype 'F33'"},
      {one_tensor(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"), "shape that is not a list"},
      {one_tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
       "entries that are not whole numbers"},
      {one_tensor(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"),
       "entries that are not whole numbers"},
      {one_tensor(R"({"dtype":"F32","shape":[1e300],"data_offsets":[0,8]})"),
       "entries that are not whole numbers"},
      {one_tensor(R"({"dtype":"F32",)" + huge + R"(,"data_offsets":[0,8]})"),
       "too large for any memory"},
      {one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,9]})"),
       "not two whole numbers"},
      {one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":8})"), "not two whole numbers"},
      {one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "data_offsets 8 to 0"},
      {one_tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,12]})"),
       "the file has 8 bytes of data"},
      {one_tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), "require 12"},
      {one_tensor(good, 7), "the file has 7 bytes of data"},
      {one_tensor(good, 9), "its tensors end at byte"},
      {one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), "a gap"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
               R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
               std::string(8, '\0')),
       "overlap"},
      {file_of(R"({"a":)" + good + R"(,"a":)" + good + "}", std::string(8, '\0')),
       "names 'a' twice"},
      {one_tensor(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})"),
       "names 'dtype' twice"},
      {file_of(R"({"__metadata__":[]})", ""), "__metadata__ is not an object"},
      {file_of(R"({"__metadata__":{"a":1}})", ""), "'a' is not text"},
  };
  for (const Damage& damage : cases) {
    const std::string message = message_of(damage.file);
    EXPECT_NE(message.find(damage.says), std::string::npos) << damage.says << " | " << message;
    EXPECT_EQ(message.rfind("some.safetensors: ", 0), 0u) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

// Wherever a file is cut, reading says so rather than reading beyond it.
TEST(SafetensorsHeader, EveryTruncationIsAnError) {
  const std::string whole = one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})");
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(message_of(whole.substr(0, length)), "") << length;
}

// Any one changed byte of the header gives either a sound table or an Error.
TEST(SafetensorsHeader, EveryChangedByteIsHandled) {
  const std::string whole = one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})");
  int sound = 0, errors = 0;
  for (size_t at = 0; at + 8 < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[at] = static_cast<char>(byte);
      try {
        for (const auto& [name, entry] : parse_safetensors(changed, "x").entries) {
          ASSERT_LE(entry.begin, entry.end);
          ASSERT_LE(entry.end, changed.size());
        }
        ++sound;
      } catch (const Error&) {
        ++errors;
      }
    }
  }
  EXPECT_GT(sound, 0);
  EXPECT_GT(errors, sound);
}

}  // namespace
}  // namespace bitlaw
