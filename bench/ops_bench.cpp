// Where a training step goes, op family by op family: whole optimizer steps of the trainer on one
// thread, with every op timed in place, so that caches are as a real step leaves them.
//
// For each family: microseconds per token, share of the step, and its own bound. The bound is the
// longer of two times: its products at the machine's product peak, or its operands and results (each
// moved once) at the bandwidth beyond the L2 cache; both limits are measured in the same run. "of
// bound" is the bound over the measured time. Passes that find their input in L2 can beat it.
//
//   bench/run ops [--json] [--shapes A,B,C] [--recipes bf16,w4a4kv4] [--steps 5]
//
// Times are processor time, so that a busy neighbour costs only its share of the caches, and medians
// over several steps.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/statistics.h"
#include "ops/cpu/peak.h"
#include "ops/update.h"
#include "program.h"
#include "train_cases.h"

namespace bitlaw {
namespace {

struct Options {
  std::string shapes = "A,B,C", recipes = "bf16,w4a4kv4";
  int steps = 5;
  bool json = false;
};

// Bytes per second of y += x over ranges far beyond L2: two read, one written. The best of a few.
double memory_bandwidth() {
  constexpr int64_t kFloats = 8 << 20;
  const Tensor x = Tensor::zeros(DType::kF32, {kFloats});
  Tensor y = Tensor::zeros(DType::kF32, {kFloats});
  Context context;
  double best = 0;
  for (int round = 0; round < 6; ++round) {
    const double begin = bench::thread_seconds();
    add_in_place(context, x, y);
    best = std::max(best, 3.0 * sizeof(float) * kFloats / (bench::thread_seconds() - begin));
  }
  return best;
}

struct Limits {
  cpu::Peaks peaks;
  double bytes_per_second;
};

struct Family {
  std::string op;
  double seconds, flops, bytes;  // of a step
};

std::vector<Family> measure(const bench::Shape& shape, const bench::Case& recipe, int steps) {
  TrainerOptions options = bench::trainer_options(shape, recipe, 1);
  Profile profile;
  options.profile = &profile;
  Trainer trainer(options);
  const SequenceSource source = bench::random_tokens(options);
  std::vector<std::string> order;
  std::map<std::string, std::vector<Profile::Entry>> samples;
  trainer.step(source, 1e-3);  // takes the memory, builds the primitives
  for (int step = 0; step < steps; ++step) {
    profile.clear();
    trainer.step(source, 1e-3);
    for (const Profile::Entry& entry : profile.entries()) {
      if (samples.count(entry.op) == 0) order.emplace_back(entry.op);
      samples[entry.op].push_back(entry);
    }
  }
  std::vector<Family> families;
  for (const std::string& op : order) {
    std::vector<double> seconds;
    for (const Profile::Entry& entry : samples[op]) seconds.push_back(entry.seconds);
    const Profile::Entry& last = samples[op].back();
    families.push_back({op, median(seconds), last.flops, last.bytes});
  }
  return families;
}

Json document(const bench::Shape& shape, const bench::Case& recipe, const Limits& limits,
              const std::vector<Family>& families) {
  const bool fp32 = recipe.gradient_dtype == DType::kF32;
  const double peak = fp32 ? limits.peaks.fp32_flops : limits.peaks.bf16_flops;
  const auto tokens = static_cast<double>(shape.step_tokens);
  double total = 0, flops = 0;
  for (const Family& family : families) total += family.seconds, flops += family.flops;
  Json ops = Json::array();
  for (const Family& family : families) {
    const double bound = std::max(family.flops / peak, family.bytes / limits.bytes_per_second);
    ops.push_back(
        {{"op", family.op},
         {"us_per_token", 1e6 * family.seconds / tokens},
         {"share", family.seconds / total},
         {"flops_per_second", family.flops / family.seconds},
         {"bytes_per_second", family.bytes / family.seconds},
         {"bound",
          family.flops / peak * limits.bytes_per_second >= family.bytes ? "products" : "memory"},
         {"share_of_bound", bound / family.seconds}});
  }
  return {{"shape", shape.name},
          {"recipe", recipe.name},
          {"us_per_token", 1e6 * total / tokens},
          {"flops_per_second", flops / total},
          {"share_of_peak", flops / total / peak},
          {"ops", ops}};
}

void print(const Json& row) {
  fmt::print("\nshape {}, {}: {:.1f} us of one core per token, {:.0f} GFLOP/s, {:.1f} % of peak\n",
             row["shape"].get<std::string>(), row["recipe"].get<std::string>(),
             row["us_per_token"].get<double>(), row["flops_per_second"].get<double>() / 1e9,
             100 * row["share_of_peak"].get<double>());
  fmt::print("  {:<32}{:>10}{:>8}{:>10}{:>8}  {:<9}{:>9}\n", "op", "us/token", "share", "GFLOP/s",
             "GB/s", "bound by", "of bound");
  for (const Json& op : row["ops"]) {
    fmt::print("  {:<32}{:>10.2f}{:>7.1f}%{:>10.0f}{:>8.1f}  {:<9}{:>8.0f}%\n",
               op["op"].get<std::string>(), op["us_per_token"].get<double>(),
               100 * op["share"].get<double>(), op["flops_per_second"].get<double>() / 1e9,
               op["bytes_per_second"].get<double>() / 1e9, op["bound"].get<std::string>(),
               100 * op["share_of_bound"].get<double>());
  }
}

void run(const Options& options) {
  const auto shapes = bench::chosen(bench::kShapes, options.shapes, "shape");
  const auto recipes = bench::chosen(bench::recipes(), options.recipes, "recipe");
  const Limits limits{cpu::measure_peaks(1), memory_bandwidth()};
  if (!options.json) {
    fmt::print("one core: BF16 products {:.0f} GFLOP/s, FP32 {:.0f}; beyond L2 {:.1f} GB/s\n",
               limits.peaks.bf16_flops / 1e9, limits.peaks.fp32_flops / 1e9,
               limits.bytes_per_second / 1e9);
  }
  Json rows = Json::array();
  for (const bench::Shape& shape : shapes) {
    for (const bench::Case& recipe : recipes) {
      rows.push_back(document(shape, recipe, limits, measure(shape, recipe, options.steps)));
      if (!options.json) print(rows.back());
    }
  }
  if (options.json) {
    fmt::print("{}\n", dump_json({{"peaks",
                                   {{"bf16_flops", limits.peaks.bf16_flops},
                                    {"fp32_flops", limits.peaks.fp32_flops},
                                    {"bytes_per_second", limits.bytes_per_second}}},
                                  {"rows", rows}},
                                 1));
  }
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Shows where a training step goes, each family of ops against its own bound.",
      [](CLI::App& app, Options& o) {
        app.add_option("--shapes", o.shapes, "comma-separated shapes, or all");
        app.add_option("--recipes", o.recipes, "comma-separated recipes, or all");
        app.add_option("--steps", o.steps)->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
