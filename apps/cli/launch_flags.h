// The flags of `sweep` that say who runs the jobs: the launcher, and what the launchers for clusters
// ask for.
#pragma once

#include <string>
#include <vector>

#include "cli/app.h"
#include "sweep/launcher.h"

namespace bitlaw::cli {

class LaunchFlags {
 public:
  void add(App* verb);
  const Launcher& launcher() const;
  // Error for a flag that the launcher does not have.
  ClusterOptions parsed() const;

 private:
  struct Flag {
    std::string name;
    std::vector<std::string> launchers;  // that have it
    Option* option;
  };
  void keep(const std::string& name, std::vector<std::string> launchers, Option* option);

  ClusterOptions cluster_;
  std::string launcher_ = "local", limit_, margin_;
  std::vector<Flag> flags_;
};

}  // namespace bitlaw::cli
