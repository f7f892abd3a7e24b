#include "base/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace bitlaw {
namespace {

TEST(Json, EqualDocumentsPrintEqualBytes) {
  EXPECT_EQ(dump_json(parse_json("{\"b\": 1, \"a\": [2, null]}", "")), "{\"a\":[2,null],\"b\":1}");
  EXPECT_EQ(dump_json(parse_json("{\"a\": [2, null], \"b\": 1}", "")), "{\"a\":[2,null],\"b\":1}");
}

TEST(Json, NumbersReadBackExactly) {
  for (const double x : {0.1, 0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 2.0 / 3,
                         9007199254740993.0}) {
    const double back = parse_json(dump_json(Json(x)), "").get<double>();
    EXPECT_EQ(back, x);
    EXPECT_EQ(std::signbit(back), std::signbit(x));
  }
}

TEST(Json, WhatIsNotANumberBecomesNull) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(dump_json(Json::array({std::nan(""), infinity, -infinity, 1.0})),
            "[null,null,null,1.0]");
}

TEST(Json, IsPrintedOnOneLineOrIndented) {
  const Json document{{"a", Json::array({1, -2.5, Json::object(), Json::array(), nullptr})},
                      {"b", {{"c\n\"", "\t\x7f\u00e9"}}},
                      {"n", uint64_t{18446744073709551615u}},
                      {"yes", true}};
  EXPECT_EQ(dump_json(document),
            "{\"a\":[1,-2.5,{},[],null],\"b\":{\"c\\n\\\"\":\"\\t\x7f\u00e9\"},"
            "\"n\":18446744073709551615,\"yes\":true}");
  EXPECT_EQ(dump_json(document, 0),
            "{\n\"a\": [\n1,\n-2.5,\n{},\n[],\nnull\n],\n\"b\": {\n\"c\\n\\\"\": "
            "\"\\t\x7f\u00e9\"\n},\n\"n\": 18446744073709551615,\n\"yes\": true\n}");
  EXPECT_EQ(dump_json(document["a"], 2), "[\n  1,\n  -2.5,\n  {},\n  [],\n  null\n]");
  EXPECT_EQ(dump_json(document["b"], 1), "{\n \"c\\n\\\"\": \"\\t\x7f\u00e9\"\n}");
}

TEST(Json, BytesThatAreNotTextDoNotStopThePrinting) {
  EXPECT_NO_THROW(parse_json(dump_json(Json(std::string("\xff\xfe"))), ""));
}

TEST(Json, MistakesNameTheFileAndTheLine) {
  for (const char* text : {"{\n\"a\": 1,\n\"b\": }", "{\n\"a\": 1,\n\"b"}) {
    std::string message;
    try {
      parse_json(text, "run.json");
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "run.json: not valid JSON near line 3; the file may be cut short");
  }
  EXPECT_THROW(parse_json("", "run.json"), Error);
}

TEST(Json, NestingHasALimit) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_EQ(dump_json(parse_json(nested(100), "x.json")), nested(100));
  try {
    parse_json(nested(400'000), "x.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("x.json: is nested more than"), std::string::npos);
  }
}

TEST(Json, BracesMakeObjectsOfPairsAndArraysOfAllElse) {
  EXPECT_EQ(dump_json(Json{{"b", 1}, {"a", {1, 2}}}), "{\"a\":[1,2],\"b\":1}");
  EXPECT_EQ(dump_json(Json{{"a", 1}, {2, 3}}), "[[\"a\",1],[2,3]]");
  EXPECT_EQ(dump_json(Json::array({{"a", 1}})), "[[\"a\",1]]");
  EXPECT_EQ(dump_json(Json::array({Json{{"a", nullptr}}})), "[{\"a\":null}]");
  EXPECT_EQ(dump_json(Json{{"a", std::vector<bool>{true, false}}, {"b", Json::object()}}),
            "{\"a\":[true,false],\"b\":{}}");
  EXPECT_EQ(dump_json(Json(std::map<std::string, double>{{"x", 0.5}})), "{\"x\":0.5}");
}

TEST(Json, WritingMakesWhatIsMissing) {
  Json document;
  document["a"]["b"] = 1;
  document["list"][2] = "x";
  document["list"].push_back(-1.5);
  EXPECT_EQ(dump_json(document), "{\"a\":{\"b\":1},\"list\":[null,null,\"x\",-1.5]}");
  document.update({{"a", true}, {"c", nullptr}});
  EXPECT_EQ(document.erase("list"), 1u);
  EXPECT_EQ(document.erase("list"), 0u);
  EXPECT_EQ(dump_json(document), "{\"a\":true,\"c\":null}");
}

TEST(Json, ReadingNeverMakesAnything) {
  const Json document{{"a", {{"b", {10, 20}}}}, {"empty", nullptr}};
  EXPECT_THROW(document["x"], Json::exception);
  EXPECT_THROW(document["a"]["b"][2], Json::exception);
  EXPECT_THROW(document["a"]["b"]["c"], Json::exception);
  EXPECT_EQ(document.find("x"), document.end());
  EXPECT_FALSE(document["empty"].contains("x"));
  EXPECT_EQ(document.value("x", "none"), "none");
  EXPECT_EQ(document["a"].value("x", 2.5), 2.5);
  EXPECT_TRUE(document["empty"].items().empty());
  EXPECT_EQ(*find_json_pointer(document, "/a/b/1"), 20);
  EXPECT_EQ(find_json_pointer(document, ""), &document);
  for (const char* missing : {"/x", "/a/b/2", "/a/b/c", "/empty/x", "/a/b/1/x"})
    EXPECT_EQ(find_json_pointer(document, missing), nullptr) << missing;
}

TEST(Json, ValuesOfAnotherTypeAreRefused) {
  EXPECT_THROW(Json("1").get<double>(), Json::exception);
  EXPECT_THROW(Json(true).get<double>(), Json::exception);
  EXPECT_THROW(Json(1).get<bool>(), Json::exception);
  EXPECT_THROW(Json(1).get<std::string>(), Json::exception);
  EXPECT_THROW(Json(1).push_back(2), Json::exception);
  EXPECT_THROW(Json::array({1, "2"}).get<std::vector<int>>(), Json::exception);
  EXPECT_EQ(Json::array({1, 2.0}).get<std::vector<int>>(), (std::vector<int>{1, 2}));
  EXPECT_EQ(Json(2.75).get<int>(), 2);
}

TEST(Json, NumbersAreComparedByValue) {
  EXPECT_EQ(Json(1), Json(1u));
  EXPECT_EQ(Json(1), Json(1.0));
  EXPECT_NE(Json(1), Json(true));
  EXPECT_LT(Json(-1), Json(0.5));
  EXPECT_NE(Json(std::nan("")), Json(std::nan("")));
  EXPECT_EQ(parse_json("[1, {\"a\": 2.0}]", ""), Json::array({1.0, Json{{"a", 2}}}));
  EXPECT_TRUE(parse_json("1", "").is_number_unsigned());
  EXPECT_TRUE(parse_json("-1", "").is_number_integer());
  EXPECT_TRUE(parse_json("1.0", "").is_number_float());
}

TEST(Json, ElementsAreVisitedInOrder) {
  Json document{{"b", 2}, {"a", 1}, {"c", 3}};
  std::string keys;
  for (const auto& [key, value] : document.items()) keys += key + dump_json(value);
  EXPECT_EQ(keys, "a1b2c3");
  for (Json& value : document) value = value.get<int>() + 1;
  EXPECT_EQ(document.front(), 2);
  EXPECT_EQ(document.back(), 4);
  document.erase(document.find("b"));
  EXPECT_EQ(dump_json(document), "{\"a\":2,\"c\":4}");
  Json list{1, 2, 3};
  list.erase(list.begin());
  EXPECT_EQ(*list.begin(), 2);
  EXPECT_EQ(list.size(), 2u);
}

TEST(Json, NumbersAndTextNeedNoConversion) {
  const Json three = 3;
  EXPECT_TRUE(three == 3 && 3 == three && three == 3u && three == 3.0f);
  EXPECT_TRUE(three != 2.5 && three > 2 && 4 >= three);
  EXPECT_FALSE(Json("3") == 3);  // of another type, and no exception
  EXPECT_FALSE(Json(1) == true);
  EXPECT_TRUE(Json(true) == true);
  Json object{{"key", Json::array({7, 8})}};
  const std::string text = "key";
  const char* pointer = "key";
  for (Json* found :
       {&object["key"], &object[text], &object[pointer], &object[std::string_view(text)]})
    EXPECT_EQ(found, &object.at("key"));
  EXPECT_EQ(&std::as_const(object)["key"], &object.at("key"));
  EXPECT_EQ(object["key"][0], 7);
  EXPECT_EQ(object["key"][size_t{1}], 8);
  EXPECT_THROW(std::as_const(object)["key"][-1], Json::out_of_range);
}

TEST(Json, AWatchSeesKeysThatComeTwice) {
  std::string seen;
  const auto watch = [&](JsonEvent event, int depth, const std::string& key) {
    if (event == JsonEvent::kKey) seen += fmt::format("{}{} ", key, depth);
  };
  const Json document = parse_json_watched("{\"a\": {\"b\": [1]}, \"a\": 2}", watch);
  EXPECT_EQ(seen, "a1 b2 a1 ");
  EXPECT_EQ(dump_json(document), "{\"a\":2}");
  EXPECT_FALSE(try_parse_json("{\"a\": ").has_value());
}

}  // namespace
}  // namespace bitlaw
