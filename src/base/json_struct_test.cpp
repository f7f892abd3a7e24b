#include "base/json_struct.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

struct Part {
  int id = 0;
  std::optional<std::string> name;
  bool operator==(const Part&) const = default;
  template <class V>
  void visit(V& v) {
    v("id", id);
    v("name", name);
  }
};

struct Whole {
  double loss = kNoNumber;
  double late = kNoNumber;
  bool on = false;
  std::optional<Part> part;
  std::vector<Part> parts;
  std::vector<double> numbers;
  std::string hash;
  Json options = Json::object();
  template <class V>
  void visit(V& v) {
    v("loss", loss);
    v.known("late", late);
    v("on", on);
    v("part", part);
    v("parts", parts);
    v("numbers", numbers);
    v.known("hash", hash);
    v("options", options);
  }
};

TEST(JsonStruct, IsReadBackAsItWasWritten) {
  Whole whole;
  whole.on = true;
  whole.parts = {{1, "a"}, {2, std::nullopt}};
  whole.numbers = {0.1, 3};
  whole.options["x"] = 1;
  const Json document = struct_to_json(whole);
  EXPECT_EQ(dump_json(document),
            R"({"loss":null,"numbers":[0.1,3.0],"on":true,"options":{"x":1},"part":null,)"
            R"("parts":[{"id":1,"name":"a"},{"id":2,"name":null}]})");
  const auto back = struct_from_json<Whole>(document, "f");
  EXPECT_TRUE(std::isnan(back.loss));
  EXPECT_EQ(back.parts, whole.parts);
  EXPECT_EQ(struct_to_json(back), document);
  whole.late = 2;
  whole.hash = "ab";
  whole.part = Part{3, "c"};
  EXPECT_EQ(struct_to_json(struct_from_json<Whole>(struct_to_json(whole), "f")),
            struct_to_json(whole));
}

TEST(JsonStruct, NamesWhatIsMissingOrOfAnotherTypeAndPassesOverTheRest) {
  Json document = struct_to_json(Whole{});
  document["later"] = "unknown";
  EXPECT_NO_THROW(struct_from_json<Whole>(document, "f"));
  const auto refused = [](const Json& damaged) {
    return error_of([&] { struct_from_json<Whole>(damaged, "f"); });
  };
  Json damaged = document;
  damaged.erase("loss");
  EXPECT_EQ(refused(damaged), "f: loss is missing");
  damaged = document;
  damaged["parts"] = {{{"id", int64_t{1} << 40}}};
  EXPECT_EQ(refused(damaged), "f: parts[0].id must be -2147483648..2147483647, not 1099511627776");
  damaged = document;
  damaged["late"] = "never";
  EXPECT_EQ(refused(damaged), "f: late must be a number, not \"never\"");
}

}  // namespace
}  // namespace bitlaw
