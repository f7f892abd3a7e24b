#include "cluster/slurm_here.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Two that nobody has now.
std::pair<int, int> free_ports() {
  const auto bound = [](int& port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    BITLAW_CHECK(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
    BITLAW_CHECK(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
    return socket;
  };
  std::pair<int, int> ports;
  const int first = bound(ports.first), second = bound(ports.second);
  ::close(first);
  ::close(second);
  return ports;
}

std::string host() {
  return trim(ask("hostname -s 2>/dev/null || uname -n").out);
}

// Requeued jobs wait until their credentials have expired (cred_expire). Jobs end within seconds
// (KillWait), and the scheduler looks every second.
std::string configuration(const fs::path& folder) {
  const auto [controller, node] = free_ports();
  return fmt::format(R"(ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MinJobAge=86400
KillWait=5
SlurmctldTimeout=5
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
)",
                     fmt::arg("host", host()), fmt::arg("controller", controller),
                     fmt::arg("node", node), fmt::arg("user", trim(ask("id -un").out)),
                     fmt::arg("folder", folder.string()), fmt::arg("cpus", hardware_threads()));
}

std::string program(const std::string& name) {
  return trim(ask("PATH=$PATH:/usr/sbin:/sbin command -v " + name).out);
}

}  // namespace

std::string SlurmHere::missing() {
  for (const char* name : {"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol"}) {
    if (program(name).empty())
      return std::string(name) + " is not installed (tools/install_packages cluster)";
  }
  if (::geteuid() != 0) return "a node of Slurm is started by root";
  return "";
}

SlurmHere::SlurmHere() {
  const fs::path folder = folder_.path();
  for (const char* name : {"munge", "state", "spool"}) fs::create_directory(folder / name);
  fs::permissions(folder, fs::perms(0755));
  fs::permissions(folder / "munge", fs::perms(0755));
  ask(fmt::format("cd {}/munge && head -c 128 /dev/urandom > key && chmod 400 key",
                  folder.string()));
  write_text(folder / "slurm.conf", configuration(folder));
  ::setenv("SLURM_CONF", (folder / "slurm.conf").c_str(), 1);
  const std::string munge = (folder / "munge").string();
  munge_ = Daemon({program("munged"), "--foreground", "--force", "--key-file=" + munge + "/key",
                   "--socket=" + munge + "/socket", "--pid-file=" + munge + "/pid",
                   "--seed-file=" + munge + "/seed", "--num-threads=2"},
                  folder / "munged.log");
  for (int i = 0; i < 200 && !fs::exists(folder / "munge/socket"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  start_controller();
  start_node();
}

SlurmHere::~SlurmHere() {
  ask("scancel --user=root");
  for (int i = 0; i < 40 && ask("squeue -h").out != ""; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  node_.kill();
  controller_.kill();
  munge_.kill();
  ::unsetenv("SLURM_CONF");
}

void SlurmHere::start_controller() {
  controller_ = Daemon({program("slurmctld"), "-D", "-f", ::getenv("SLURM_CONF")},
                       folder_.path() / "slurmctld.log");
}

void SlurmHere::start_node() {
  node_ = Daemon({program("slurmd"), "-D", "-f", ::getenv("SLURM_CONF")},
                 folder_.path() / "slurmd.log");
}

bool SlurmHere::has_node() const {
  for (int i = 0; i < 120; ++i) {
    const std::string state = trim(ask("sinfo -h -o %T").out);
    if (state == "idle" || state == "mixed" || state == "allocated") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  return false;
}

void SlurmHere::kill_and_restart_node() {
  node_.kill();
  start_node();
}

void SlurmHere::kill_and_restart_controller() {
  controller_.kill();
  start_controller();
}

void SlurmHere::put_right() const {
  if (ask("sinfo -h -o %T").out.find("drain") != std::string::npos)
    ask("scontrol update NodeName=" + host() + " State=RESUME");
  for (const std::string& job :
       split(trim(ask("squeue -h -t PENDING -o '%i %r' | grep held").out), '\n'))
    ask("scontrol release " + job.substr(0, job.find(' ')));
}

std::string SlurmHere::queue() const {
  const Answer answer = ask("squeue -h -o '%i %T %r'");
  return answer.status == 0 ? answer.out : "?";
}

std::string SlurmHere::logs() const {
  return ask(fmt::format("tail -n 15 {0}/munged.log {0}/slurmctld.log {0}/slurmd.log",
                         folder_.path().string()))
      .out;
}

}  // namespace bitlaw
