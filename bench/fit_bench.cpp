// Times a fit of 1000 runs from many starts, its bootstrap, a comparison of all laws and a plan,
// and the same fit by SciPy.
//
// SciPy (tools/scipy_fit.py: analytic Jacobian in numpy, loss="huber") gets the same objective, box
// and starts, and one thread like bitlaw; both are measured by processor time. Rounds alternate:
// all starts by bitlaw, a few by SciPy, all by bitlaw again. The ratio of a round is SciPy's time,
// scaled to the same number of starts, over the geometric mean of bitlaw's before and after; the
// median of the rounds is printed, with the objectives that both reach.
//
//   bench/run fit [--json] [--python python3] [--rounds 8] [--scipy_starts 40]
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/source_folder.h"
#include "base/statistics.h"
#include "child.h"
#include "compare/compare.h"
#include "fit/bootstrap.h"
#include "fit/multistart.h"
#include "fit/starts.h"
#include "laws/forms/kumar.h"
#include "plan/plan.h"
#include "program.h"

namespace bitlaw {
namespace {

using bench::now;

struct Options {
  std::string python = "python3";
  std::string script = kSourceFolder + std::string("/tools/scipy_fit.py");
  int rows = 1000, starts = 200, draws = 1000;
  int rounds = 8, scipy_starts = 40;
  bool json = false;
};

constexpr uint64_t kSeed = 20;
constexpr double kNoise = 2e-3;  // of log loss

// Runs of the published law: sizes and data as in the paper and an order of magnitude beyond.
std::vector<Observation> simulated_runs(int count) {
  const Law& law = *find_law("kumar");
  const auto constants = law.constants[0].values;
  constexpr std::array kBits{3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0};
  std::vector<Observation> rows;
  for (int i = 0; i < count; ++i) {
    const auto uniform = [&](uint64_t stream) {
      return random_uniform(kSeed, stream, static_cast<uint64_t>(i));
    };
    const auto bits = [&](uint64_t stream, size_t fewest) {
      const double among = static_cast<double>(kBits.size() - fewest);
      return kBits[fewest + static_cast<size_t>(uniform(stream) * among)];
    };
    Observation run;
    run.params = std::exp(std::log(3e7) + uniform(0) * std::log(100.0));
    run.tokens = std::exp(std::log(1.5e9) + uniform(1) * std::log(100.0));
    run.bits_weights = bits(2, 0);
    run.bits_activations = bits(3, 1);  // three bits diverge
    run.loss_nats = predict(law, constants.data(), run) *
                    std::exp(kNoise * random_normal(kSeed, 4, static_cast<uint64_t>(i)));
    rows.push_back(run);
  }
  return rows;
}

// The nine constants that such runs determine.
StageSetup nine_constants(int starts) {
  const Law& law = *find_law("kumar");
  StageSetup setup;
  setup.law = &law;
  setup.base.assign(law.constants[0].values.begin(), law.constants[0].values.end());
  setup.tied_to.assign(law.parameters.size(), -1);
  setup.free = {Kumar::kE,      Kumar::kA,  Kumar::kB,      Kumar::kAlpha, Kumar::kBeta,
                Kumar::kGammaW, Kumar::kNW, Kumar::kGammaA, Kumar::kNA};
  setup.settings.huber = 1e-3;
  setup.starts = starts;
  return setup;
}

Json numbers(const Vector& values) {
  Json out = Json::array();
  for (const double value : values) {
    out.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
  }
  return out;
}

// What tools/scipy_fit.py needs. Keys and values keep 16 bits throughout: their constant share goes
// into N.
Json document(const StageSetup& setup, const std::vector<Observation>& rows,
              const Coordinates& coordinates, const std::vector<Vector>& starts) {
  const double kept =
      log_capacity(kUnquantizedBits, setup.base[Kumar::kGammaKv], setup.base[Kumar::kNKv]);
  Json out{{"huber", setup.settings.huber},
           {"low", numbers(coordinates.low())},
           {"high", numbers(coordinates.high())}};
  for (const Observation& run : rows) {
    out["log_params"].push_back(std::log(run.params) + kept);
    out["log_tokens"].push_back(std::log(run.tokens));
    out["bits_weights"].push_back(run.bits_weights);
    out["bits_activations"].push_back(run.bits_activations);
    out["log_loss"].push_back(std::log(run.loss_nats));
  }
  for (const Vector& start : starts) out["starts"].push_back(numbers(start));
  return out;
}

// Both must compute the same thing before their times may be compared.
void check_objectives(const Json& theirs, const ResidualProblem& problem,
                      const std::vector<Vector>& starts) {
  for (size_t i = 0; i < starts.size(); ++i) {
    const double ours = minimise_residuals(problem, starts[i], {.evaluations = 1}).objective;
    const double other = theirs.at(i).get<double>();
    if (!(std::fabs(other / ours - 1) < 1e-9)) {
      throw Error(fmt::format("start {}: bitlaw's objective is {}, that of tools/scipy_fit.py {}",
                              i, ours, other));
    }
  }
}

Json spread(std::vector<double> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {{"median", median(values)}, {"lowest", *low}, {"highest", *high}};
}

// Many starts, by bitlaw and by SciPy.
void multistart(const Options& options, const std::vector<Observation>& rows, Json& out) {
  const StageSetup setup = nine_constants(options.starts);
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  std::vector<Vector> starts;
  for (int i = 0; i < options.starts; ++i) {
    starts.push_back(starting_point(*setup.law, rows, coordinates, setup.settings, i, setup.seed));
  }

  StageMinimum fitted;
  std::vector<double> seconds, processor;
  const auto fit = [&] {
    const double begin = now(), processor_begin = bench::thread_seconds();
    fitted = fit_stage(setup, rows);
    processor.push_back(bench::thread_seconds() - processor_begin);
    seconds.push_back(now() - begin);
  };
  fit();

  bench::Child scipy({options.python, options.script, "--serve"}, 1);
  const Json ready = scipy.ask(dump_json(document(setup, rows, coordinates, starts), -1));
  std::vector<double> ratios, objectives;
  double scipy_seconds = 0;
  int64_t evaluations = 0;
  if (ready.is_null()) {
    for (int round = 0; round < options.rounds; ++round) fit();
    out["times_scipy"] = nullptr;
    out["note"] = fmt::format(
        "{} has no SciPy: `pip install scipy`, or give an interpreter that has it with --python",
        options.python);
  } else {
    check_objectives(ready.at("objectives_at_starts"), problem, starts);
    const int chunk = std::max(1, options.scipy_starts / options.rounds);
    for (int round = 0; round < options.rounds; ++round) {
      // Starts far apart, so that every round has easy and hard ones.
      const Json answer =
          scipy.ask(fmt::format("{} {}", (round * options.starts) / options.rounds, chunk));
      if (answer.is_null()) throw Error("tools/scipy_fit.py ended early");
      const double before = processor.back();
      fit();
      const double theirs = answer.at("seconds").get<double>();
      ratios.push_back(theirs * options.starts / chunk / std::sqrt(before * processor.back()));
      scipy_seconds += theirs;
      evaluations += answer.at("residual_evaluations").get<int64_t>();
      for (const Json& objective : answer.at("objectives")) objectives.push_back(objective);
    }
    out["times_scipy"] = median(ratios);
    out["times_scipy_lowest"] = *std::min_element(ratios.begin(), ratios.end());
    out["times_scipy_highest"] = *std::max_element(ratios.begin(), ratios.end());
    const double best = *std::min_element(objectives.begin(), objectives.end());
    const auto reached = std::count_if(objectives.begin(), objectives.end(),
                                       [&](double each) { return each <= 1.01 * best; });
    out["scipy"] = {{"version", ready.at("scipy")},
                    {"seconds_per_start", scipy_seconds / static_cast<double>(objectives.size())},
                    {"evaluations_per_start",
                     static_cast<double>(evaluations) / static_cast<double>(objectives.size())},
                    {"starts", objectives.size()},
                    {"reached", reached},
                    {"objective", spread(objectives)}};
  }
  out["multistart_seconds"] = median(seconds);
  out["ours"] = {{"starts", fitted.starts},
                 {"reached", fitted.reached},
                 {"objective", fitted.objective},
                 {"processor_seconds", spread(processor)}};
}

double bootstrap_seconds(const Options& options, const std::vector<Observation>& rows) {
  const StageSetup setup = nine_constants(16);
  const StageMinimum best = fit_stage(setup, rows);
  ThreadPool pool(2);
  const double begin = now();
  pool.parallel_for(options.draws, [&](int64_t draw, int) {
    refit_stage(setup, rows, best.values, draw_clusters(options.rows, kSeed, draw, 0));
  });
  return now() - begin;
}

double compare_seconds(const std::vector<Observation>& rows) {
  ThreadPool pool(2);
  const double begin = now();
  compare_laws({rows.begin(), rows.begin() + static_cast<long>(std::min<size_t>(500, rows.size()))},
               {}, [&](int64_t count, const std::function<void(int64_t)>& task) {
                 pool.parallel_for(count, [&](int64_t i, int) { task(i); });
               });
  return now() - begin;
}

double plan_milliseconds() {
  std::vector<double> seconds;
  for (int i = 0; i < 21; ++i) {
    PlanRequest request;
    request.compute = 1e21 * (1 + 0.01 * i);
    const double begin = now();
    const Plan plan = make_plan(request);
    seconds.push_back(now() - begin);
    if (!plan.error.empty()) throw Error(plan.error);
  }
  return 1e3 * median(seconds);
}

void print(const Json& out) {
  const Json& ours = out.at("ours");
  fmt::print("{:<46} {:>9.3f} s   one core; {} of {} starts reached objective {:.9g}\n",
             "kumar, 9 constants, 1000 runs, 200 starts",
             out.at("multistart_seconds").get<double>(), ours.at("reached").get<int>(),
             ours.at("starts").get<int>(), ours.at("objective").get<double>());
  if (out.at("times_scipy").is_number()) {
    const Json& scipy = out.at("scipy");
    fmt::print(
        "{:<46} {:>9.1f}     times faster ({:.1f} to {:.1f}); {:.3f} s and {:.0f} evaluations a "
        "start, {} of {} reached {:.9g}, median {:.9g}\n",
        "compared with SciPy " + scipy.at("version").get<std::string>(),
        out.at("times_scipy").get<double>(), out.at("times_scipy_lowest").get<double>(),
        out.at("times_scipy_highest").get<double>(), scipy.at("seconds_per_start").get<double>(),
        scipy.at("evaluations_per_start").get<double>(), scipy.at("reached").get<int>(),
        scipy.at("starts").get<int>(), scipy.at("objective").at("lowest").get<double>(),
        scipy.at("objective").at("median").get<double>());
  } else {
    fmt::print("{}\n", out.at("note").get<std::string>());
  }
  fmt::print("{:<46} {:>9.3f} s   two cores\n", "1000 bootstrap refits",
             out.at("bootstrap_seconds").get<double>());
  fmt::print("{:<46} {:>9.3f} s   two cores\n", "comparison of all laws, 500 runs",
             out.at("compare_seconds").get<double>());
  fmt::print("{:<46} {:>9.3f} ms\n", "a plan with published constants",
             out.at("plan_milliseconds").get<double>());
}

void run(const Options& options) {
  const std::vector<Observation> rows = simulated_runs(options.rows);
  Json out;
  multistart(options, rows, out);
  out["bootstrap_seconds"] = bootstrap_seconds(options, rows);
  out["compare_seconds"] = compare_seconds(rows);
  out["plan_milliseconds"] = plan_milliseconds();
  if (options.json) {
    fmt::print("{}\n", dump_json(out, 1));
  } else {
    print(out);
  }
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times fitting, and SciPy on the same starts.",
      [](CLI::App& app, Options& o) {
        app.add_option("--python", o.python, "interpreter that has SciPy");
        app.add_option("--rounds", o.rounds)->check(bitlaw::bench::positive());
        app.add_option("--scipy_starts", o.scipy_starts)->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
