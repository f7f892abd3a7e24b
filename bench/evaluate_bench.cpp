// What a comparison with a baseline costs compared with plain losses: per_token_losses and
// compare_to_baseline alternate on the same windows. Prints tokens/s of both and the ratio of their
// processor seconds in the median round, with the lowest and highest.
//
//   bench/run evaluate [--json] [--shapes B] [--threads 1] [--windows 32] [--rounds 5]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/evaluate.h"
#include "program.h"
#include "train_cases.h"

namespace bitlaw {
namespace {

struct Options {
  int threads = 1, windows = 32, rounds = 5;
  std::string shapes = "B";
  bool json = false;
};

struct Subject {
  Model model;
  Parameters parameters;
  Subject(const ModelConfig& config, uint64_t seed)
      : model(config, Recipe{}), parameters(model.make_parameters()) {
    model.initialize(parameters, seed);
    Context context;
    model.prepare(context, parameters, false);
  }
};

Json measure(const bench::Shape& shape, const Options& options) {
  TrainerOptions trainer = bench::trainer_options(shape, {"bf16", {}}, options.threads);
  trainer.batch_sequences = options.windows;
  const Subject a(trainer.model, 1), b(trainer.model, 2);
  std::vector<std::vector<uint16_t>> texts(
      static_cast<size_t>(options.windows),
      std::vector<uint16_t>(static_cast<size_t>(shape.sequence) + 1));
  const SequenceSource source = bench::random_tokens(trainer);
  for (size_t w = 0; w < texts.size(); ++w) source(0, static_cast<int64_t>(w), texts[w]);
  const std::vector<std::span<const uint16_t>> windows(texts.begin(), texts.end());
  ThreadPool pool(options.threads);
  const Baseline baseline = evaluate_baseline(a.model, a.parameters, windows, pool);

  const auto seconds = [&](const auto& f) {
    const double begin = bench::processor_seconds();
    f();
    return (bench::processor_seconds() - begin) / options.threads;
  };
  const auto losses = [&] { per_token_losses(b.model, b.parameters, windows, pool); };
  const auto comparison = [&] {
    compare_to_baseline(baseline, b.model, b.parameters, windows, pool);
  };
  losses();
  comparison();
  struct Round {
    double ratio, losses, comparison;
  };
  std::vector<Round> rounds;
  for (int i = 0; i < options.rounds; ++i) {
    const double plain = seconds(losses), compared = seconds(comparison);
    rounds.push_back({compared / plain, plain, compared});
  }
  std::sort(rounds.begin(), rounds.end(),
            [](const Round& x, const Round& y) { return x.ratio < y.ratio; });
  const Round& median = rounds[rounds.size() / 2];
  const auto tokens = static_cast<double>(options.windows * shape.sequence);
  return {{"shape", shape.name},
          {"threads", options.threads},
          {"loss_tokens_per_second", tokens / median.losses},
          {"comparison_tokens_per_second", tokens / median.comparison},
          {"ratio", median.ratio},
          {"lowest_ratio", rounds.front().ratio},
          {"highest_ratio", rounds.back().ratio}};
}

void run(const Options& options) {
  Json all = Json::array();
  if (!options.json)
    fmt::print("{:>6} {:>14} {:>14} {:>7} {:>15}\n", "shape", "losses tok/s", "compare tok/s",
               "ratio", "lowest highest");
  for (const bench::Shape& shape : bench::chosen(bench::kShapes, options.shapes, "shape")) {
    all.push_back(measure(shape, options));
    const Json& row = all.back();
    if (options.json) continue;
    fmt::print("{:>6} {:>14.0f} {:>14.0f} {:>7.2f} {:>7.2f} {:>7.2f}\n", shape.name,
               row["loss_tokens_per_second"].get<double>(),
               row["comparison_tokens_per_second"].get<double>(), row["ratio"].get<double>(),
               row["lowest_ratio"].get<double>(), row["highest_ratio"].get<double>());
    std::fflush(stdout);
  }
  if (options.json) fmt::print("{}\n", dump_json({{"clock", "processor"}, {"rows", all}}, 1));
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv,
      "Measures the cost of a comparison with a baseline as a multiple of plain losses.",
      [](CLI::App& app, Options& o) {
        app.add_option("--shapes", o.shapes, "comma-separated shapes, or all");
        app.add_option("--threads", o.threads)->check(bitlaw::bench::positive());
        app.add_option("--windows", o.windows, "windows of text")->check(bitlaw::bench::positive());
        app.add_option("--rounds", o.rounds, "rounds of each")->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
