#include "corpus/corpus.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/file_lock.h"
#include "base/json.h"
#include "base/test_folder.h"
#include "base/text.h"
#include "corpus/package_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string prose(const std::string& which) {
  return "This is the " + which +
         " of the paragraphs that are written here only so that there is some prose for the test";
}
const std::string kShared =
    "And there is one more of them in every one of the packages, which has to be kept in only one";

// Hands out $PACKAGES/NAME.deb and writes down each download; fails as apt-get does otherwise. With a
// file $PACKAGES/only-own-lists, lists must have been fetched to the directory that was given for them.
// $PACKAGES/trouble is what it says when a package cannot be fetched.
constexpr const char* kAptGet = R"(#!/bin/sh
for name; do :; done
if [ -e "$PACKAGES/only-own-lists" ]; then
  state=; for word; do case "$word" in Dir::State=*) state="${word#Dir::State=}";; esac; done
  case " $* " in
    *" update "*) cd / && echo list > "$state/lists/list"; exit;;
    *" download "*) cd / && [ -n "$state" ] && [ -e "$state/lists/list" ] || exit 100; cd - >&2;;
  esac
fi
if [ -e "$PACKAGES/trouble" ]; then
  case " $* " in
    *" download "*) echo "$name" >> "$PACKAGES/tries"; cat "$PACKAGES/trouble" >&2; exit 100;;
  esac
fi
case " $* " in *" --version "*) exit 0;; *" update "*) echo "E: no network" >&2; exit 100;; esac
if [ -e "$PACKAGES/$name.deb" ]; then
  echo "$name" >> "$PACKAGES/log"; cp "$PACKAGES/$name.deb" "./${name}_1.0_all.deb"; exit 0
fi
echo "E: Unable to locate package $name" >&2; exit 100
)";

class CorpusTest : public testing::Test {
 protected:
  CorpusTest() {
    folder_.write("bin/apt-get", kAptGet);
    ::chmod((folder_ / "bin/apt-get").c_str(), 0755);
    old_path_ = std::getenv("PATH");
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + old_path_).c_str(), 1);
    ::setenv("PACKAGES", packages().c_str(), 1);
    fs::create_directories(packages());
  }
  ~CorpusTest() override {
    ::setenv("PATH", old_path_.c_str(), 1);
    ::unsetenv("PACKAGES");
  }

  std::string packages() const { return (folder_ / "packages").string(); }
  std::string to() const { return (folder_ / "text").string(); }

  void add_package(const std::string& name, const std::map<std::string, std::string>& files) const {
    folder_.write("packages/" + name + ".deb", debian_package(files));
  }
  void add_packages() const {
    add_package("perl-doc", {{"usr/a.pod", "=pod\n\n" + prose("first") + "\n\n" + kShared}});
    add_package("python3.13-doc", {{"usr/a.html", "<p>" + prose("second") + "<p>" + kShared},
                                   {"usr/b.html", "<p>short"}});
    add_package("git-doc", {{"usr/share/doc/git-doc/copyright", "License: GPL-2\n"},
                            {"usr/a.html", "<p>" + prose("third") + "<p>" + prose("FIRST") + "!"}});
  }

  Corpus make(int64_t bytes = 100'000) const { return make_corpus({.to = to(), .bytes = bytes}); }

  static std::vector<std::string> lines_of(const fs::path& path) {
    std::vector<std::string> lines = split(read_file(path), '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }

  // Path and text of every document, by file.
  std::map<std::string, std::string> texts() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(to())) {
      if (entry.path().extension() != ".jsonl") continue;
      for (const std::string& line : lines_of(entry.path())) {
        const Json document = parse_json(line, "line");
        out[entry.path().stem().string() + ":" + document.at("path").get<std::string>()] =
            document.at("text").get<std::string>();
      }
    }
    return out;
  }
  std::vector<std::string> downloads() const {
    const fs::path log = folder_ / "packages/log";
    return fs::exists(log) ? lines_of(log) : std::vector<std::string>{};
  }

  TestFolder folder_;
  std::string old_path_;
};

TEST_F(CorpusTest, KeepsEveryParagraphOnceAndTakesThePackageThatTheReleaseHas) {
  add_packages();
  const Corpus corpus = make();
  const std::map<std::string, std::string> expected = {
      {"perl-doc:usr/a.pod", prose("first") + "\n\n" + kShared + "\n"},
      {"python3.11-doc:usr/a.html", prose("second") + "\n"},
      {"git-doc:usr/a.html", prose("third") + "\n"}};
  EXPECT_EQ(texts(), expected);
  ASSERT_EQ(corpus.parts.size(), 3U);
  EXPECT_EQ(corpus.parts[1].package, "python3.13-doc_1.0_all.deb");
  EXPECT_EQ(corpus.parts[2].repeated, 1);
  EXPECT_EQ(corpus.files.size(), 3U);
  EXPECT_EQ(read_corpus_list(to()).at(2).licenses, std::vector<std::string>{"GPL-2"});
  EXPECT_TRUE(corpus.parts[0].licenses.empty());
  EXPECT_FALSE(corpus.unreachable.empty());
  EXPECT_NE(corpus.unreachable.front().find("postgresql-doc-15: "), std::string::npos);
  EXPECT_FALSE(fs::exists(fs::path(to()) / ".work"));
  EXPECT_FALSE(fs::exists(fs::path(to()) / ".packages"));
}

TEST_F(CorpusTest, StopsWhenThereIsEnough) {
  add_packages();
  const Corpus corpus = make(100);
  EXPECT_EQ(corpus.parts.size(), 1U);
  EXPECT_TRUE(corpus.unreachable.empty());
}

TEST_F(CorpusTest, ReadsNothingTwice) {
  add_packages();
  make();
  const auto before = downloads();
  const auto text = texts();
  EXPECT_EQ(before.size(), 3U);
  EXPECT_EQ(make().parts.size(), 3U);
  EXPECT_EQ(downloads(), before);
  EXPECT_EQ(texts(), text);
}

TEST_F(CorpusTest, MakesAgainWhatIsNotAsItWasLeft) {
  add_packages();
  make();
  const auto text = texts();
  folder_.write("text/git-doc.jsonl", "{\"text\": \"edited\"}\n");
  make();
  EXPECT_EQ(texts(), text);
  EXPECT_EQ(downloads().size(), 4U);
}

TEST_F(CorpusTest, GoesOnAfterAFailureWithTheSameText) {
  add_packages();
  make();
  const auto whole = texts();
  fs::remove_all(to());
  const std::string package = read_file(folder_ / "packages/git-doc.deb");
  folder_.write("packages/git-doc.deb", package.substr(0, package.size() / 2));
  const std::string message = error_of([&] { make(); });
  EXPECT_NE(message.find("git-doc_1.0_all.deb: not a Debian package that can be read"),
            std::string::npos)
      << message;
  folder_.write("packages/git-doc.deb", package);
  make();
  EXPECT_EQ(texts(), whole);
}

TEST_F(CorpusTest, CutsLongPagesBetweenParagraphs) {
  std::string page = "<body>";
  for (int i = 0; i < 2500; ++i) page += "<p>" + prose("number " + std::to_string(i));
  add_package("perl-doc", {{"usr/long.html", page}});
  const Corpus corpus = make(100);
  EXPECT_GT(corpus.parts[0].documents, 5);
  EXPECT_EQ(corpus.parts[0].paragraphs, 2500);
  for (const auto& [place, text] : texts()) {
    EXPECT_TRUE(text.starts_with("This is the number ")) << place;
    EXPECT_GT(text.size(), 10'000U) << place;
  }
}

TEST_F(CorpusTest, SaysWhyNothingCanBeFetched) {
  const std::string message = error_of([&] { make(); });
  EXPECT_NE(message.find("apt cannot fetch the documentation packages (perl-doc: no network)"),
            std::string::npos)
      << message;
  ::setenv("PATH", (folder_ / "nothing").c_str(), 1);
  EXPECT_NE(error_of([&] { make(); }).find("apt-get is not on this system"), std::string::npos);
}

// apt-get would take a relative directory as one below `/`.
TEST_F(CorpusTest, FetchesListsOfItsOwnForAFolderByARelativePath) {
  add_packages();
  folder_.write("packages/only-own-lists", "");
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  std::string message;
  size_t parts = 0;
  message = error_of([&] { parts = make_corpus({.to = "text", .bytes = 100}).parts.size(); });
  fs::current_path(before);
  EXPECT_EQ(message, "");
  EXPECT_EQ(parts, 1U);
}

TEST_F(CorpusTest, StopsWhereNoServerAnswers) {
  folder_.write("packages/trouble",
                "Err:1 http://deb.debian.org perl-doc\n"
                "  Temporary failure resolving 'deb.debian.org'\n"
                "E: Failed to fetch http://deb.debian.org/perl-doc.deb\n");
  const std::string message = error_of([&] { make(); });
  EXPECT_NE(message.find("Temporary failure resolving 'deb.debian.org')"), std::string::npos)
      << message;
  // Those after the first few are not tried: each takes apt-get half a minute.
  EXPECT_LE(lines_of(folder_ / "packages/tries").size(), 12U);
}

TEST_F(CorpusTest, AFullDiskStopsIt) {
  add_packages();
  make(100);
  folder_.write(
      "packages/trouble",
      "E: Failed to fetch http://deb.debian.org/a.deb  Error writing to file - write (28: "
      "No space left on device)\n");
  const std::string message = error_of([&] { make(); });
  EXPECT_NE(message.find("the disk is full"), std::string::npos) << message;
  EXPECT_EQ(texts().size(), 1U) << "what is finished stays";
}

TEST_F(CorpusTest, IsMadeByOneProcessAtATime) {
  add_packages();
  fs::create_directories(to());
  FileLock lock;
  ASSERT_TRUE(lock.take(fs::path(to()) / ".lock"));
  EXPECT_THROW(make(), Busy);
}

TEST_F(CorpusTest, RefusesSizesThatCannotBe) {
  EXPECT_NE(error_of([&] { make(0); }).find("must be above 0"), std::string::npos);
  EXPECT_NE(error_of([&] { make(900'000'000); }).find("900 MB of text: the listed packages give"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
