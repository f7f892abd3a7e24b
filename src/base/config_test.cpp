#include "base/config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace bitlaw {
namespace {

struct Inner {
  double rate = 0.5;
  bool flag = false;

  template <class V>
  void visit(V& v) {
    v("rate", rate, "a rate");
    v("flag", flag, "a flag");
  }
};

struct Options {
  int64_t steps = 10;
  std::string name = "default";
  std::vector<int64_t> sizes{1, 2};
  Inner inner;

  template <class V>
  void visit(V& v) {
    v("steps", steps, "how many");
    v("name", name, "what it is called");
    v("sizes", sizes, "a list");
    v("inner", inner, "a section");
  }
};

Options from(const std::string& toml) {
  Options options;
  fill(options, parse_toml(toml, "test.toml"), "test.toml");
  return options;
}

std::string error_of(const std::string& toml) {
  try {
    from(toml);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Config, WhatADocumentNamesIsOverwrittenAndNothingElse) {
  const Options options = from("steps = 20\nsizes = [3, 4, 5]\n[inner]\nflag = true");
  EXPECT_EQ(options.steps, 20);
  EXPECT_EQ(options.name, "default");
  EXPECT_EQ(options.sizes, (std::vector<int64_t>{3, 4, 5}));
  EXPECT_EQ(options.inner.rate, 0.5);
  EXPECT_TRUE(options.inner.flag);
}

TEST(Config, ValuesAreTakenFromTheirNaturalSpellings) {
  EXPECT_EQ(from("steps = 1e3").steps, 1000);
  EXPECT_EQ(from("inner.rate = 2").inner.rate, 2.0);
  EXPECT_EQ(from("sizes = 7").sizes, std::vector<int64_t>{7});  // one value means a list of one
  EXPECT_EQ(from("sizes = []").sizes, std::vector<int64_t>{});
  EXPECT_EQ(from("name = 4").name, "4");
}

TEST(Config, UnknownKeysNameTheNearestKnown) {
  EXPECT_EQ(error_of("stepz = 1"), "test.toml: unknown key 'stepz'; did you mean 'steps'?");
  EXPECT_EQ(error_of("[inner]\nrat = 1"),
            "test.toml: unknown key 'inner.rat'; did you mean 'inner.rate'?");
  EXPECT_EQ(error_of("[inner]\nelephant = 1"),
            "test.toml: unknown key 'inner.elephant'; known: inner.rate, inner.flag");
}

TEST(Config, WrongTypesNameTheKeyAndWhatItTakes) {
  EXPECT_EQ(error_of("steps = 1e300"), "test.toml: steps must be a smaller number, not 1e+300");
  EXPECT_EQ(error_of("steps = -1e300"), "test.toml: steps must be a larger number, not -1e+300");
  EXPECT_EQ(error_of("steps = inf"), "test.toml: steps must be a smaller number, not null");
  EXPECT_EQ(error_of("steps = 1.5"), "test.toml: steps must be a whole number, not 1.5");
  EXPECT_EQ(error_of("steps = \"many\""), "test.toml: steps must be a whole number, not \"many\"");
  EXPECT_EQ(error_of("name = true"), "test.toml: name must be text, not true");
  EXPECT_EQ(error_of("inner = 3"), "test.toml: inner must be a section, not 3");
  EXPECT_EQ(error_of("inner.rate = \"fast\""),
            "test.toml: inner.rate must be a number, not \"fast\"");
  EXPECT_EQ(error_of("inner.flag = 1"), "test.toml: inner.flag must be true or false, not 1");
  EXPECT_EQ(error_of("sizes = [1, \"two\"]"),
            "test.toml: sizes must be a whole number, not \"two\"");
}

TEST(Config, MistakesInTomlNameTheirLine) {
  EXPECT_NE(error_of("steps = 1\nname = = 2").find("test.toml: line 2"), std::string::npos);
}

TEST(Config, OverridesAreReadAsTomlOrElseAsText) {
  Json document = Json::object();
  for (const char* assignment :
       {"steps=30", "inner.rate=1e-3", "inner.flag=true", "sizes=[8, 9]", "name=plain words"}) {
    apply_override(document, assignment);
  }
  Options options;
  fill(options, document, "the command line");
  EXPECT_EQ(options.steps, 30);
  EXPECT_EQ(options.inner.rate, 1e-3);
  EXPECT_TRUE(options.inner.flag);
  EXPECT_EQ(options.sizes, (std::vector<int64_t>{8, 9}));
  EXPECT_EQ(options.name, "plain words");
  EXPECT_THROW(apply_override(document, "steps"), Error);
  EXPECT_THROW(apply_override(document, "=3"), Error);
}

TEST(Config, TheResolvedOptionsReadBackAreTheSame) {
  Options options = from("steps = 12345678901\nname = \"a \\\"quoted\\\" name\"\nsizes = [1]");
  options.inner.rate = 0.1 + 0.2;  // needs 17 digits
  const Json document = to_json(options);
  EXPECT_EQ(to_json(from(dump_toml(document))), document);
}

TEST(Config, KeysAreListedWithHelpAndDefaults) {
  const std::vector<ConfigKey> keys = config_keys<Options>();
  ASSERT_EQ(keys.size(), 5u);
  EXPECT_EQ(keys[0].name, "steps");
  EXPECT_EQ(keys[0].help, "how many");
  EXPECT_EQ(keys[0].value, Json(10));
  EXPECT_EQ(keys[3].name, "inner.rate");
}

TEST(Config, FilesMayBeTomlOrJson) {
  const std::filesystem::path directory = testing::TempDir();
  write_file_atomically(directory / "bitlaw_options.toml", "steps = 4");
  write_file_atomically(directory / "bitlaw_options.json", "{\"steps\": 4}");
  EXPECT_EQ(read_toml(directory / "bitlaw_options.toml"),
            read_toml(directory / "bitlaw_options.json"));
  EXPECT_THROW(read_toml(directory / "bitlaw_missing.toml"), Error);
}

}  // namespace
}  // namespace bitlaw
