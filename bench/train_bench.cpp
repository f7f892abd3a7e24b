// The training step as a run takes it: loader to optimizer, threads and all, on random tokens.
//
//   shape   width  layers  heads  of k, v  T     vocabulary  tokens a step
//   S       64     2       2      2        256   2048        8192
//   M       96     3       3      3        256   2048        8192
//   A       128    4       4      4        256   4096        16384
//   B       256    6       4      4        256   4096        8192
//   C       512    8       8      8        512   8192        4096
//   D       512    12      8      2        1024  32768       4096
//
// Beside tokens/s (of the median step): exact FLOP/s (attention's causal half and the vocabulary
// included), and their share of the machine's product peak on as many threads, measured in the same
// run just before: the FP32 peak for the recipe fp32 (which rounds nothing, backward neither), the
// BF16 peak for all others.
//
//   bench/run train [--json] [--threads 1,2] [--shapes A,B,C] [--recipes bf16,w4a4kv4]
//                   [--seconds 4] [--cpu-time]
//
// Shapes and recipes (train_cases.h) are lists, or "all". --cpu-time counts processor time of all
// threads, over their number, instead of wall time: for a machine that others are using (waiting
// inside a step does not show then).
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "ops/cpu/peak.h"
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

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processor_seconds() {  // of all threads
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Seconds of the median step, after two that build primitives and touch the memory.
double median_step_seconds(const TrainerOptions& options, double seconds, bool cpu_time) {
  Trainer trainer(options);
  const SequenceSource source = bench::random_tokens(options);
  std::vector<double> times;
  const double begin = now();
  for (int step = 0; step < 5 || now() - begin < seconds; ++step) {
    const double start = now(), processor_start = processor_seconds();
    trainer.step(source, 1e-3);
    if (step < 2) continue;
    times.push_back(cpu_time ? (processor_seconds() - processor_start) / options.threads
                             : now() - start);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

Json measure(const bench::Shape& shape, const bench::Case& recipe, int threads,
             const cpu::Peaks& peaks, const Options& bench) {
  const TrainerOptions options = bench::trainer_options(shape, recipe, threads);
  const bool fp32 = recipe.gradient_dtype == DType::kF32;
  const double peak = fp32 ? peaks.fp32_flops : peaks.bf16_flops;
  const double tokens_per_second = static_cast<double>(shape.step_tokens) /
                                   median_step_seconds(options, bench.seconds, bench.cpu_time);
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

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--json" || flag == "--cpu-time") {
      (flag == "--json" ? options.json : options.cpu_time) = true;
      continue;
    }
    if (i + 1 == argc) throw Error(fmt::format("{}: expects a value", flag));
    const std::string value = argv[++i];
    if (flag == "--threads") {
      options.threads.clear();
      for (const std::string& count : split(value, ','))
        options.threads.push_back(std::max(1, std::atoi(count.c_str())));
    } else if (flag == "--shapes") {
      options.shapes = value;
    } else if (flag == "--recipes") {
      options.recipes = value;
    } else if (flag == "--seconds") {
      options.seconds = std::atof(value.c_str());
    } else {
      throw Error(fmt::format(
          "{}: not known; --json, --threads, --shapes, --recipes, --seconds, --cpu-time are",
          flag));
    }
  }
  return options;
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
  try {
    bitlaw::run(bitlaw::read_options(argc, argv));
    return 0;
  } catch (const bitlaw::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
