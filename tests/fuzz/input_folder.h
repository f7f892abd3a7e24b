// For readers that take a directory: a temporary folder in which files by several names are the
// input of the moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>

#include "base/test_folder.h"

namespace bitlaw {

class InputFolder {
 public:
  // `names`: paths below the folder, all of which are the input.
  explicit InputFolder(std::initializer_list<std::string> names) {
    for (const std::string& name : names) {
      std::filesystem::create_directories((folder_ / name).parent_path());
      std::filesystem::create_symlink(folder_ / "input", folder_ / name);
    }
  }

  void set(const uint8_t* data, size_t size) const {
    std::ofstream(folder_ / "input", std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  const std::filesystem::path& path() const { return folder_.path(); }
  const TestFolder& folder() const { return folder_; }

 private:
  TestFolder folder_;
};

}  // namespace bitlaw
