// Every law at its default constants, against tests/golden/laws.csv, which an implementation of its
// own in another language made (tools/make_law_golden.py).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "base/file.h"
#include "base/source_folder.h"
#include "base/text.h"
#include "laws/bind.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

struct Golden {
  Observation run;
  double value, delta;
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (size_t from = 0; from <= line.size();) {
    const size_t end = std::min(line.find(',', from), line.size());
    cells.push_back(line.substr(from, end - from));
    from = end + 1;
  }
  return cells;
}

std::map<std::string, std::vector<Golden>> read_golden() {
  const std::string text = read_file(kSourceFolder + std::string("/tests/golden/laws.csv"));
  const std::vector<std::string> lines = split(trim(text), '\n');
  const std::vector<std::string> names = cells_of(lines.at(0));
  std::map<std::string, std::vector<Golden>> golden;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = cells_of(lines[i]);
    std::map<std::string, std::string> cell;
    for (size_t j = 0; j < names.size(); ++j) cell[names[j]] = cells.at(j);
    const auto number = [&](const char* name, double unknown) {
      return cell.at(name).empty() ? unknown : std::strtod(cell.at(name).c_str(), nullptr);
    };
    Golden row;
    row.run.params = number("params", 0);
    row.run.tokens = number("tokens", 0);
    row.run.unique_tokens = number("unique_tokens", kUnknown);
    row.run.bits_weights = number("bits_weights", 0);
    row.run.bits_activations = number("bits_activations", 0);
    row.run.bits_kv = number("bits_kv", 0);
    row.run.bits_post = number("bits_post", 0);
    row.run.group = number("group", kUnknown);
    row.run.exponent_bits = number("exponent_bits", kUnknown);
    row.run.mantissa_bits = number("mantissa_bits", kUnknown);
    row.run.gaussian_error_weights = number("gaussian_error_weights", kUnknown);
    row.run.precision = cell.at("precision");
    row.run.backward = cell.at("backward");
    row.value = number("value", kUnknown);
    row.delta = number("delta", kUnknown);
    golden[cell.at("law")].push_back(row);
  }
  return golden;
}

// A sum of a few terms, each an exponential of a sum of products of size 30 at most: some hundred
// units in the last place. Where a GMSE of 8 bits enters, the script's cancels to 1e-12.
constexpr double kTolerance = 2e-13;

TEST(LawsGolden, EveryLawGivesTheValuesOfAnIndependentImplementation) {
  const auto golden = read_golden();
  for (const Law& law : laws()) {
    SCOPED_TRACE(law.name);
    const auto found = golden.find(law.name);
    if (found == golden.end()) {
      ADD_FAILURE() << "has no rows in tests/golden/laws.csv; add it to tools/make_law_golden.py";
      continue;
    }
    ASSERT_GE(found->second.size(), 3u);
    std::vector<Observation> runs;
    for (const Golden& row : found->second) runs.push_back(row.run);
    const BoundLaw bound = bind_law(law, runs);
    const double* p = bound.law().constants[0].values.data();
    const Rows rows(bound.law(), runs);
    std::vector<double> values(rows.stride());
    evaluate_loss(bound.law(), p, rows, values.data(), nullptr);
    for (size_t i = 0; i < runs.size(); ++i) {
      const Golden& row = found->second[i];
      EXPECT_NEAR(values[i], row.value, kTolerance * row.value) << "row " << i;
      const double delta = predict_delta(bound.law(), p, row.run);
      EXPECT_NEAR(delta, row.delta, kTolerance * row.delta) << "row " << i;
      EXPECT_NEAR(predict(bound.law(), p, row.run), row.value + row.delta,
                  kTolerance * (row.value + row.delta))
          << "row " << i;
    }
  }
  EXPECT_EQ(golden.size(), laws().size());
}

}  // namespace
}  // namespace bitlaw
