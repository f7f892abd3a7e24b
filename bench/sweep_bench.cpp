// Times planning a study: its file to runs with names, to jobs, and to what `bitlaw sweep --dry-run
// --json` prints, without and with a condition, a budget and a speed. By processor time; the wall
// time stands beside it.
//
//   bench/run sweep [--json] [--cells 10000] [--rounds 3]
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "program.h"
#include "sweep/study_for_tests.h"
#include "sweep/sweep.h"

namespace bitlaw {
namespace {

struct Options {
  int cells = 10'000, rounds = 3;
  bool json = false;
};

// Five widths, five precisions and four lengths with a trunk each, and as many seeds as are needed.
std::string grids(int cells) {
  return fmt::format(
      "optimizer.batch_power = 0\nschedule.kind = \"wsd\"\nschedule.warmup_steps = 10\n"
      "[[grid]]\n\"model.width\" = [32, 64, 96, 128, 160]\n"
      "\"recipe.weights\" = [\"3\", \"4\", \"5\", \"6\", \"16\"]\n"
      "\"train.tokens\" = [1e5, 2e5, 4e5, 8e5]\n\"train.seed\" = [{}]\n",
      [&] {
        std::string seeds;
        for (int seed = 1; seed <= (cells + 99) / 100; ++seed) seeds += fmt::format("{}, ", seed);
        return seeds;
      }());
}

struct Case {
  const char* name;
  std::function<void(SweepOptions&)> set;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"status", [](SweepOptions&) {}},
      {"dry_run", [](SweepOptions& o) { o.forecast = true; }},
      {"dry_run_selected",
       [](SweepOptions& o) {
         o.forecast = true;
         o.selection.only = {"D/N>=1", "P_w<16"};
         o.selection.budget = "1e5 core-hours";
         o.selection.rate = 20'000;
       }},
  };
  return all;
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Json measure(const Options& options) {
  const StudyFolder folder(grids(options.cells));
  Json out{{"cells", plan_sweep(folder.study(), folder.runs()).runs.size()}};
  for (const Case& each : cases()) {
    SweepOptions sweep_options;
    sweep_options.study = folder.study();
    sweep_options.runs = folder.runs();
    sweep_options.look_only = true;
    each.set(sweep_options);
    std::vector<double> seconds, wall_seconds;
    for (int round = 0; round < options.rounds; ++round) {
      const double start = bench::processor_seconds(), wall_start = bench::now();
      dump_json(struct_to_json(sweep(sweep_options)), 1);
      seconds.push_back(bench::processor_seconds() - start);
      wall_seconds.push_back(bench::now() - wall_start);
    }
    out[each.name] = {{"seconds", middle(seconds)}, {"wall_seconds", middle(wall_seconds)}};
  }
  return out;
}

void run(const Options& options) {
  const Json out = measure(options);
  if (options.json) {
    fmt::print("{}\n", dump_json(out, 1));
    return;
  }
  const auto cells = out.at("cells").get<double>();
  for (const Case& each : cases()) {
    const auto seconds = out.at(each.name).at("seconds").get<double>();
    fmt::print("{:<18} {:>7.0f} cells {:>7.3f} s {:>9.0f} cells/s; {:.3f} s in all\n", each.name,
               cells, seconds, cells / seconds, out.at(each.name).at("wall_seconds").get<double>());
  }
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times planning a study.",
      [](CLI::App& app, Options& o) {
        app.add_option("--cells", o.cells)->check(bitlaw::bench::positive());
        app.add_option("--rounds", o.rounds)->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
