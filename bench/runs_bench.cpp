// Times `bitlaw runs` on a directory of many runs: with an index, when nothing or one run has changed,
// and without one. Beside each time stands the limit: a look at every directory (a stat for each), or
// reading every file without understanding it.
//
//   bench/run runs [--json] [--runs 10000] [--cells 2] [--rounds 5] [--directory DIR]
//
// The directory is made unless it is there; without --directory it is temporary.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "made_runs.h"
#include "program.h"
#include "record/beside_runs.h"
#include "record/cell.h"
#include "record/result.h"
#include "runs/index.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct Options {
  int runs = 10'000, cells = 2, rounds = 5;
  std::string directory;
  bool json = false;
};

void make_runs(const fs::path& runs, const Options& options) {
  for (int i = 0; i < options.runs; ++i) bench::make_run(runs, i, options.cells);
}

double middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Seconds, and those of the processors: on a busy machine the first say little.
Json seconds_of_round(const std::function<void()>& prepare, const std::function<void()>& work,
                      int rounds) {
  std::vector<double> seconds, processor;
  for (int round = 0; round < rounds; ++round) {
    prepare();
    const double start = bench::now(), processor_start = bench::processor_seconds();
    work();
    seconds.push_back(bench::now() - start);
    processor.push_back(bench::processor_seconds() - processor_start);
  }
  return {{"seconds", middle_of(seconds)}, {"processor_seconds", middle_of(processor)}};
}

// ---- the limits ----

void look_at_directories(const fs::path& runs) {
  struct stat status {};
  for (const fs::directory_entry& entry : fs::directory_iterator(runs))
    ::stat(entry.path().c_str(), &status);
}

void read_all_files(const fs::path& runs) {
  size_t bytes = 0;
  for (const fs::directory_entry& run : fs::directory_iterator(runs)) {
    if (!run.is_directory()) continue;
    for (const char* name : {"run.json", "result.json", "metrics.jsonl"})
      bytes += read_file(run.path() / name).size();
    for (const fs::path& cell : cell_files(run.path())) bytes += read_file(cell).size();
  }
  if (bytes == 0) throw Error("no files were read");
}

Json measure(const fs::path& runs, const Options& options) {
  const fs::path index = runs / kIndexFile;
  const auto look = [&] {
    std::vector<std::string> notes;
    RunIndex(runs).select({}, notes);
  };
  const auto nothing = [] {};
  const fs::path changed = fs::directory_iterator(runs)->path() / "result.json";
  Json out{{"runs", options.runs}, {"cells", options.cells}};
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // what is younger is read again
  out["directories"] = seconds_of_round(
      nothing, [&] { look_at_directories(runs); }, options.rounds);
  out["files"] = seconds_of_round(
      nothing, [&] { read_all_files(runs); }, options.rounds);
  out["rebuild"] = seconds_of_round([&] { fs::remove(index); }, look, options.rounds);
  out["unchanged"] = seconds_of_round(nothing, look, options.rounds);
  out["one_changed"] = seconds_of_round(
      [&] {
        const std::optional<ResultRecord> result = read_result(changed.parent_path());
        ResultRecord other = result.value();
        other.training->seconds += 1;
        write_result(changed.parent_path(), other);
      },
      look, options.rounds);
  out["index_bytes"] = fs::file_size(index);
  return out;
}

void print_times(const Json& out) {
  fmt::print("{} runs with {} cells each; index of {:.1f} MB\n", out.at("runs").get<int>(),
             out.at("cells").get<int>(), out.at("index_bytes").get<double>() / 1e6);
  const auto line = [&](const char* what, const char* key, const char* limit) {
    const Json& time = out.at(key);
    const double processor = time.at("processor_seconds").get<double>();
    fmt::print("{:<24} {:>7.3f} s, {:>7.3f} s of processors", what,
               time.at("seconds").get<double>(), processor);
    if (*limit != 0)
      fmt::print(", {:.1f} times the limit",
                 processor / out.at(limit).at("processor_seconds").get<double>());
    fmt::print("\n");
  };
  line("stat of each directory", "directories", "");
  line("reading each file", "files", "");
  line("runs, nothing changed", "unchanged", "directories");
  line("runs, one run changed", "one_changed", "directories");
  line("runs, without an index", "rebuild", "files");
}

void run(const Options& options) {
  const bool temporary = options.directory.empty();
  const fs::path runs = temporary
                            ? fs::temp_directory_path() / fmt::format("bitlaw_runs_{}", ::getpid())
                            : fs::path(options.directory);
  if (!fs::exists(runs)) make_runs(runs, options);
  const Json out = measure(runs, options);
  if (temporary) fs::remove_all(runs);
  if (options.json)
    fmt::print("{}\n", dump_json(out, 1));
  else
    print_times(out);
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times `bitlaw runs` on many runs.",
      [](CLI::App& app, Options& o) {
        app.add_option("--runs", o.runs)->check(bitlaw::bench::positive());
        app.add_option("--cells", o.cells, "of each run");
        app.add_option("--rounds", o.rounds)->check(bitlaw::bench::positive());
        app.add_option("--directory", o.directory, "is made unless it is there");
      },
      bitlaw::run);
}
