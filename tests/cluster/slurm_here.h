// A whole Slurm on this machine: munge, the controller and one node daemon, on free ports of the
// loopback device, with all state in a temporary folder. It needs neither systemd nor a
// configuration of the machine's, and leaves nothing behind.
#pragma once

#include <filesystem>
#include <string>

#include "cli/program.h"
#include "cluster/daemons.h"

namespace bitlaw {

class SlurmHere {
 public:
  // Why there can be none on this machine; "" if there can.
  static std::string missing();

  SlurmHere();   // sets SLURM_CONF in this process; has_node() says whether it came up
  ~SlurmHere();  // cancels all jobs and ends the daemons
  SlurmHere(const SlurmHere&) = delete;
  SlurmHere& operator=(const SlurmHere&) = delete;

  bool has_node() const;         // that takes jobs, within half a minute
  void kill_and_restart_node();  // the daemon; jobs go on
  void kill_and_restart_controller();
  // What an administrator does after that: a controller that was killed may have forgotten that a
  // task ran, starts it twice, and then holds it and drains the node.
  void put_right() const;
  std::string queue() const;  // the jobs, one line each; "?" if the controller is silent
  std::string logs() const;   // of the daemons, their ends

 private:
  void start_node();
  void start_controller();

  Folder folder_;
  Daemon munge_, controller_, node_;
};

}  // namespace bitlaw
