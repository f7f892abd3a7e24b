#include "table/precision_columns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "formats/block_noise.h"
#include "laws/bind.h"
#include "table/table.h"

namespace bitlaw {
namespace {

std::string table_with(const std::string& unquantized) {
  return fmt::format("N,D,loss,precision\n1e8,2e9,3,\"{}\"\n1e8,2e9,3.2,W4A4\n", unquantized);
}

std::string refusal(const std::string& text, const TableOptions& options) {
  try {
    read_table(text, "t.csv", options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(PrecisionColumns, EverySpellingOfSixteenBitsIsTheReference) {
  for (const char* name :
       {"bf16", "bf16-mixed", "amp_bfloat16", "torch.bfloat16", "32-true", "16-mixed", "no", "full",
        "p=f32,c=bf16", "bf16 baseline", "BF16 (reference)"}) {
    const Table table = read_table(table_with(name), "t.csv");
    EXPECT_EQ(precision_class(table.runs[0]), "") << name;
    EXPECT_EQ(table.runs[0].bits_weights, 16) << name;
    EXPECT_EQ(precision_class(table.runs[1]), "W4A4") << name;
  }
  const Table formats = read_table("N,D,loss,format\n1e8,2e9,3,torch.bfloat16\n", "t.csv");
  EXPECT_EQ(formats.runs[0].bits_weights, 16);
}

TEST(PrecisionColumns, AColumnOfPrecisionsMayHaveAnotherName) {
  for (const char* name : {"quantization", "Quant", "dtype", "torch_dtype", "scheme", "Weights"}) {
    const auto read = [&](const char* one, const char* other) {
      return read_table(
          fmt::format("N,D,loss,{}\n1e8,2e9,3,{}\n1e8,4e9,3.2,{}\n", name, one, other), "t.csv");
    };
    const Table table = read("bfloat16", "int4");
    EXPECT_EQ(precision_class(table.runs[0]), "") << name;
    EXPECT_EQ(table.runs[1].bits_weights, 4) << name;
    EXPECT_EQ(read("none", "W4A8").runs[1].bits_activations, 8) << name;
    EXPECT_EQ(precision_class(read("int4", "gptq").runs[0]), "") << name << ": a word is none";
    EXPECT_EQ(precision_class(read("bf16", "fp32").runs[1]), "")
        << name << ": nothing is quantized";
  }
  const Table both = read_table("N,D,loss,P_w,dtype\n1e8,2e9,3,16,int4\n", "t.csv");
  EXPECT_EQ(both.runs[0].bits_weights, 16) << "columns of bits go first";
}

TEST(PrecisionColumns, AWordForUnquantizedIsSixteenBitsInAColumnOfBits) {
  for (const char* word : {"inf", "Inf", "bf16", "FP16", "full", "none", "NA", ""}) {
    const Table table =
        read_table(fmt::format("N,D,loss,P_w\n1e8,2e9,3,{}\n1e8,2e9,3.2,4\n", word), "t.csv");
    EXPECT_EQ(table.runs[0].bits_weights, 16) << word;
    EXPECT_EQ(table.runs[1].bits_weights, 4) << word;
  }
  EXPECT_NE(refusal("N,D,loss,P_w\n1e8,2e9,3,four\n", {}).find("four is not a number"),
            std::string::npos);
}

TEST(PrecisionColumns, TheUserNamesAReferenceOfAnyName) {
  const Table table =
      read_table(table_with("baseline"), "t.csv", TableOptions{.reference = "Baseline"});
  EXPECT_EQ(precision_class(table.runs[0]), "");
  EXPECT_EQ(table.reference, "Baseline");
  EXPECT_EQ(precision_class(read_table(table_with("baseline"), "t.csv").runs[0]), "baseline");

  const Table by_bits = read_table("N,D,loss,P\n1e8,2e9,3,8\n1e8,2e9,3.2,4\n", "t.csv",
                                   TableOptions{.reference = "W8A8KV8"});
  EXPECT_EQ(precision_class(by_bits.runs[0]), "");
  EXPECT_EQ(by_bits.runs[0].bits_weights, 8);
  EXPECT_EQ(precision_class(by_bits.runs[1]), "W4A4KV4");
}

TEST(PrecisionColumns, AReferenceThatNoRowOrMoreThanOneClassIsAnError) {
  EXPECT_EQ(refusal(table_with("baseline"), TableOptions{.reference = "base"}),
            "t.csv: --reference base: no row is of this class; the table has W4A4, baseline");
  EXPECT_EQ(refusal("N,D,loss,precision\n1e8,2e9,3,bf16\n1e8,2e9,3,base\n",
                    TableOptions{.reference = "base"}),
            "t.csv: --reference base: 1 other row is not quantized, either; a law has one such "
            "class: use --where to leave one of them out");
}

// A trainer's arithmetic beside the bits of its fake quantization.
TEST(PrecisionColumns, ATypeOfSixteenBitsBesideFewerBitsIsNoClass) {
  const Table table = read_table(
      "N,D,loss,precision,w_bits\n1e8,2e9,3,bf16-mixed,16\n1e8,2e9,3.2,bf16-mixed,4\n", "t.csv");
  EXPECT_EQ(precision_class(table.runs[0]), "");
  EXPECT_EQ(precision_class(table.runs[1]), "W4A16");
  EXPECT_NE(table.notes.back().find("In 1 row the precision is a type of 16 bits or more"),
            std::string::npos)
      << table.notes.back();
}

double error_by(GaussianErrorSource source, const std::string& columns, const std::string& cells) {
  const std::string text = "N,D,loss," + columns + "\n1e8,2e9,3," + cells + "\n";
  return read_table(text, "t.csv", TableOptions{.gaussian_error = source})
      .runs.at(0)
      .gaussian_error_weights;
}

TEST(PrecisionColumns, TheSourceOfGaussianErrorsRatesBlocks) {
  constexpr auto kBlock = GaussianErrorSource::kBlock, kLeast = GaussianErrorSource::kLeast;
  const double mxfp4 = gaussian_error_of(part_precision("mxfp4"), kBlock);
  EXPECT_GT(mxfp4, gaussian_error_of(part_precision("mxfp4"), kLeast));
  EXPECT_EQ(error_by(kBlock, "precision", "mxfp4"), mxfp4);
  EXPECT_EQ(error_by(kBlock, "format_w", "mxfp4"), mxfp4);
  EXPECT_EQ(error_by(kLeast, "precision", "mxfp4"),
            gaussian_error_of(part_precision("mxfp4"), kLeast));
  // A group that the name does not say, and bits without a name.
  const double grouped = block_gaussian_error(integer_format(4), ScaleRule::kFloat32, 128);
  EXPECT_EQ(error_by(kBlock, "precision", "W4A16g128"), grouped);
  EXPECT_EQ(error_by(kBlock, "precision,training_group", "W4A16,128"), grouped);
  EXPECT_EQ(error_by(kBlock, "P_w,training_group", "4,128"), grouped);
  // What the table gives itself stays, and a fitted range is not the largest entry's.
  EXPECT_EQ(error_by(kBlock, "precision,gaussian_error_w", "mxfp4,0.02"), 0.02);
  EXPECT_EQ(error_by(kBlock, "format_w,training_group", "e2m1+gauss,32"),
            gaussian_error_of(part_precision("e2m1"), kLeast));
  EXPECT_TRUE(std::isnan(error_by(kBlock, "format_w,training_group", "int4+clip,32")));
}

TEST(PrecisionColumns, PartsWithoutABlockAreCounted) {
  const Table table = read_table("N,D,loss,P_w,P_a\n1e8,2e9,3,4,4\n1e8,2e9,2.9,16,16\n", "t.csv",
                                 TableOptions{.gaussian_error = GaussianErrorSource::kBlock});
  EXPECT_TRUE(std::isnan(table.runs[0].gaussian_error_weights));
  ASSERT_EQ(table.notes.size(), 1u);
  EXPECT_EQ(
      table.notes[0],
      "2 parts do not say how many entries share a scale, which --gaussian-error block needs: "
      "they have the error of the best scale. A column training_group says it.");
}

}  // namespace
}  // namespace bitlaw
