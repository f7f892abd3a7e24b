// Debian packages from the network, without root and without installing anything.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace bitlaw {

class Unreachable : public Error {
 public:
  using Error::Error;
};

// The servers do not answer; other packages will fare no better.
class NoConnection : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// Downloads through apt-get, with package lists of its own if the system has none. Its functions may
// be called from several threads at once.
class Apt {
 public:
  // `work` is a folder for its lists and for downloads that are not finished. Error if this system
  // has no apt-get.
  explicit Apt(std::filesystem::path work);

  // The .deb of the first of `names` that can be fetched, moved into `folder`; what is there already
  // is not fetched again. Unreachable, with apt's reason, if there is none; Error for a full disk.
  std::filesystem::path download(const std::vector<std::string>& names,
                                 const std::filesystem::path& folder);

 private:
  std::vector<std::string> own_list_options() const;
  void fetch_own_lists();

  std::filesystem::path work_;
  std::mutex mutex_;
  std::optional<std::string> own_lists_;  // once fetched: "", or why they could not be
  std::string no_connection_;             // the first server that did not answer meanwhile
};

}  // namespace bitlaw
