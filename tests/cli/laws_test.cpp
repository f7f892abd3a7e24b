// The output of `bitlaw laws`; docs/laws.md must equal it.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/source_folder.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

using Laws = World;

TEST_F(Laws, JsonHasEveryLawOfTheRegistry) {
  const Json list = json_of({"laws", "--json"}).at("laws");
  std::vector<std::string> names;
  for (const Json& law : list) {
    names.push_back(law.at("name"));
    SCOPED_TRACE(names.back());
    for (const char* text : {"title", "source", "equation", "formula", "quantity"})
      EXPECT_NE(law.at(text).get<std::string>(), "") << text;
    EXPECT_TRUE(law.at("uses_bits").is_boolean());
    EXPECT_EQ(law.at("formula").get<std::string>().find(law.at("equation").get<std::string>()), 0u);
    ASSERT_FALSE(law.at("parameters").empty());
    for (const char* kind : {"parameters", "class_parameters"}) {
      for (const Json& parameter : law.at(kind)) {
        EXPECT_NE(parameter.at("meaning").get<std::string>(), "") << parameter;
        EXPECT_LT(parameter.at("low").get<double>(), parameter.at("high").get<double>());
      }
    }
    for (const Json& set : law.at("constants")) {
      EXPECT_NE(set.at("source").get<std::string>(), "");
      for (const Json& parameter : law.at("parameters"))
        EXPECT_TRUE(set.at("values").contains(parameter.at("name").get<std::string>()))
            << parameter;
    }
  }
  for (const char* name :
       {"chinchilla", "kumar", "kumar-no-offsets", "quest", "quartet", "panferov", "frantar-eff",
        "chen-qat", "sun-fp", "ouyang-qid", "apple-qat-fraction", "gadre", "muennighoff", "kaplan",
        "additive-exp", "additive-class"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  // The list for people names the same.
  const Outcome plain = run({"laws"});
  EXPECT_EQ(plain.status, 0) << plain.err;
  for (const std::string& name : names) EXPECT_NE(plain.out.find(name), std::string::npos) << name;
}

TEST_F(Laws, ShowExplainsOne) {
  const Json law = json_of({"laws", "show", "quest", "--json"});
  EXPECT_EQ(law.at("name"), "quest");
  EXPECT_EQ(law.at("constants")[0].at("values").at("eff[W4A4]"), 0.691832);
  const Outcome plain = run({"laws", "show", "quest"});
  EXPECT_EQ(plain.status, 0) << plain.err;
  for (const char* part : {"L = A/(N eff[class])^alpha", "arXiv 2502.05003", "beta", "0.691832"})
    EXPECT_NE(plain.out.find(part), std::string::npos) << part;
}

TEST_F(Laws, AWrongNameIsAnsweredWithTheNearest) {
  expect_refused({"laws", "show", "kumer"}, {"kumer", "kumar"});
  expect_refused({"laws", "show", "zzzzzzzz"}, {"zzzzzzzz", "bitlaw laws"});
  expect_refused({"laws", "--json", "--markdown"}, {"--json", "--markdown"});
}

TEST_F(Laws, DocsAreWhatItPrints) {
  const Outcome markdown = run({"laws", "--markdown"});
  EXPECT_EQ(markdown.status, 0) << markdown.err;
  EXPECT_EQ(markdown.out, read_file(kSourceFolder + std::string("/docs/laws.md")))
      << "run: bitlaw laws --markdown > docs/laws.md";
}

}  // namespace
}  // namespace bitlaw
