#include "data/json_documents.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

using Texts = std::vector<std::string>;

struct Read {
  Texts texts, places;
};

Read read(const std::string& name, const std::string& content, const std::string& key = "text") {
  TestFolder folder;
  folder.write(name, content);
  Read out;
  read_documents(
      {(folder / name).string()},
      [&](Document&& document) {
        out.texts.push_back(document.text);
        out.places.push_back(document.place.substr(folder.string().size() + 1));
      },
      key);
  return out;
}

TEST(JsonDocuments, ListsLinesAndObjectsOverLinesAreTheSame) {
  const Texts expected{"one [1]", "two \"{\" \\", "three\nlines"};
  const std::string one = R"({"text": "one [1]", "n": [1, {"a": "]"}]})",
                    two = R"({"text": "two \"{\" \\"})", three = R"({"text": "three\r\nlines"})";
  for (const std::string& content : {"[" + one + "," + two + "," + three + "]",
                                     "\n [ " + one + " ,\n" + two + "\n,\n" + three + "\n]\n",
                                     one + "\n" + two + "\n" + three + "\n", one + two + three}) {
    EXPECT_EQ(read("a.json", content).texts, expected) << content;
  }
  EXPECT_EQ(read("a.jsonl", "[" + one + "," + two + "," + three + "]").texts, expected);
  EXPECT_EQ(read("a.ndjson", one + "\n\n" + two + "\n" + three).texts, expected);
  EXPECT_EQ(read("a.json", "{\n \"text\": \"a\"\n}\n{\n \"text\": \"b\"\n}\n").places,
            (Texts{"a.json:1", "a.json:4"}));
  EXPECT_EQ(read("a.json", "[" + one + "," + two + "]").places, (Texts{"a.json#1", "a.json#2"}));
  EXPECT_EQ(read("a.json", R"(["a", "b c"])").texts, (Texts{"a", "b c"}));
  EXPECT_EQ(read("a.json", "[]").texts, Texts{});
}

TEST(JsonDocuments, AnyCutBetweenReadsGivesTheSame) {
  // Longer than one read, so that the cuts fall inside texts and between escapes.
  Json list = Json::array();
  for (int i = 0; i < 4000; ++i)
    list.push_back(
        {{"text", std::string(static_cast<size_t>(i % 97), '"') + "\\ {[ " + std::to_string(i)}});
  const Texts texts = read("a.json", list.dump()).texts;
  ASSERT_EQ(texts.size(), 4000u);
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], list[i]["text"].get<std::string>());
}

TEST(JsonDocuments, AnotherKeyIsNamedOrGiven) {
  const std::string line = R"({"id": "7", "n": 3, "content": "the text of it"})";
  for (const char* name : {"a.jsonl", "a.json"}) {
    const std::string error = error_of([&] { read(name, line); });
    EXPECT_NE(error.find("has no key \"text\"; there is text under content, id"), std::string::npos)
        << error;
    EXPECT_NE(error.find("--text-key content"), std::string::npos) << error;
    EXPECT_EQ(read(name, line, "content").texts, Texts{"the text of it"});
  }
  const std::string chat =
      R"({"turns": [{"role": "user", "content": "Ask?"}, {"role": "me", "content": "Answer."}]})";
  EXPECT_NE(error_of([&] { read("a.jsonl", chat); }).find("--text-key turns.content"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read("a.jsonl", chat, "turns"); }).find("no text under the key"),
            std::string::npos);
  EXPECT_EQ(read("a.jsonl", chat, "turns.content").texts, Texts{"Ask?\nAnswer."});
  EXPECT_EQ(read("a.jsonl", R"({"a.b": "dotted", "a": {"b": "inner"}})", "a.b").texts,
            Texts{"dotted"});
  EXPECT_EQ(read("a.jsonl", R"({"a": {"b": ["x", "y"]}})", "a.b").texts, Texts{"x\ny"});
  EXPECT_NE(error_of([&] { read("a.jsonl", R"({"n": 3})"); }).find("no key of it holds text"),
            std::string::npos);
}

TEST(JsonDocuments, DamageIsNamedWithItsPlace) {
  EXPECT_NE(error_of([] { read("a.json", R"([{"text": "x"}, {"text": )"); }).find("not complete"),
            std::string::npos);
  EXPECT_NE(error_of([] { read("a.json", R"([{"text": "x"})"); }).find("inside a list"),
            std::string::npos);
  EXPECT_NE(error_of([] { read("a.json", "[{\"text\": \"x\"}, 7]"); }).find("a.json#2: expected"),
            std::string::npos);
  EXPECT_NE(error_of([] { read("a.json", "nonsense"); }).find("a.json:1: expected"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
