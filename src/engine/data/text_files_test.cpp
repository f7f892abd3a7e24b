#include "data/text_files.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/test_folder.h"
#include "data/documents.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const TestFolder& folder, const fs::path& root) {
  std::vector<std::string> names;
  for (const TextFile& file : search_text_files({root.string()}).files)
    names.push_back(file.path.lexically_relative(folder.path()).string());
  return names;
}

using Names = std::vector<std::string>;

TEST(TextFiles, LinksToFoldersAreFollowed) {
  TestFolder folder;
  folder.write("corpus/a/1.txt", "one");
  folder.write("elsewhere/2.txt", "two");
  folder.write("elsewhere/deep/3.txt", "three");
  fs::create_directory_symlink(folder / "elsewhere", folder / "corpus/b");
  EXPECT_EQ(names_in(folder, folder / "corpus"),
            (Names{"corpus/a/1.txt", "corpus/b/2.txt", "corpus/b/deep/3.txt"}));
  EXPECT_EQ(names_in(folder, folder / "corpus/b"),
            (Names{"corpus/b/2.txt", "corpus/b/deep/3.txt"}));
  EXPECT_EQ(search_text_files({(folder / "corpus").string()}).files[1].source, "b");
}

TEST(TextFiles, EveryFolderIsReadOnceAlsoWithLinksInACircle) {
  TestFolder folder;
  folder.write("corpus/a/1.txt", "one");
  folder.write("corpus/m/2.txt", "two");
  folder.write("elsewhere/3.txt", "three");
  fs::create_directory_symlink(folder / "corpus", folder / "corpus/a/up");
  fs::create_directory_symlink(folder / "corpus/m", folder / "corpus/a/0");  // sorts before m
  fs::create_directory_symlink(folder / "elsewhere", folder / "corpus/x");
  fs::create_directory_symlink(folder / "elsewhere", folder / "corpus/y");
  fs::create_directory_symlink(folder / "corpus", folder / "elsewhere/back");
  EXPECT_EQ(names_in(folder, folder / "corpus"),
            (Names{"corpus/a/1.txt", "corpus/m/2.txt", "corpus/x/3.txt"}));
}

TEST(TextFiles, ALinkToNothingIsAnError) {
  TestFolder folder;
  folder.write("a.txt", "one");
  fs::create_directory_symlink(folder / "unmounted", folder / "b");
  const std::string error = error_of([&] { search_text_files({folder.string()}); });
  EXPECT_NE(error.find("/b: is a link to "), std::string::npos) << error;
  EXPECT_NE(error.find("which does not exist"), std::string::npos) << error;
}

TEST(TextFiles, SuffixesAreReadInAnyCase) {
  TestFolder folder;
  for (const char* name : {"a.TXT", "b.JSONL", "c.jsonlines", "d.Txt.gz"})
    folder.write(name, "one");
  EXPECT_EQ(names_in(folder, folder.path()),
            (Names{"a.TXT", "b.JSONL", "c.jsonlines", "d.Txt.gz"}));
}

TEST(TextFiles, WhatIsLeftOutIsCountedBySuffix) {
  TestFolder folder;
  folder.write("a.txt", "one");
  folder.write("b.md", "two");
  folder.write("c.md.gz", "three");
  folder.write("d.parquet", "four");
  folder.write("e.json", R"({"model_type": "llama"})");
  const TextFiles found = search_text_files({folder.string()});
  EXPECT_EQ(found.files.size(), 1u);
  EXPECT_EQ(left_out_sentence(found.others),
            "4 other files were left out of the text: 2 .md, 1 .json, 1 .parquet");
}

TEST(TextFiles, KindsThatAreNotTextAreNamed) {
  TestFolder folder;
  for (const auto& [name, words] :
       {std::pair{"a.parquet", "is a Parquet table"}, std::pair{"a.pdf", "is a PDF document"},
        std::pair{"a.tar.gz", "is an archive"}, std::pair{"a.csv", "is a table"}}) {
    folder.write(name, "x");
    const std::string place = (folder / name).string();
    EXPECT_NE(error_of([&] { search_text_files({place}); }).find(words), std::string::npos) << name;
  }
  fs::remove(folder / "a.csv"), fs::remove(folder / "a.pdf"), fs::remove(folder / "a.tar.gz");
  const std::string error = error_of([&] { search_text_files({folder.string()}); });
  EXPECT_NE(error.find("contains no .txt or .jsonl"), std::string::npos) << error;
  EXPECT_NE(error.find("Parquet"), std::string::npos) << error;
}

TEST(TextFiles, KindsThatAreNotTextAreNamedByTheirContent) {
  TestFolder folder;
  const auto error_for = [&](const std::string& content) {
    folder.write("a.jsonl", content);
    return error_of([&] { open_text(folder / "a.jsonl"); });
  };
  EXPECT_NE(error_for("PAR1 and so on").find("a.jsonl: is a Parquet file"), std::string::npos);
  EXPECT_NE(
      error_for("version https://git-lfs.github.com/spec/v1\noid sha256:0\n").find("git lfs pull"),
      std::string::npos);
  EXPECT_EQ(error_for("<html> may be the text"), "");
  EXPECT_EQ(error_for("version 1 of a text"), "");
}

TEST(TextFiles, AJsonFileOfAFolderCountsIfItHoldsDocuments) {
  TestFolder folder;
  folder.write("lines.json", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
  folder.write("list.json", "[{\"text\": \"three\"}]");
  folder.write("settings.json", "{\"version\": 3}");
  EXPECT_EQ(search_text_files({folder.string()}).files.size(), 2u);
  TestFolder other;
  other.write("a.json", R"([{"content": "some text"}])");
  const std::string error = error_of([&] { search_text_files({other.string()}); });
  EXPECT_NE(error.find("--text-key content"), std::string::npos) << error;
  EXPECT_EQ(search_text_files({other.string()}, "content").files.size(), 1u);
}

}  // namespace
}  // namespace bitlaw
