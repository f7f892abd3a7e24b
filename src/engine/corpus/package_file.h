// The files inside a Debian package (.deb), read without unpacking it to disk.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"

namespace bitlaw {

class DamagedPackage : public Error {
 public:
  using Error::Error;
};

struct PackedFile {
  std::string path;  // without a leading "./"
  std::string content;
};

// Error where this build leaves out what reads packages (BITLAW_CORPUS in CMakeLists.txt).
void check_packages_can_be_read();

class PackageReader {
 public:
  // DamagedPackage, naming the file, if it is no Debian package.
  explicit PackageReader(const std::filesystem::path& package);
  ~PackageReader();

  // The next regular file that is_copyright() (licenses.h) or whose name ends in .html, .htm or .pod, in the
  // package's order; false at the end. Files larger than kLargestPackedFile are left out. DamagedPackage if it ends early.
  bool next(PackedFile& file);

 private:
  struct Archives;
  std::unique_ptr<Archives> archives_;
};

inline constexpr size_t kLargestPackedFile = size_t{64} << 20;

}  // namespace bitlaw
