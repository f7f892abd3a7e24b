// Times the training step of a run, from loader to optimizer, with threads, on random tokens.
//
//   shape   width  layers  heads  of k, v  T     vocabulary  tokens a step
//   S       64     2       2      2        256   2048        8192
//   M       96     3       3      3        256   2048        8192
//   A       128    4       4      4        256   4096        16384
//   B       256    6       4      4        256   4096        8192
//   C       512    8       8      8        512   8192        4096
//   D       512    12      8      2        1024  32768       4096
//   W32     32     2       1      1        128   512         1024
//   W64     64     2       2      2        128   512         2048
//   W96     96     2       3      3        128   512         4096
//   W128    128    2       4      4        128   512         4096
//   W192    192    2       6      6        128   512         4096
//
// Prints tokens/s of the median step, exact FLOP/s (including attention's causal half and the
// vocabulary), and their share of the machine's product peak on as many threads, measured just
// before in the same run: the FP32 peak for the recipe fp32 (which rounds nothing, forward or
// backward), the BF16 peak for all others.
//
//   bench/run train [--json] [--threads 1,2] [--shapes A,B,C] [--recipes bf16,w4a4kv4]
//                   [--seconds 4] [--cpu-time]
//
// Shapes and recipes (train_cases.h) are comma-separated, or "all". --cpu-time uses processor time of
// all threads divided by their number instead of wall time: for a machine shared with others (waiting
// inside a step does not show then).
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/statistics.h"
#include "ops/cpu/peak.h"
#include "program.h"
#include "train_cases.h"

namespace bitlaw {
namespace {

struct Options {
  std::vector<int> threads{1};
  std::string shapes = "A,B,C", recipes = "bf16,w4a4kv4";
  double seconds = 4;  // per row
  bool json = false;
  bool cpu_time = false;
};

// Seconds of the median step, after two that build primitives and touch the memory.
double median_step_seconds(const TrainerOptions& options, double seconds, bool cpu_time) {
  Trainer trainer(options);
  const SequenceSource source = bench::random_tokens(options);
  std::vector<double> times;
  const double begin = bench::now();
  for (int step = 0; step < 5 || bench::now() - begin < seconds; ++step) {
    const double start = bench::now(), processor_start = bench::processor_seconds();
    trainer.step(source, 1e-3);
    if (step < 2) continue;
    times.push_back(cpu_time ? (bench::processor_seconds() - processor_start) / options.threads
                             : bench::now() - start);
  }
  return median(std::move(times));
}

Json measure(const bench::Shape& shape, const bench::Case& recipe, int threads,
             const cpu::Peaks& peaks, const Options& own) {
  const TrainerOptions options = bench::trainer_options(shape, recipe, threads);
  const bool fp32 = recipe.gradient_dtype == DType::kF32;
  const double peak = fp32 ? peaks.fp32_flops : peaks.bf16_flops;
  const double tokens_per_second = static_cast<double>(shape.step_tokens) /
                                   median_step_seconds(options, own.seconds, own.cpu_time);
  const double flops = tokens_per_second * options.model.training_flops_per_token();
  return {{"shape", shape.name},
          {"recipe", recipe.name},
          {"threads", threads},
          {"parameters", options.model.parameters()},
          {"flops_per_token", options.model.training_flops_per_token()},
          {"tokens_per_second", tokens_per_second},
          {"flops_per_second", flops},
          {"peak", fp32 ? "fp32" : "bf16"},
          {"peak_flops", peak},
          {"share_of_peak", flops / peak}};
}

void run(const Options& options) {
  const std::vector<bench::Shape> shapes = bench::chosen(bench::kShapes, options.shapes, "shape");
  const std::vector<bench::Case> recipes =
      bench::chosen(bench::recipes(), options.recipes, "recipe");
  Json rows = Json::array(), peaks = Json::array();
  if (!options.json) {
    fmt::print("{:<6} {:<17} {:>7} {:>12} {:>12} {:>19} {:>14}\n", "shape", "recipe", "threads",
               "tokens/s", "GFLOP/s", "peak GFLOP/s", "share of peak");
  }
  for (int threads : options.threads) {
    for (const bench::Shape& shape : shapes) {
      const cpu::Peaks peak = cpu::measure_peaks(threads);
      peaks.push_back({{"threads", threads},
                       {"shape", shape.name},
                       {"bf16_flops", peak.bf16_flops},
                       {"fp32_flops", peak.fp32_flops}});
      for (const bench::Case& recipe : recipes) {
        const Json row = measure(shape, recipe, threads, peak, options);
        if (!options.json) {
          fmt::print("{:<6} {:<17} {:>7} {:>12.0f} {:>12.1f} {:>14.1f} {:>4} {:>13.1f}%\n",
                     shape.name, recipe.name, threads, row["tokens_per_second"].get<double>(),
                     row["flops_per_second"].get<double>() / 1e9,
                     row["peak_flops"].get<double>() / 1e9, row["peak"].get<std::string>(),
                     100 * row["share_of_peak"].get<double>());
          std::fflush(stdout);
        }
        rows.push_back(row);
      }
    }
  }
  if (options.json)
    fmt::print("{}\n", dump_json({{"clock", options.cpu_time ? "processor" : "wall"},
                                  {"peaks", peaks},
                                  {"rows", rows}},
                                 1));
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times whole training steps, as a share of the machine's product peak.",
      [](CLI::App& app, Options& o) {
        app.add_option("--threads", o.threads, "comma-separated numbers of threads")
            ->delimiter(',')
            ->check(bitlaw::bench::positive());
        app.add_option("--shapes", o.shapes, "comma-separated shapes, or all");
        app.add_option("--recipes", o.recipes, "comma-separated recipes, or all");
        app.add_option("--seconds", o.seconds, "seconds per row")->check(bitlaw::bench::positive());
        app.add_flag("--cpu-time", o.cpu_time, "use processor time instead of wall time");
      },
      bitlaw::run);
}
