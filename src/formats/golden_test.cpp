// The public vectors of tests/golden, made by an independent implementation with exact fractions.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <map>

#include "base/file.h"
#include "base/float_mode.h"
#include "base/json.h"
#include "base/source_folder.h"
#include "base/text.h"
#include "formats/block_grid.h"
#include "formats/quantizer.h"

namespace bitlaw {
namespace {

const std::string kGolden = kSourceFolder + std::string("/tests/golden/");

float float_of(const std::string& text) {
  return std::strtof(text.c_str(), nullptr);
}

std::vector<float> floats_of(const Json& list) {
  std::vector<float> values;
  for (const Json& text : list) values.push_back(float_of(text.get<std::string>()));
  return values;
}

std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

TEST(FormatsGolden, EveryVectorRoundsToItsCodeBitForBit) {
  const std::vector<std::string> lines = split(trim(read_file(kGolden + "formats.csv")), '\n');
  ASSERT_EQ(lines.at(0), "format,input,code");
  std::map<std::string, int> seen;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = split(lines[i], ',');
    ASSERT_EQ(cells.size(), 3u) << lines[i];
    const float code = round_to_code(parse_format(cells[0]), float_of(cells[1]));
    EXPECT_EQ(bits_of({code}), bits_of({float_of(cells[2])})) << lines[i];
    ++seen[cells[0]];
  }
  EXPECT_GE(seen.size(), 27u);
  for (const auto& [format, vectors] : seen) EXPECT_GE(vectors, 30) << format;
}

// Training flushes subnormal floats; no code of a scaled format is one, so nothing else changes.
TEST(FormatsGolden, ScaledFormatsRoundTheSameWithSubnormalFloatsFlushed) {
  struct Vector {
    Format format;
    float input, code;
  };
  std::vector<Vector> vectors;
  for (const std::string& line : split(trim(read_file(kGolden + "formats.csv")), '\n')) {
    const std::vector<std::string> cells = split(line, ',');
    if (cells[0] == "format" || cells[0] == "bf16") continue;
    vectors.push_back({parse_format(cells[0]), float_of(cells[1]), float_of(cells[2])});
  }
  std::vector<float> rounded, expected;
  {
    const FlushSubnormals flush;
    for (const Vector& v : vectors) rounded.push_back(round_to_code(v.format, v.input));
  }
  for (const Vector& v : vectors) expected.push_back(v.code);
  EXPECT_GE(vectors.size(), 3000u);
  EXPECT_EQ(bits_of(rounded), bits_of(expected));
}

TEST(FormatsGolden, QuantizedMatricesMatchBitForBit) {
  const std::map<std::string, ScaleAxis> axes{{"tensor", ScaleAxis::kTensor},
                                              {"row", ScaleAxis::kRow},
                                              {"column", ScaleAxis::kColumn},
                                              {"group", ScaleAxis::kGroup}};
  const std::string path = kGolden + "quantizers.json";
  const Json document = parse_json(read_file(path), path);
  ASSERT_GE(document.at("cases").size(), 90u);
  for (const Json& test : document.at("cases")) {
    const std::vector<float> x = floats_of(test.at("x"));
    const QuantizedReference q =
        quantize_reference(parse_format(test.at("format")), axes.at(test.at("axis")),
                           test.at("group"), x.data(), test.at("rows"), test.at("columns"));
    const std::string which =
        test.at("format").get<std::string>() + " per " + test.at("axis").get<std::string>();
    EXPECT_EQ(bits_of(q.scales), bits_of(floats_of(test.at("scales")))) << which;
    EXPECT_EQ(bits_of(q.codes), bits_of(floats_of(test.at("codes")))) << which;
    EXPECT_EQ(bits_of(q.values), bits_of(floats_of(test.at("values")))) << which;
  }
}

// Training rounds to the same vectors, with subnormal floats flushed or not.
TEST(FormatsGolden, RolesOfARecipeMatchWeightSchemesBitForBit) {
  const std::string path = kGolden + "weight_schemes.json";
  const Json document = parse_json(read_file(path), path);
  int tested = 0;
  for (const Json& test : document.at("cases")) {
    const WeightScheme scheme = parse_weight_scheme(test.at("scheme"), test.at("group"));
    if (scheme.clip || scheme.asymmetric) continue;
    const std::vector<float> x = floats_of(test.at("x"));
    const auto rounded = [&] {
      return quantize_reference(
          scheme.format, scheme.group == 0 ? ScaleAxis::kRow : ScaleAxis::kGroup, scheme.group,
          x.data(), test.at("rows"), test.at("columns"), 0, scheme.scales);
    };
    const QuantizedReference q = rounded();
    EXPECT_EQ(q.tensor_scale, float_of(test.at("tensor_scale"))) << scheme.name();
    EXPECT_EQ(bits_of(q.scales), bits_of(floats_of(test.at("scales")))) << scheme.name();
    EXPECT_EQ(bits_of(q.codes), bits_of(floats_of(test.at("codes")))) << scheme.name();
    EXPECT_EQ(bits_of(q.values), bits_of(floats_of(test.at("values")))) << scheme.name();
    const QuantizedReference flushed = [&] {
      const FlushSubnormals flush;
      return rounded();
    }();
    EXPECT_EQ(bits_of(flushed.scales), bits_of(q.scales)) << scheme.name();
    EXPECT_EQ(bits_of(flushed.codes), bits_of(q.codes)) << scheme.name();
    EXPECT_EQ(bits_of(flushed.values), bits_of(q.values)) << scheme.name();
    ++tested;
  }
  EXPECT_GE(tested, 13);
}

TEST(FormatsGolden, WeightSchemesMatchBitForBit) {
  const std::string path = kGolden + "weight_schemes.json";
  const Json document = parse_json(read_file(path), path);
  ASSERT_GE(document.at("cases").size(), 30u);
  for (const Json& test : document.at("cases")) {
    const std::vector<float> x = floats_of(test.at("x"));
    const std::string name = test.at("scheme");
    const WeightReference q = quantize_reference(parse_weight_scheme(name, test.at("group")),
                                                 x.data(), test.at("rows"), test.at("columns"));
    EXPECT_EQ(q.tensor_scale, float_of(test.at("tensor_scale"))) << name;
    EXPECT_EQ(bits_of(q.scales), bits_of(floats_of(test.at("scales")))) << name;
    EXPECT_EQ(bits_of(q.zeros), bits_of(floats_of(test.at("zeros")))) << name;
    EXPECT_EQ(bits_of(q.codes), bits_of(floats_of(test.at("codes")))) << name;
    EXPECT_EQ(bits_of(q.values), bits_of(floats_of(test.at("values")))) << name;
  }
}

}  // namespace
}  // namespace bitlaw
