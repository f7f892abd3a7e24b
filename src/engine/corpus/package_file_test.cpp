#include "corpus/package_file.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "corpus/package_for_tests.h"

namespace bitlaw {
namespace {

std::map<std::string, std::string> documents_of(const std::filesystem::path& package) {
  PackageReader reader(package);
  std::map<std::string, std::string> out;
  PackedFile file;
  while (reader.next(file)) out[file.path] = file.content;
  EXPECT_FALSE(reader.next(file)) << "the end stays the end";
  return out;
}

TEST(PackageReader, GivesTheDocumentsOfAPackage) {
  const TestFolder folder;
  const std::string large(300'000, 'x');
  folder.write("a.deb", debian_package({{"./usr/share/doc/a.html", "<p>one"},
                                        {"./usr/share/doc/b.htm", ""},
                                        {"./usr/share/doc/c.png", "no text"},
                                        {"./usr/share/perl/d.pod", large}}));
  const std::map<std::string, std::string> expected = {{"usr/share/doc/a.html", "<p>one"},
                                                       {"usr/share/perl/d.pod", large}};
  EXPECT_EQ(documents_of(folder / "a.deb"), expected);
}

TEST(PackageReader, RefusesWhatIsNoWholePackage) {
  const TestFolder folder;
  std::string noise;
  for (int i = 0; i < 200'000; ++i) noise += static_cast<char>((i * i * 2654435761U) >> 13);
  const std::string whole = debian_package({{"a.html", noise}});
  folder.write("empty.deb", "");
  folder.write("text.deb", "this is no package");
  folder.write("half.deb", whole.substr(0, whole.size() / 2));
  folder.write("no_data.deb", package_for_tests::packed({{"debian-binary", "2.0\n"}},
                                                        archive_write_set_format_ar_svr4,
                                                        archive_write_add_filter_none));
  for (const char* name : {"empty.deb", "text.deb", "half.deb", "no_data.deb", "missing.deb"}) {
    const std::string message = error_of([&] { documents_of(folder / name); });
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_NE(message.find("not a Debian package that can be read"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace bitlaw
