// The training step as a run takes it: loader to optimizer, threads and all, on random tokens.
//
//   shape   width  layers  heads  T    vocabulary  tokens a step
//   A       128    4       4      256  4096        16384
//   B       256    6       4      256  4096        8192
//   C       512    8       8      512  8192        4096
//
// Beside tokens/s (of the median step): exact FLOP/s (attention's causal half and the vocabulary
// included), and their share of the machine's BF16 product peak on as many threads, measured in the
// same run just before.
//
//   bench/run train [--json] [--threads 1,2] [--shapes A,B,C] [--seconds 4] [--cpu-time]
//
// --cpu-time counts processor time of all threads, over their number, instead of wall time: for a
// machine that others are using (waiting inside a step does not show then).
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "ops/cpu/peak.h"
#include "train/trainer.h"

namespace bitlaw {
namespace {

struct BenchShape {
  const char* name;
  int64_t width, layers, heads, sequence, vocabulary;
  int64_t step_tokens;
};
constexpr BenchShape kShapes[] = {{"A", 128, 4, 4, 256, 4096, 16384},
                                  {"B", 256, 6, 4, 256, 4096, 8192},
                                  {"C", 512, 8, 8, 512, 8192, 4096}};
constexpr const char* kBits[] = {"16", "4"};  // of weights, activations, keys and values
constexpr int64_t kLanes = 4;

struct Options {
  std::vector<int> threads{1};
  std::string shapes = "A,B,C";
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

Recipe recipe_of(const char* bits) {
  RecipeConfig config;
  config.weights = config.activations = config.kv = bits;
  return make_recipe(config);
}

// Seconds of the median step, after two that build primitives and touch the memory.
double median_step_seconds(const TrainerOptions& options, double seconds, bool cpu_time) {
  Trainer trainer(options);
  const auto V = static_cast<uint64_t>(options.model.vocabulary);
  const SequenceSource source = [&](int64_t step, int64_t index, std::span<uint16_t> tokens) {
    for (size_t t = 0; t < tokens.size(); ++t) {
      const uint64_t place =
          static_cast<uint64_t>(step * options.batch_sequences + index) * tokens.size() + t;
      tokens[t] = static_cast<uint16_t>(random_below(1, 0, place, V));
    }
  };
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

Json measure(const BenchShape& shape, const char* bits, int threads, double peak,
             const Options& bench) {
  ModelConfig model;
  model.width = shape.width;
  model.layers = shape.layers;
  model.heads = shape.heads;
  model.sequence = shape.sequence;
  model.vocabulary = shape.vocabulary;
  const TrainerOptions options{.model = model.resolved(),
                               .recipe = recipe_of(bits),
                               .batch_sequences = shape.step_tokens / shape.sequence,
                               .lanes = kLanes,
                               .threads = threads};
  const double tokens_per_second = static_cast<double>(shape.step_tokens) /
                                   median_step_seconds(options, bench.seconds, bench.cpu_time);
  const double flops = tokens_per_second * options.model.training_flops_per_token();
  return {{"shape", shape.name},
          {"recipe", options.recipe.name()},
          {"threads", threads},
          {"parameters", options.model.parameters()},
          {"flops_per_token", options.model.training_flops_per_token()},
          {"tokens_per_second", tokens_per_second},
          {"flops_per_second", flops},
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
    } else if (flag == "--seconds") {
      options.seconds = std::atof(value.c_str());
    } else {
      throw Error(fmt::format(
          "{}: not known; --json, --threads, --shapes, --seconds, --cpu-time are", flag));
    }
  }
  return options;
}

void run(const Options& options) {
  Json rows = Json::array(), peaks = Json::array();
  if (!options.json) {
    fmt::print("{:<6} {:<9} {:>7} {:>12} {:>12} {:>14} {:>14}\n", "shape", "recipe", "threads",
               "tokens/s", "GFLOP/s", "peak GFLOP/s", "share of peak");
  }
  for (int threads : options.threads) {
    for (const BenchShape& shape : kShapes) {
      if (options.shapes.find(shape.name) == std::string::npos) continue;
      const cpu::Peaks peak = cpu::measure_peaks(threads);
      peaks.push_back({{"threads", threads},
                       {"shape", shape.name},
                       {"bf16_flops", peak.bf16_flops},
                       {"fp32_flops", peak.fp32_flops}});
      for (const char* bits : kBits) {
        const Json row = measure(shape, bits, threads, peak.bf16_flops, options);
        if (!options.json) {
          fmt::print("{:<6} {:<9} {:>7} {:>12.0f} {:>12.1f} {:>14.1f} {:>13.1f}%\n", shape.name,
                     row["recipe"].get<std::string>(), threads,
                     row["tokens_per_second"].get<double>(),
                     row["flops_per_second"].get<double>() / 1e9, peak.bf16_flops / 1e9,
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
