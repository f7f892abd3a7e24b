// bitlaw reproduce: flags of the library's ReproduceOptions, and what came out for people.
#include "reproduce/reproduce.h"

#include <fmt/format.h>

#include <cmath>

#include "base/progress.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/verb.h"
#include "train/interrupt.h"

namespace bitlaw::cli {
namespace {

struct ReproduceFlags {
  ReproduceOptions options;
  StructFlags flags;
  bool json = false, print_config = false, dry_run = false;
};

std::string nine_digits(double value) {
  return std::isnan(value) ? "" : fmt::format("{:.9g}", value);
}

void print_engines(const Reproduction& out) {
  fmt::print("run {}, computed by {}; here {}\n", out.run,
             out.engines.empty() ? "an engine that is not recorded"
                                 : fmt::format("{}", fmt::join(out.engines, ", ")),
             out.engine);
  if (out.exact)
    fmt::print("all bits must agree\n");
  else
    fmt::print("bits need not agree: {}; the loss must be within {:g} nats\n", out.why_not,
               out.bound_nats);
}

void print_outcome(const Reproduction& out) {
  print_engines(out);
  fmt::print("{:<20} {:>14} {:>14}\n", "", "in the record", "now");
  for (const ReproducedNumber& each : out.numbers)
    fmt::print("{:<20} {:>14} {:>14}\n", each.name, nine_digits(each.recorded),
               nine_digits(each.again));
  if (!out.weights_hash.empty())
    fmt::print("weights              {}\n",
               out.weights_hash == out.weights_hash_again ? "the same, bit for bit" : "others");
  fmt::print("{:.3g} FLOP in {}\n", out.flops, format_duration(out.seconds));
  for (const std::string& difference : out.differences) fmt::print("differs: {}\n", difference);
  fmt::print("{}\n", out.reproduced ? "reproduced" : "not reproduced");
}

void run_reproduce(ReproduceFlags& flags) {
  flags.flags.fill_into(flags.options);
  if (flags.print_config) {
    fmt::print("{}", dump_toml(to_json(flags.options)));
    return;
  }
  if (flags.dry_run) {
    const Reproduction planned = plan_reproduction(flags.options);
    if (flags.json) {
      print_json(struct_to_json(planned));
      return;
    }
    print_engines(planned);
    fmt::print("{:.3g} FLOP\n", planned.flops);
    return;
  }
  install_stop_handlers();
  const Reproduction out = reproduce(flags.options);
  if (flags.json)
    print_json(struct_to_json(out));
  else if (!out.interrupted)
    print_outcome(out);
  if (out.interrupted) {
    say("stopped{}", flags.options.directory.empty() ? "" : "; the same command goes on from here");
    exit_status = kInterruptedExitCode;
  } else if (!out.reproduced) {
    exit_status = 1;
  }
}

}  // namespace

void add_reproduce(App& app) {
  auto flags = std::make_shared<ReproduceFlags>();
  App* verb = add_verb(app, "reproduce", "Make a run again from its record, and compare",
                       "bitlaw reproduce runs/demo/0123456789abcdef\n"
                       "  bitlaw reproduce table.csv:7 --runs runs/demo --json");
  verb->add_option("run", flags->options.what,
                   "directory of the run, or TABLE.csv:ROW of `bitlaw runs --csv` (rows from 1)")
      ->required();
  flags->flags.add(verb, flags->options);
  verb->add_flag("--dry-run", flags->dry_run, "say what would be made again, and stop");
  verb->add_flag("--print-config", flags->print_config, "print the options as TOML and stop");
  verb->add_flag("--json", flags->json, "print one JSON document");
  verb->callback([flags] { run_reproduce(*flags); });
}

}  // namespace bitlaw::cli
