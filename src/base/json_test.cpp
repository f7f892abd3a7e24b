#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

}  // namespace
}  // namespace bitlaw
