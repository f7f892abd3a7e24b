// Counts how often a file with a final name is put in place. Results and cells are written by
// renaming, once each, so a second arrival is a job that was done twice.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace bitlaw {

class Arrivals {
 public:
  Arrivals();
  ~Arrivals();
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  // Counts what arrives in a directory from now on, or only the file `name`. Creates the directory
  // if needed.
  void watch(const std::filesystem::path& directory, const std::string& name = "");

  // By path; what was counted up to now.
  const std::map<std::string, int>& counts();
  // The paths that came more than once, one a line; "" if none did.
  std::string doubled();

 private:
  int descriptor_ = -1;
  struct Watched {
    std::filesystem::path directory;
    std::string name;  // "": any
  };
  std::map<int, Watched> watched_;
  std::map<std::string, int> counts_;
};

}  // namespace bitlaw
