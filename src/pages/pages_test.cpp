#include "pages/pages.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/source_folder.h"

namespace bitlaw {
namespace {

TEST(Pages, AreTheFilesOfTheirFolder) {
  const auto folder = std::filesystem::path(kSourceFolder) / BITLAW_PAGES;
  ASSERT_FALSE(page_files().empty());
  for (const PageFile& file : page_files()) {
    EXPECT_EQ(read_file(folder / file.name), file.bytes) << file.name;
    EXPECT_EQ(page_file(file.name), file.bytes);
  }
}

TEST(Pages, AnUnknownNameIsAnError) {
  EXPECT_THROW(page_file("../planner.html"), Error);
}

TEST(Pages, DataCannotLeaveTheirElement) {
  const std::string page = R"(<script id="a" type="application/json"></script>)"
                           R"(<script id="b" type="application/json"></script>)";
  const std::string filled = page_with(page, "b", Json("</script><!--<script>"));
  EXPECT_EQ(filled.find("</script><!--"), std::string::npos);
  const std::string begin = R"(<script id="b" type="application/json">)";
  const size_t from = filled.find(begin) + begin.size();
  const size_t to = filled.find("</script>", from);
  EXPECT_EQ(parse_json(filled.substr(from, to - from), "the page"), Json("</script><!--<script>"));
  EXPECT_EQ(filled.substr(0, from), page.substr(0, from));
}

}  // namespace
}  // namespace bitlaw
