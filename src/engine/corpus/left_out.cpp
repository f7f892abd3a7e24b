// In place of package_file.cpp and html_paragraphs.cpp in a build without libarchive and libxml2.
#include "corpus/package_file.h"
#include "corpus/paragraphs.h"

namespace bitlaw {

struct PackageReader::Archives {};

void check_packages_can_be_read() {
  throw Error(
      "this build of bitlaw leaves out `data corpus`, for which libarchive and libxml2 are needed; "
      "build bitlaw from "
      "its source, or prepare text of your own with `bitlaw data prepare`");
}

PackageReader::PackageReader(const std::filesystem::path&) {
  check_packages_can_be_read();
}

PackageReader::~PackageReader() = default;

bool PackageReader::next(PackedFile&) {
  return false;
}

std::vector<std::string> html_paragraphs(std::string_view) {
  check_packages_can_be_read();
  return {};
}

}  // namespace bitlaw
