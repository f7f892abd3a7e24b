// What the page carries is the document, but for digits that no figure shows.
#include "report/packed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "report/report.h"

namespace bitlaw {
namespace {

Json entry(const Json& column, size_t i, const Json& texts) {
  if (column.is_array()) return column[i];
  if (column.contains("texts")) return texts[column["texts"][i].get<size_t>()];
  if (column.contains("of")) return column["of"][column["at"][i].get<size_t>()];
  if (!column.contains("object") && !column.contains("list")) return column["same"];
  const bool is_object = column.contains("object");
  Json out = is_object ? Json::object() : Json::array();
  if (is_object) {
    for (const auto& [key, part] : column["object"].items()) out[key] = entry(part, i, texts);
  } else {
    for (const Json& part : column["list"]) out.push_back(entry(part, i, texts));
  }
  const bool is_null =
      std::all_of(out.begin(), out.end(), [](const Json& value) { return value.is_null(); });
  return is_null ? Json() : out;
}

// As web/page/src/report/document.ts reads it.
Json unpacked(const Json& value, const Json& texts) {
  Json out = value.is_array() ? Json::array() : Json::object();
  if (value.is_array()) {
    for (const Json& each : value) out.push_back(unpacked(each, texts));
    return out;
  }
  if (!value.is_object()) return value;
  if (!value.contains("@rows")) {
    for (const auto& [key, each] : value.items()) out[key] = unpacked(each, texts);
    return out;
  }
  out = Json::array();
  for (size_t i = 0; i < value["@rows"].get<size_t>(); ++i) {
    Json& row = out.emplace_back(Json::object());
    for (const auto& [key, column] : value["columns"].items()) row[key] = entry(column, i, texts);
  }
  return out;
}

// Equal but for the eighth digit; null and a missing key are the same to the page.
void expect_same(const Json& packed, const Json& whole, const std::string& where) {
  if (whole.is_number_float()) {
    const double value = whole.get<double>();
    if (!std::isfinite(value)) {
      EXPECT_TRUE(packed.is_null()) << where;
      return;
    }
    ASSERT_TRUE(packed.is_number()) << where;
    EXPECT_NEAR(packed.get<double>(), value, 5.1e-7 * std::fabs(value)) << where;
    return;
  }
  if (whole.is_array()) {
    ASSERT_EQ(packed.size(), whole.size()) << where;
    for (size_t i = 0; i < whole.size(); ++i)
      expect_same(packed[i], whole[i], fmt::format("{}[{}]", where, i));
    return;
  }
  if (!whole.is_object()) {
    EXPECT_EQ(packed, whole) << where;
    return;
  }
  for (const auto& [key, value] : whole.items())
    expect_same(packed.value(key, Json()), value, where + "." + key);
  for (const auto& [key, value] : packed.items())
    EXPECT_TRUE(value.is_null() || whole.contains(key)) << where << "." << key;
}

TidyRow row(int number, double bits) {
  TidyRow out;
  out.run = fmt::format("run-{:08}-of-a-long-name", number / 2);
  out.status = "finished";
  out.N = 1'000'000 + 1000 * (number % 40);
  out.D = 100'000'000 + 12'345 * (number % 50);
  out.P_w = bits, out.P_a = out.P_kv = 16;
  out.P_post = number % 2 == 1 ? 4 : 16;
  out.method = number % 2 == 1 ? "gptq" : "none";
  out.loss = 3 + 0.1 * std::sin(number);
  if (number % 2 == 1) out.delta = 0.01 * std::exp(std::sin(number)), out.standard_error = 1e-4;
  out.lr = 1e-3, out.seed = number % 3;
  out.tokens_per_second = 1e5 + number;
  out.data_hash = "2f1c9d1e8a7b6c5d";
  return out;
}

std::vector<TidyRow> study(int rows) {
  std::vector<TidyRow> out;
  for (int i = 0; i < rows; ++i) out.push_back(row(i, i % 4 < 2 ? 16 : 4));
  return out;
}

TEST(Packed, ThePageReadsTheDocument) {
  for (const int rows : {0, 3, 15, 16, 400}) {
    Json document = make_report({"t", study(rows), nullptr, Json::array(), {"all"}});
    const Json packed = packed_for_page(document);
    Json read = unpacked(packed, packed["texts"]);
    for (Json& line : document["rows"]) {
      Json shown = Json::object();
      for (const Json& column : read["table_columns"])
        shown[column["name"].get<std::string>()] = line[column["name"].get<std::string>()];
      line = shown;
    }
    read.erase("texts"), read.erase("table_columns");
    for (const char* part : {"figures", "training", "post", "post_bit", "pure_error"}) {
      EXPECT_FALSE(packed.contains(part)) << part;
      document.erase(part);
    }
    expect_same(read, document, fmt::format("{} rows", rows));
  }
}

TEST(Packed, KeysThatSomeObjectsLackStayAway) {
  Json list = Json::array();
  for (int i = 0; i < 20; ++i) {
    list.push_back({{"x", i}});
    if (i % 2 == 0) list.back()["text"] = "a";
  }
  const Json packed = packed_for_page({{"list", list}, {"rows", Json::array()}});
  EXPECT_EQ(packed["list"]["@rows"], 20);
  const Json read = unpacked(packed, packed["texts"]);
  expect_same(read["list"], list, "list");
}

TEST(Packed, ObjectsAndIntervalsOfAPointBecomeColumns) {
  Json list = Json::array();
  for (int i = 0; i < 40; ++i) {
    list.push_back({{"x", 0.1 * i}, {"mean", {i - 0.5, i + 0.5}}, {"odd", Json::array()}});
    if (i % 3 == 0) list.back()["about"] = {{"N", 1000 * (i % 4)}, {"bits", "4 bits"}};
    if (i % 3 == 1) list.back()["about"]["seed"] = i;
    for (int each = 0; each < i % 2; ++each) list.back()["odd"].push_back(each);
  }
  const Json packed = packed_for_page({{"list", list}, {"rows", Json::array()}});
  EXPECT_EQ(packed["list"]["@rows"], 40);
  EXPECT_EQ(packed["list"]["columns"]["mean"]["list"].size(), 2u);
  EXPECT_TRUE(packed["list"]["columns"]["about"].contains("object"));
  const Json read = unpacked(packed, packed["texts"]);
  expect_same(read["list"], list, "list");
}

TEST(Packed, SixThousandRunsTakeLessThanAMegabyteAndAHalf) {
  const Json document = make_report({"t", study(12'000), nullptr, Json::array(), {"all"}});
  EXPECT_LT(report_html(document).size(), 1'500'000u);
  EXPECT_GT(dump_json(document).size(), 12'000'000u);
}

}  // namespace
}  // namespace bitlaw
