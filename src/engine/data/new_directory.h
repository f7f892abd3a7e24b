// A directory that appears at its place as a whole, or not at all.
#pragma once

#include <filesystem>

namespace bitlaw {

// A temporary directory beside `place`, renamed to it by commit() and removed otherwise.
class NewDirectory {
 public:
  explicit NewDirectory(const std::filesystem::path& place);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  const std::filesystem::path& path() const { return temporary_; }

  // Replaces what is at the place. Error if that cannot be done; nothing is changed then.
  void commit();

 private:
  std::filesystem::path place_, temporary_;
};

}  // namespace bitlaw
