#include "cli/work_flags.h"

#include <fmt/format.h>
#include <signal.h>

#include "base/number.h"
#include "base/time.h"
#include "cli/verb.h"
#include "work/queue.h"

namespace bitlaw::cli {
namespace {

double bytes_of(const std::string& text) {
  auto bytes = parse_bytes(text);
  if (!bytes) bytes = parse_bytes(text + "B");  // 8G, or a number of bytes
  if (!bytes)
    throw Error(fmt::format("--memory: '{}' is not an amount such as 8GB or 500MB", text));
  return *bytes;
}

}  // namespace

std::atomic<bool> stop_work{false};

namespace {
std::atomic<bool> announced{false}, cancelled{false};
}  // namespace

bool stop_was_announced() {
  return announced && !cancelled;
}

std::string trouble_sentence(const std::string& trouble) {
  std::string cause = trouble;
  if (cause.starts_with("bitlaw: ")) cause.erase(0, 8);
  return cause + "; no job has failed, and the same command goes on once that is mended";
}

void stop_work_on_signals() {
  stop_on_signals([](int) { stop_work = cancelled = true; });
  struct sigaction action {};
  action.sa_handler = [](int) { stop_work = announced = true; };
  ::sigaction(SIGUSR1, &action, nullptr);
  ::sigaction(SIGUSR2, &action, nullptr);
}

void WorkFlags::add(App* verb) {
  verb->add_option("--for", seconds, "end after this time, such as 2h or 30m; all can be resumed");
  verb->add_option("--memory", memory,
                   "of all processes together, such as 8GB (default: no limit)");
  verb->add_option("--nice", nice, "of the processes: 19 leaves the machine to others");
  verb->add_option("--order", order, order_help())->default_str(order);
  verb->add_option("--lease", lease,
                   "a worker that is silent for this time loses its jobs to others")
      ->default_str(lease);
  verb->add_flag("--tensorboard", tensorboard,
                 "runs also write event files, for `tensorboard --logdir RUNS`");
}

WorkOptions WorkFlags::parsed() const {
  WorkOptions options;
  if (!seconds.empty()) options.seconds = parse_duration(seconds, "--for");
  if (!memory.empty()) options.memory_bytes = bytes_of(memory);
  if (nice < -20 || nice > 19) throw Error(fmt::format("--nice {}: expected -20 to 19", nice));
  options.nice = nice;
  options.order = order_named(order);
  options.lease_seconds = parse_duration(lease, "--lease");
  options.tensorboard = tensorboard;
  if (options.lease_seconds < 1) throw Error("--lease " + lease + ": expected at least 1s");
  return options;
}

}  // namespace bitlaw::cli
