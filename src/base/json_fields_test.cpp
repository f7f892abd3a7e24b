#include "base/json_fields.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(JsonFields, AreReadWithTheirTypes) {
  const Json document{{"name", "a"},
                      {"count", 3},
                      {"rate", 0.5},
                      {"on", true},
                      {"none", nullptr},
                      {"names", {"x", "y"}},
                      {"inner", {{"list", {{{"id", 7}}}}}}};
  const JsonFields fields(document, "f.json");
  EXPECT_EQ(fields.text("name"), "a");
  EXPECT_EQ(fields.whole("count", 1, 3), 3);
  EXPECT_EQ(fields.number("count"), 3.0);
  EXPECT_EQ(fields.number("rate", 0, 1), 0.5);
  EXPECT_TRUE(fields.truth("on"));
  EXPECT_EQ(fields.texts("names"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(fields.object("inner").item("list", 0).whole("id"), 7);
  EXPECT_FALSE(fields.has("none"));
  EXPECT_TRUE(fields.is_null("none"));
  EXPECT_EQ(fields.whole("none", 1, 2, -1), -1);
  EXPECT_EQ(fields.text("absent", "b"), "b");
}

TEST(JsonFields, AnErrorNamesThePlaceAndTheValue) {
  const Json document{{"n", 64.5},
                      {"far", 18446744073709551615u},
                      {"text", std::string(100, 'x')},
                      {"names", {1}},
                      {"inner", {{"list", {{{"id", "seven"}}}}}}};
  const JsonFields fields(document, "d/f.json");
  EXPECT_EQ(error_of([&] { fields.whole("n"); }), "d/f.json: n must be a whole number, not 64.5");
  EXPECT_EQ(error_of([&] { fields.whole("far"); }),
            "d/f.json: far must be a smaller number, not 18446744073709551615");
  EXPECT_EQ(error_of([&] { fields.number("n", 0, 1); }), "d/f.json: n must be 0..1, not 64.5");
  EXPECT_EQ(error_of([&] { fields.number("text"); }),
            "d/f.json: text must be a number, not \"" + std::string(39, 'x') + "...");
  EXPECT_EQ(error_of([&] { fields.at("absent"); }), "d/f.json: absent is missing");
  EXPECT_EQ(error_of([&] { fields.texts("names"); }),
            "d/f.json: names must be a list of texts, not [1]");
  EXPECT_EQ(error_of([&] { fields.object("inner").item("list", 0).whole("id"); }),
            "d/f.json: inner.list[0].id must be a whole number, not \"seven\"");
  EXPECT_EQ(error_of([&] { fields.object("inner").fail("is odd"); }), "d/f.json: inner is odd");
  EXPECT_EQ(error_of([] { JsonFields(Json(3), "f"); }), "f: the document must be an object, not 3");
}

}  // namespace
}  // namespace bitlaw
