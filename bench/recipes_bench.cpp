// How fast every kind of recipe trains, as a share of plain BF16 on the same shape.
//
// For each recipe: bf16, recipe, bf16, recipe, ..., bf16, a whole optimizer step each. A round is a
// step of the recipe between two of bf16. Its ratio is the geometric mean of their times over the
// recipe's, in processor seconds of all threads, so that a neighbour costs only its share of the
// caches. Prints tokens/s and ratio of the median round, and the lowest and highest ratio.
//
//   bench/run recipes [--json] [--shapes B] [--recipes all] [--threads 1] [--rounds 3]
//
// Shapes and recipes are those of train_cases.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "program.h"
#include "train_cases.h"

namespace bitlaw {
namespace {

struct Options {
  int threads = 1, rounds = 3;
  std::string shapes = "B", recipes = "all";
  bool json = false;
};

// A trainer that has made its first two steps, which build primitives and touch the memory.
class Steps {
 public:
  explicit Steps(const TrainerOptions& options)
      : trainer_(options), source_(bench::random_tokens(options)), threads_(options.threads) {
    for (int i = 0; i < 2; ++i) seconds();
  }
  double seconds() {  // of one step
    const double begin = bench::processor_seconds();
    trainer_.step(source_, 1e-3);
    return (bench::processor_seconds() - begin) / threads_;
  }

 private:
  Trainer trainer_;
  SequenceSource source_;
  int threads_;
};

Json measure(const bench::Shape& shape, const bench::Case& recipe, Steps& bf16,
             const Options& options) {
  Steps steps(bench::trainer_options(shape, recipe, options.threads));
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

void run(const Options& options) {
  const std::vector<bench::Shape> shapes = bench::chosen(bench::kShapes, options.shapes, "shape");
  const std::vector<bench::Case> recipes =
      bench::chosen(bench::recipes(), options.recipes, "recipe");
  Json rows = Json::array();
  if (!options.json) {
    fmt::print("{:<6} {:<17} {:>12} {:>14} {:>7} {:>15}\n", "shape", "recipe", "tokens/s",
               "bf16 tokens/s", "ratio", "lowest-highest");
  }
  for (const bench::Shape& shape : shapes) {
    Steps bf16(bench::trainer_options(shape, {"bf16", {}}, options.threads));
    for (const bench::Case& recipe : recipes) {
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
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Measures the training rate of every kind of recipe as a share of plain BF16's.",
      [](CLI::App& app, Options& o) {
        app.add_option("--shapes", o.shapes, "comma-separated shapes, or all");
        app.add_option("--recipes", o.recipes, "comma-separated recipes, or all");
        app.add_option("--threads", o.threads)->check(bitlaw::bench::positive());
        app.add_option("--rounds", o.rounds, "rounds per recipe")->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
