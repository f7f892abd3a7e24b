// The rate of the training step alone, and beside a process that keeps a core busy.
//
// Rounds of a few seconds alternate: alone, beside a neighbour bound to the first core, beside one
// that the kernel may move, alone again. The printed ratio is a round's rate over the mean of the two
// rounds alone around it, so that slow changes of the machine cancel. With n cores and as many
// threads, an engine that never waits keeps n / (n + 1) beside a neighbour that is moved.
//
//   bench/run neighbour [--json] [--shape B] [--recipe w4a4kv4] [--threads 2] [--rounds 5]
//                       [--seconds 2]
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "program.h"
#include "train_cases.h"

namespace bitlaw {
namespace {

struct Options {
  std::string shape = "B", recipe = "w4a4kv4";
  int threads = 2, rounds = 5;
  double seconds = 2;  // of a round, at least one step
  bool json = false;
};

// A process that spins while it may, from its start stopped. It is made before anything else, so
// that it shares no memory with the trainer.
class Neighbour {
 public:
  explicit Neighbour(bool bound) : process_(::fork()) {
    if (process_ < 0) throw Error("fork: cannot start a neighbour");
    if (process_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (bound) {
      cpu_set_t first;
      CPU_ZERO(&first);
      CPU_SET(0, &first);
      ::sched_setaffinity(0, sizeof first, &first);
    }
    ::raise(SIGSTOP);
    for (volatile bool busy = true; busy;) {
    }
  }
  ~Neighbour() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  void go() { ::kill(process_, SIGCONT); }
  void stop() { ::kill(process_, SIGSTOP); }

 private:
  pid_t process_;
};

// Tokens per second over whole steps.
double rate(Trainer& trainer, const SequenceSource& source, double seconds) {
  const int64_t step_tokens = trainer.options().batch_sequences * trainer.options().model.sequence;
  const double begin = bench::now();
  int64_t tokens = 0;
  do {
    trainer.step(source, 1e-3);
    tokens += step_tokens;
  } while (bench::now() - begin < seconds);
  return static_cast<double>(tokens) / (bench::now() - begin);
}

struct Kept {
  const char* neighbour;
  std::vector<double> ratios;

  double median() {
    std::sort(ratios.begin(), ratios.end());
    return ratios[ratios.size() / 2];
  }
};

void run(const Options& options) {
  const bench::Shape shape = bench::chosen(bench::kShapes, options.shape, "shape").front();
  const bench::Case recipe = bench::chosen(bench::recipes(), options.recipe, "recipe").front();
  Neighbour bound(true), moved(false);
  Trainer trainer(bench::trainer_options(shape, recipe, options.threads));
  const SequenceSource source = bench::random_tokens(trainer.options());
  for (int step = 0; step < 2; ++step) trainer.step(source, 1e-3);  // touches the memory

  Kept kept[] = {{"on the first core", {}}, {"moved by the kernel", {}}};
  std::vector<double> alone{rate(trainer, source, options.seconds)};
  for (int round = 0; round < options.rounds; ++round) {
    for (Neighbour* neighbour : {&bound, &moved}) {
      neighbour->go();
      const double beside = rate(trainer, source, options.seconds);
      neighbour->stop();
      const double before = alone.back();
      alone.push_back(rate(trainer, source, options.seconds));
      kept[neighbour == &moved].ratios.push_back(2 * beside / (before + alone.back()));
    }
  }
  Kept rates{"alone", alone};
  const double median_rate = rates.median();
  Json rows = Json::array();
  if (!options.json) {
    fmt::print("shape {}, {}, {} threads: alone {:.0f} tokens/s ({:.0f} to {:.0f})\n", shape.name,
               recipe.name, options.threads, median_rate, rates.ratios.front(),
               rates.ratios.back());
  }
  for (Kept& k : kept) {
    const double median = k.median();
    rows.push_back({{"neighbour", k.neighbour},
                    {"kept", median},
                    {"lowest", k.ratios.front()},
                    {"highest", k.ratios.back()},
                    {"rounds", k.ratios.size()}});
    if (!options.json) {
      fmt::print(
          "a busy neighbour {:<20} keeps {:.1f} % of the rate (lowest {:.1f}, highest {:.1f}, {} "
          "rounds)\n",
          k.neighbour, 100 * median, 100 * k.ratios.front(), 100 * k.ratios.back(),
          k.ratios.size());
    }
  }
  if (options.json) {
    fmt::print("{}\n", dump_json({{"shape", shape.name},
                                  {"recipe", recipe.name},
                                  {"threads", options.threads},
                                  {"tokens_per_second", median_rate},
                                  {"rows", rows}},
                                 1));
  }
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times the training step alone and beside a process that keeps a core busy.",
      [](CLI::App& app, Options& o) {
        app.add_option("--shape", o.shape);
        app.add_option("--recipe", o.recipe);
        app.add_option("--threads", o.threads)->check(bitlaw::bench::positive());
        app.add_option("--rounds", o.rounds)->check(bitlaw::bench::positive());
        app.add_option("--seconds", o.seconds, "seconds per round")
            ->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
