#include "base/nesting.h"

#include <gtest/gtest.h>

#include <string>

#include "base/config.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(TomlNesting, CountsKeysSectionsAndBrackets) {
  EXPECT_EQ(toml_nesting(""), 0);
  EXPECT_EQ(toml_nesting("a = 1"), 1);
  EXPECT_EQ(toml_nesting("a.b.c = 1.5\nd = 2"), 3);
  EXPECT_EQ(toml_nesting("[a.b]\nc.d = 1"), 4);
  EXPECT_EQ(toml_nesting("[[a.b]]\nc.d = 1\n[e]\nf = 1"), 5);
  EXPECT_EQ(toml_nesting("a = [[1, 2], [3, 4.5]]"), 3);
  EXPECT_EQ(toml_nesting("a.b = {c.d = {e = 1}, f.g.h = 2.5}\ni.j = 1"), 5);
}

TEST(TomlNesting, DotsOfTextsCommentsAndNumbersDoNotCount) {
  EXPECT_EQ(toml_nesting("\"a.b.c\" = 'd.e.f' # g.h.i.j\nk = 1.5"), 1);
  EXPECT_EQ(toml_nesting("a = \"\"\"b.c\n[d]\ne.f.g.h\"\"\"\"\nb = '''\n'''\nc = \"\\\"[[[\""), 1);
  EXPECT_EQ(toml_nesting("a = [1.5, 2.5,\n 3.5] # [[[\nb = 2026-11-29"), 2);
}

// Each went down the stack, some until it overflowed.
TEST(TomlNesting, TooDeepIsAnErrorThatSaysSo) {
  constexpr int kMany = 20000;
  const std::string parts = repeated("a.", kMany) + "a";
  for (const std::string& text :
       {parts + " = 1", "[" + parts + "]\nb = 1", "[[" + parts + "]]\nb = 1",
        "x = {" + parts + " = 1}", "x = " + repeated("{" + repeated("a.", 150) + "a = ", 250),
        "x = " + repeated("[", kMany), "x = " + repeated("[", kMany) + repeated("]", kMany),
        "x = " + repeated("{a = ", kMany), parts}) {
    EXPECT_NE(error_of([&] { parse_toml(text, "file"); }).find("file: is nested more than 200"),
              std::string::npos)
        << text.substr(0, 40);
  }
  Json document = Json::object();
  EXPECT_NE(error_of([&] { apply_override(document, parts + "=1"); }).find("nested more than 200"),
            std::string::npos);
}

TEST(TomlNesting, AHundredLevelsAreRead) {
  const Json document = parse_toml(repeated("a.", 99) + "a = 1", "file");
  const Json* place = &document;
  for (int i = 0; i < 100; ++i) place = &place->at("a");
  EXPECT_EQ(*place, 1);
}

TEST(JsonNesting, EveryReaderHasALimit) {
  const std::string deep = repeated("[", 20000) + repeated("]", 20000),
                    object = repeated("{\"a\":", 20000) + "1" + repeated("}", 20000);
  for (const std::string& text : {deep, object}) {
    EXPECT_NE(error_of([&] { parse_json(text, "file"); }).find("file: is nested more than 200"),
              std::string::npos);
    EXPECT_FALSE(try_parse_json(text));
    EXPECT_THROW(Json::parse(text), Json::exception);
    EXPECT_THROW(parse_json_watched(text, [](JsonEvent, int, const std::string&) {}),
                 Json::exception);
  }
  EXPECT_TRUE(try_parse_json(repeated("[", 200) + repeated("]", 200)));
}

}  // namespace
}  // namespace bitlaw
