// How fast every kind of recipe trains, as a share of plain BF16 on the same shape.
//
// For each recipe: bf16, recipe, bf16, recipe, ..., bf16, a whole optimizer step each. A round is a
// step of the recipe between two of bf16; its ratio is their geometric mean over it, of processor
// seconds of all threads, so that a neighbour costs its share of the caches and no more. Printed:
// tokens/s and ratio of the median round, and the lowest and highest ratio.
//
//   bench/run recipes [--json] [--shapes B] [--recipes all] [--threads 1] [--rounds 3]
//
// Shapes are those of train_cases.h. Recipes: w weights, a activations, kv keys and values; "channel",
// "token" and "groupG" say what shares a scale (weights have no tokens: per channel).
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "train_cases.h"

namespace bitlaw {
namespace {

struct RecipeCase {
  const char* name;
  RecipeConfig config;
};

std::vector<RecipeCase> recipe_cases() {
  const auto bits = [](const char* w, const char* a, const char* kv, const char* w_share,
                       const char* a_share, const char* kv_share) {
    return RecipeConfig{.weights = w,
                        .activations = a,
                        .kv = kv,
                        .weights_granularity = w_share,
                        .activations_granularity = a_share,
                        .kv_granularity = kv_share};
  };
  return {
      {"w4a4kv4", bits("4", "4", "4", "channel", "tensor", "tensor")},
      {"w4a4kv4-tensor", bits("4", "4", "4", "tensor", "tensor", "tensor")},
      {"w4a4kv4-token", bits("4", "4", "4", "channel", "token", "token")},
      {"w2a2kv2", bits("2", "2", "2", "channel", "tensor", "tensor")},
      {"w8a8kv8", bits("8", "8", "8", "channel", "tensor", "tensor")},
      {"e2m1", bits("e2m1", "e2m1", "e2m1", "channel", "token", "token")},
      {"e4m3", bits("e4m3", "e4m3", "e4m3", "channel", "tensor", "tensor")},
      {"w4-group32", bits("4", "16", "16", "group32", "tensor", "tensor")},
      {"w4-group128", bits("4", "16", "16", "group128", "tensor", "tensor")},
      {"w4a4-channel", bits("4", "4", "16", "channel", "channel", "tensor")},
      {"w4a4-group32", bits("4", "4", "16", "group32", "group32", "tensor")},
      {"w4a4-group64", bits("4", "4", "16", "group64", "group64", "tensor")},
      {"w4a4-group128", bits("4", "4", "16", "group128", "group128", "tensor")},
      {"e4m3-group32", bits("e4m3", "e4m3", "16", "group32", "group32", "tensor")},
      {"kv4-channel", bits("16", "16", "4", "channel", "tensor", "channel")},
      {"kv4-group32", bits("16", "16", "4", "channel", "tensor", "group32")},
      {"w4a4kv4-channel", bits("4", "4", "4", "channel", "channel", "channel")},
      {"w4a4kv4-group32", bits("4", "4", "4", "group32", "group32", "group32")},
      {"w4a4kv4-group128", bits("4", "4", "4", "group128", "group128", "group128")},
      {"w12a12", bits("12", "12", "16", "channel", "tensor", "tensor")},
      {"int16", bits("int16", "int16", "16", "channel", "tensor", "tensor")},
      {"w12a12-group32", bits("12", "12", "16", "group32", "group32", "tensor")},
      {"kv12", bits("16", "16", "12", "channel", "tensor", "tensor")},
      {"w12a12kv12", bits("12", "12", "12", "channel", "tensor", "tensor")},
  };
}

struct Options {
  int threads = 1, rounds = 3;
  std::string shapes = "B", recipes = "all";
  bool json = false;
};

double processor_seconds() {  // of all threads
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// A trainer that has made its first two steps, which build primitives and touch the memory.
class Steps {
 public:
  explicit Steps(const TrainerOptions& options)
      : trainer_(options), source_(bench::random_tokens(options)), threads_(options.threads) {
    for (int i = 0; i < 2; ++i) seconds();
  }
  double seconds() {  // of one step
    const double begin = processor_seconds();
    trainer_.step(source_, 1e-3);
    return (processor_seconds() - begin) / threads_;
  }

 private:
  Trainer trainer_;
  SequenceSource source_;
  int threads_;
};

Json measure(const bench::Shape& shape, const RecipeCase& recipe, Steps& bf16,
             const Options& options) {
  Steps steps(bench::trainer_options(shape, {recipe.name, recipe.config}, options.threads));
  struct Round {
    double ratio, seconds, bf16_seconds;
  };
  std::vector<Round> rounds;
  double before = bf16.seconds();
  for (int i = 0; i < options.rounds; ++i) {
    const double own = steps.seconds(), after = bf16.seconds();
    const double between = std::sqrt(before * after);
    rounds.push_back({between / own, own, between});
    before = after;
  }
  std::sort(rounds.begin(), rounds.end(),
            [](const Round& a, const Round& b) { return a.ratio < b.ratio; });
  const Round& median = rounds[rounds.size() / 2];
  const auto tokens = static_cast<double>(shape.step_tokens);
  return {{"shape", shape.name},
          {"recipe", recipe.name},
          {"threads", options.threads},
          {"tokens_per_second", tokens / median.seconds},
          {"bf16_tokens_per_second", tokens / median.bf16_seconds},
          {"ratio", median.ratio},
          {"lowest_ratio", rounds.front().ratio},
          {"highest_ratio", rounds.back().ratio}};
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--json") {
      options.json = true;
      continue;
    }
    if (i + 1 == argc) throw Error(fmt::format("{}: expects a value", flag));
    const std::string value = argv[++i];
    if (flag == "--shapes") {
      options.shapes = value;
    } else if (flag == "--recipes") {
      options.recipes = value;
    } else if (flag == "--threads") {
      options.threads = std::max(1, std::atoi(value.c_str()));
    } else if (flag == "--rounds") {
      options.rounds = std::max(1, std::atoi(value.c_str()));
    } else {
      throw Error(
          fmt::format("{}: not known; --json, --shapes, --recipes, --threads, --rounds are", flag));
    }
  }
  return options;
}

void run(const Options& options) {
  const std::vector<bench::Shape> shapes = bench::chosen(bench::kShapes, options.shapes, "shape");
  const std::vector<RecipeCase> recipes = bench::chosen(recipe_cases(), options.recipes, "recipe");
  Json rows = Json::array();
  if (!options.json) {
    fmt::print("{:<6} {:<17} {:>12} {:>14} {:>7} {:>15}\n", "shape", "recipe", "tokens/s",
               "bf16 tokens/s", "ratio", "lowest-highest");
  }
  for (const bench::Shape& shape : shapes) {
    Steps bf16(bench::trainer_options(shape, {"bf16", {}}, options.threads));
    for (const RecipeCase& recipe : recipes) {
      const Json row = measure(shape, recipe, bf16, options);
      if (!options.json) {
        fmt::print("{:<6} {:<17} {:>12.0f} {:>14.0f} {:>7.2f} {:>9.2f}-{:.2f}\n", shape.name,
                   recipe.name, row["tokens_per_second"].get<double>(),
                   row["bf16_tokens_per_second"].get<double>(), row["ratio"].get<double>(),
                   row["lowest_ratio"].get<double>(), row["highest_ratio"].get<double>());
        std::fflush(stdout);
      }
      rows.push_back(row);
    }
  }
  if (options.json) fmt::print("{}\n", dump_json({{"clock", "processor"}, {"rows", rows}}, 1));
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
