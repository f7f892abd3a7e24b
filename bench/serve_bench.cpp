// What `bitlaw serve` takes of a core: processor time of its process over the time by the clock, with
// viewers who read all events. Four runs go on meanwhile, each with a new line of its log every second,
// and every ten seconds one more ends, so that the law is fitted again.
//
//   bench/run serve [--json] [--runs 1000] [--viewers 50] [--seconds 60] [--directory DIR]
//
// The directory is made unless it is there; without --directory it is temporary.
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/file.h"
#include "made_runs.h"
#include "program.h"
#include "serve/serve.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct Options {
  int runs = 1000, cells = 2, viewers = 50;
  double seconds = 60;
  std::string directory;
  bool json = false;
};

constexpr int kGoing = 4;

// A process that serves and nothing else; its port.
struct Served {
  pid_t process = -1;
  int port = 0;

  explicit Served(const fs::path& runs) {
    int ends[2];
    if (::pipe(ends) != 0) throw Error("pipe: cannot start the server");
    process = ::fork();
    if (process == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const LiveServer server({.runs = {runs}, .port = 0, .pages = {"<p>", "<script></script>"}});
      port = server.port();
      if (::write(ends[1], &port, sizeof port) != sizeof port) ::_exit(1);
      while (true) ::pause();
    }
    ::close(ends[1]);
    if (::read(ends[0], &port, sizeof port) != sizeof port) throw Error("the server did not start");
    ::close(ends[0]);
  }
  ~Served() {
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
  double processor_seconds() const {
    clockid_t clock = 0;
    if (::clock_getcpuclockid(process, &clock) != 0) throw Error("no clock of the server");
    return bench::seconds_of(clock);
  }
};

class Viewer {
 public:
  explicit Viewer(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(static_cast<uint16_t>(port));
    ::inet_pton(AF_INET, "127.0.0.1", &place.sin_addr);
    const std::string request = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) != 0 ||
        !write_all(socket_.get(), request))
      throw Error("a viewer could not connect");
  }
  size_t read() {
    size_t bytes = 0;
    std::array<char, 65536> buffer;
    while (true) {
      const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count == 0) throw Error("a viewer was let go");
      if (count < 0) return bytes;
      bytes += static_cast<size_t>(count);
    }
  }

 private:
  Descriptor socket_;
};

fs::path begin_run(const fs::path& runs, int number) {
  bench::make_run(runs, number, 0);
  const RunRecord record = trained_run_record(102'400 + 256 * number, number % 5 == 4 ? "16" : "4");
  for (const fs::directory_entry& entry : fs::directory_iterator(runs)) {
    std::error_code none;
    if (entry.path().filename() == record.name) fs::remove(entry.path() / "result.json", none);
  }
  return runs / record.name;
}

// Share of a core, and bytes of events to each viewer in a second.
Json measure(const fs::path& runs, const Options& options, bool changes) {
  std::vector<fs::path> going;
  for (int i = 0; changes && i < kGoing; ++i) {
    const int number = options.runs + 10 + 5 * i + 1;  // 4 bits
    going.push_back(begin_run(runs, number));
  }
  const Served served(runs);
  std::vector<Viewer> viewers;
  viewers.reserve(static_cast<size_t>(options.viewers));
  for (int i = 0; i < options.viewers; ++i) viewers.emplace_back(served.port);
  std::this_thread::sleep_for(std::chrono::seconds(5));  // the first fit
  const double start = bench::now(), processor = served.processor_seconds();
  size_t bytes = 0;
  for (int second = 1; bench::now() - start < options.seconds; ++second) {
    for (const fs::path& run : going)
      append_line(run / "metrics.jsonl",
                  fmt::format("{{\"loss_nats\":3.5,\"seconds\":{},\"step\":{},\"tokens\":{}}}",
                              30 + second, 300 + second, 256 * (300 + second)));
    if (changes && second % 10 == 0) bench::make_run(runs, options.runs + 1000 + second, 0);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    for (Viewer& viewer : viewers) bytes += viewer.read();
  }
  const double elapsed = bench::now() - start;
  return Json{{"share_of_a_core", (served.processor_seconds() - processor) / elapsed},
              {"bytes_per_viewer_second",
               options.viewers > 0 ? static_cast<double>(bytes) / options.viewers / elapsed : 0}};
}

void run(const Options& options) {
  const bool temporary = options.directory.empty();
  const fs::path runs = temporary
                            ? fs::temp_directory_path() / fmt::format("bitlaw_serve_{}", ::getpid())
                            : fs::path(options.directory);
  if (!fs::exists(runs)) {
    for (int i = 0; i < options.runs; ++i) bench::make_run(runs, i, options.cells);
  }
  Options nobody = options;
  nobody.viewers = 0;
  Json out{{"runs", options.runs}, {"viewers", options.viewers}};
  out["nobody"] = measure(runs, nobody, false);
  out["quiet"] = measure(runs, options, false);
  out["going"] = measure(runs, options, true);
  if (temporary) fs::remove_all(runs);
  if (options.json) {
    fmt::print("{}\n", dump_json(out, 1));
    return;
  }
  fmt::print("{} runs, {} viewers, {} s each\n", options.runs, options.viewers, options.seconds);
  const auto line = [&](const char* what, const char* key) {
    fmt::print("{:<36} {:>5.2f} % of a core, {:>6.0f} bytes a second to each viewer\n", what,
               100 * out.at(key).at("share_of_a_core").get<double>(),
               out.at(key).at("bytes_per_viewer_second").get<double>());
  };
  line("nobody there", "nobody");
  line("viewers, nothing changes", "quiet");
  line("viewers, four runs go on", "going");
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "What `bitlaw serve` takes of a core.",
      [](CLI::App& app, Options& o) {
        app.add_option("--runs", o.runs)->check(bitlaw::bench::positive());
        app.add_option("--cells", o.cells, "of each run");
        app.add_option("--viewers", o.viewers);
        app.add_option("--seconds", o.seconds, "of each measurement")
            ->check(bitlaw::bench::positive());
        app.add_option("--directory", o.directory, "is made unless it is there");
      },
      bitlaw::run);
}
