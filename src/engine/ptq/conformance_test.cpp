// The conformance vectors that the Python package ships (docs/conformance.md): the same bits, read and
// computed here without Python.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/source_folder.h"
#include "ptq/quantize_matrix.h"

namespace bitlaw {
namespace {

struct Numbers {
  int64_t rows = 0, columns = 0;
  std::vector<float> values;  // [rows, columns]

  Numbers transposed() const {
    Numbers out{columns, rows, std::vector<float>(values.size())};
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c)
        out.values[static_cast<size_t>(c * rows + r)] =
            values[static_cast<size_t>(r * columns + c)];
    }
    return out;
  }
};

// Rows of eight hexadecimal digits a number.
Numbers of_digits(const Json& rows) {
  Numbers out{.rows = static_cast<int64_t>(rows.size())};
  for (const Json& row : rows) {
    const auto digits = row.get<std::string>();
    out.columns = static_cast<int64_t>(digits.size() / 8);
    for (size_t at = 0; at < digits.size(); at += 8) {
      const auto bits = static_cast<uint32_t>(std::stoul(digits.substr(at, 8), nullptr, 16));
      out.values.push_back(std::bit_cast<float>(bits));
    }
  }
  return out;
}

Numbers of_array(const Json& array) {
  if (array.contains("hex")) return of_digits(array["hex"]);
  const Json& rows = array["integers"];
  Numbers out{.rows = static_cast<int64_t>(rows.size()),
              .columns = static_cast<int64_t>(rows[0].size())};
  for (const Json& row : rows) {
    for (const Json& integer : row)
      out.values.push_back(
          static_cast<float>(std::ldexp(integer.get<double>(), array["exponent"].get<int>())));
  }
  return out;
}

std::vector<float> of_integers(const Json& rows) {
  std::vector<float> out;
  for (const Json& row : rows) {
    for (const Json& integer : row) out.push_back(integer.get<float>());
  }
  return out;
}

// The number of a bit field of eXmY: sign, exponent, mantissa.
float of_field(const Format& format, uint32_t field) {
  const uint32_t fraction = field & ((1u << format.mantissa_bits) - 1);
  const int exponent =
      static_cast<int>(field >> format.mantissa_bits) & ((1 << format.exponent_bits) - 1);
  const float share = std::ldexp(static_cast<float>(fraction), -format.mantissa_bits);
  const float magnitude = exponent == 0 ? std::ldexp(share, 1 - format.bias)
                                        : std::ldexp(1 + share, exponent - format.bias);
  return field >> (format.bits - 1) != 0 ? -magnitude : magnitude;
}

std::vector<float> codes_of(const Format& format, const Json& rows) {
  std::vector<float> out;
  for (const Json& row : rows) {
    for (const Json& code : row) {
      out.push_back(format.kind == FormatKind::kInteger ? code.get<float>()
                                                        : of_field(format, code.get<uint32_t>()));
    }
  }
  return out;
}

void expect_equal(const std::vector<float>& found, const std::vector<float>& expected,
                  bool zeros_have_signs) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i], expected[i]) << "entry " << i;
    if (zeros_have_signs) {
      ASSERT_EQ(std::signbit(found[i]), std::signbit(expected[i])) << "entry " << i;
    }
  }
}

MatrixResult result_of(const Json& entry, const WeightScheme& scheme, const Numbers& weights,
                       const std::map<std::string, Numbers>& arrays, ThreadPool& pool) {
  const MatrixCell cell{.method = &ptq_method(entry["method"].get<std::string>()),
                        .scheme = scheme,
                        .act_order = entry["act_order"].get<bool>(),
                        .rotated = entry["hadamard"].get<bool>(),
                        .first_damping = entry["damping"].get<double>()};
  if (entry["inputs"].is_null())
    return quantize_matrix(cell, nullptr, weights.values.data(), weights.rows, weights.columns,
                           pool);
  const Numbers& inputs = arrays.at(entry["inputs"].get<std::string>());
  StatisticsCollector collector(inputs.columns);
  collector.add(inputs.values.data(), inputs.rows, pool);
  InputSolver solver(std::move(collector).finish(), pool);
  return quantize_matrix(cell, &solver, weights.values.data(), weights.rows, weights.columns, pool);
}

TEST(Conformance, EveryShippedVectorIsWhatTheEngineGives) {
  const Json document =
      parse_json(read_file(kSourceFolder + std::string("/python/bitlaw/conformance_vectors.json")),
                 "conformance_vectors.json");
  std::map<std::string, Numbers> arrays;
  for (const auto& [name, array] : document["arrays"].items()) arrays[name] = of_array(array);
  ThreadPool pool(2);
  std::set<std::string> methods, formats;
  for (const Json& entry : document["cases"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto name = entry["format"].get<std::string>();
    const auto granularity = entry["granularity"].get<std::string>();
    methods.insert(entry["method"].get<std::string>());
    formats.insert(name);
    Numbers weights = arrays.at(entry["weights"].get<std::string>());
    Numbers values = of_digits(entry["values"]);
    if (granularity.empty()) {
      const Format format = parse_format(name);
      std::vector<float> rounded;
      for (const float w : weights.values) rounded.push_back(round_to_code(format, w));
      expect_equal(rounded, values.values, true);
      expect_equal(rounded, codes_of(format, entry["codes"]), true);
      continue;
    }
    const WeightScheme scheme = parse_weight_scheme(name, entry["group"].get<int>());
    Numbers codes{weights.rows, weights.columns, codes_of(scheme.format, entry["codes"])};
    if (granularity == "tensor") {
      weights.columns *= weights.rows;
      weights.rows = 1;
    } else if (granularity == "column") {
      weights = weights.transposed();
      values = values.transposed();
      codes = codes.transposed();
    }
    const MatrixResult result = result_of(entry, scheme, weights, arrays, pool);
    const QuantizedMatrix& matrix = result.quantized;
    expect_equal(matrix.codes, codes.values, scheme.format.kind == FormatKind::kFloat);
    expect_equal(matrix.scales, of_digits(entry["scales"]).values, true);
    if (scheme.asymmetric) expect_equal(matrix.zeros, of_integers(entry["zeros"]), false);
    EXPECT_EQ(matrix.column_scale.empty(), !entry.contains("column_scales"));
    if (!matrix.column_scale.empty())
      expect_equal(matrix.column_scale, of_digits(entry["column_scales"]).values, true);
    expect_equal(matrix.effective(pool), values.values, true);
    if (entry["inputs"].is_null()) continue;
    EXPECT_DOUBLE_EQ(result.error, entry["error"].get<double>());
    EXPECT_DOUBLE_EQ(result.rtn_error, entry["rtn_error"].get<double>());
  }
  for (const PtqMethod& method : ptq_methods()) {
    EXPECT_EQ(methods.contains(method.name), method.round != nullptr) << method.name;
  }
  for (const std::string& format : block_format_names()) EXPECT_TRUE(formats.contains(format));
}

}  // namespace
}  // namespace bitlaw
