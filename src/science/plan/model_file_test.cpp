#include "plan/model_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "formats/code_entropy.h"
#include "plan/limits.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

ModelFile file_of(const std::function<void(PlanRequest&)>& change) {
  PlanRequest request;
  request.memory_bytes = 1e9;
  change(request);
  ModelFile out;
  EXPECT_EQ(read_model_file(request, out), "");
  return out;
}

double bytes(const ModelFile& file, double params, const Precision& precision, double post = 0) {
  return file.weight_bytes(params, precision, post) + file.embedding_bytes(params);
}

// SmolLM2 135M in BF16 takes 269 MB (model.safetensors has 269,060,552 bytes: norms and a header
// more); Llama 3 8B in BF16 16.06 GB; in Q4_0 with a Q6_K head and Q4_0 embeddings 4.66 GB.
TEST(ModelFile, IsTheSizeOfFilesThatExist) {
  const Precision unquantized;
  const ModelFile small =
      file_of([](PlanRequest& r) { r.vocabulary = 49152, r.width = 576, r.tied_head = true; });
  EXPECT_NEAR(bytes(small, 106203456, unquantized) / 269060552, 1, 2e-4);
  const ModelFile llama = file_of([](PlanRequest& r) { r.vocabulary = 128256, r.width = 4096; });
  EXPECT_NEAR(bytes(llama, 6979588096, unquantized) / 16060522496, 1, 1e-9);
  const ModelFile q4 = file_of([](PlanRequest& r) {
    r.vocabulary = 128256, r.width = 4096, r.storage = {"4:q4_0"};
    r.embedding_format = "q4_0", r.head_format = "q6_k";
  });
  EXPECT_NEAR(bytes(q4, 6979588096, {Bits::all(4)}) / 4.66e9, 1, 5e-3);
}

// GPTQ with groups of 128: a half scale and a packed zero point of 4 bits.
TEST(ModelFile, CountsScalesAndZeroPoints) {
  const ModelFile gptq = file_of([](PlanRequest& r) { r.scale_group = 128, r.zero_bits = 4; });
  EXPECT_DOUBLE_EQ(gptq.weight_bits({Bits::all(4)}, 0, 4096), 4 + (16.0 + 4) / 128);
  EXPECT_DOUBLE_EQ(gptq.weight_bits({}, 4, 4096), 4 + 20.0 / 128) << "quantized afterwards";
  EXPECT_DOUBLE_EQ(gptq.weight_bits({}, 0, 4096), 16) << "no scales where nothing is quantized";
  const ModelFile rows = file_of([](PlanRequest&) {});
  EXPECT_DOUBLE_EQ(rows.weight_bits({Bits::all(4)}, 0, 1024), 4 + 16.0 / 1024);
}

TEST(ModelFile, OfWeightsAloneIsWhatItWas) {
  const ModelFile file = file_of([](PlanRequest& r) { r.memory_counts = "weights"; });
  EXPECT_DOUBLE_EQ(bytes(file, 1e9, {Bits::all(4)}), 0.5e9);
  EXPECT_DOUBLE_EQ(bytes(file, 1e9, {}, 3), 3e9 / 8);
}

TEST(ModelFile, CodesTakeTheirEntropy) {
  const ModelFile file =
      file_of([](PlanRequest& r) { r.entropy_coded = {"gaussian"}, r.scale_group = 64; });
  for (const int bits : {2, 3, 4, 6, 8}) {
    EXPECT_DOUBLE_EQ(file.weight_bits({Bits::all(bits)}, 0, 4096),
                     gaussian_group_entropy(integer_format(bits), 64) + 16.0 / 64);
  }
  EXPECT_LT(file.weight_bits({Bits::all(16)}, 0, 4096), 11) << "of bf16, eight are nearly random";
  // Between whole bits, and beyond the table, it grows with the bits.
  double before = 0;
  for (double bits = 1; bits < 15.9; bits += 0.1) {
    const double now = file.weight_bits({Bits::all(bits)}, 0, 4096);
    EXPECT_GT(now, before) << bits;
    EXPECT_LT(now, bits + 16.0 / 64 + 1e-9) << bits;
    before = now;
  }
  const ModelFile measured =
      file_of([](PlanRequest& r) { r.entropy_coded = {"4:3.1,3:2.2"}, r.scale_group = 64; });
  EXPECT_DOUBLE_EQ(measured.weight_bits({Bits::all(4)}, 0, 4096), 3.1 + 0.25);
  EXPECT_DOUBLE_EQ(measured.weight_bits({Bits::all(5)}, 0, 4096),
                   file.weight_bits({Bits::all(5)}, 0, 4096))
      << "not measured";
  // A row's entropy is that of groups as long as the row.
  const ModelFile rows = file_of([](PlanRequest& r) { r.entropy_coded = {"gaussian"}; });
  EXPECT_NEAR(rows.weight_bits({Bits::all(4)}, 0, 1000),
              gaussian_group_entropy(integer_format(4), 1000) + 16.0 / 1000, 2e-3);
}

// What fits is what fills the bytes.
TEST(ModelFile, TheLargestModelFillsTheMemory) {
  for (const bool coded : {false, true}) {
    for (const bool total : {false, true}) {
      Limits limits;
      limits.file = file_of([&](PlanRequest& r) {
        if (coded) r.entropy_coded = {"gaussian"};
      });
      limits.file.total = total;
      limits.serving.context = 1000;
      for (const double memory : {3e7, 1e9, 1e12}) {
        limits.serving.memory_bytes = memory;
        for (const double bits : {2.0, 4.0, 5.5, 16.0}) {
          const Precision precision{Bits::all(bits)};
          const double params = limits.most_params_in_memory(precision, 0);
          EXPECT_NEAR(limits.memory_bytes(params, precision, 0) / memory, 1, 1e-10);
        }
      }
      limits.serving.memory_bytes = 1000;
      EXPECT_LT(limits.most_params_in_memory({Bits::all(4)}, 0), 1) << "not even the embeddings";
    }
  }
}

TEST(ModelFile, SaysWhatItAssumes) {
  PlanRequest request;
  request.compute = 1e20, request.memory_bytes = 1e9;
  const auto notes = [&] {
    std::string all;
    for (const std::string& note : make_plan(request).notes) all += note + "\n";
    return all;
  };
  EXPECT_NE(notes().find("embeddings and an output head of 32 k rows"), std::string::npos)
      << notes();
  request.vocabulary = 50000, request.width = 1024;
  EXPECT_EQ(notes().find("embeddings and"), std::string::npos) << notes();
}

TEST(ModelFile, RefusesWhatItCannotCount) {
  const auto error = [](const std::function<void(PlanRequest&)>& change) {
    PlanRequest request;
    request.compute = 1e20, request.memory_bytes = 1e9;
    change(request);
    return make_plan(request).error;
  };
  EXPECT_NE(error([](auto& r) { r.memory_counts = "all"; }).find("use file"), std::string::npos);
  EXPECT_NE(error([](auto& r) { r.embedding_format = "q4_k_m"; }).find("type of GGUF"),
            std::string::npos);
  EXPECT_NE(error([](auto& r) { r.entropy_coded = {"no-such-file.json"}; }).find("file of counts"),
            std::string::npos);
  EXPECT_NE(error([](auto& r) { r.entropy_coded = {"4:4.5"}; }).find("at most 4"),
            std::string::npos);
  EXPECT_NE(error([](auto& r) { r.storage = {"4"}; }).find("BITS:VALUE"), std::string::npos);
  EXPECT_NE(error([](auto& r) { r.storage = {"4:int4"}; }).find("shares a scale"),
            std::string::npos);
  EXPECT_NE(
      error([](auto& r) { r.memory_bytes = 0, r.scale_group = 64; }).find("give memory_bytes"),
      std::string::npos);
}

}  // namespace
}  // namespace bitlaw
