// bitlaw simulate: a study drawn from a law whose constants are known.

#include "ask/simulated.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/input_file.h"
#include "base/output_file.h"
#include "base/say.h"
#include "cli/formula_flags.h"
#include "cli/table_files.h"
#include "cli/verb.h"
#include "table/write_table.h"

namespace bitlaw::cli {
namespace {

struct SimulateFlags {
  SimulateWords words;
  std::string fit, like, out;
  FormulaFlags formula;
  StructFlags flags;
  bool json = false, print_config = false, dry_run = false;
};

void run_simulate(SimulateFlags& options) {
  SimulateWords& words = options.words;
  options.flags.fill_into(words.study);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(words.study)));
    return;
  }
  require_other_file("--out", options.out, options.like);
  require_other_file("--out", options.out, options.fit);
  refuse_to_write(options.dry_run, "--out", options.out);
  options.formula.register_files();
  if (options.formula.is_given()) words.formula = options.formula.words();
  if (!options.fit.empty()) {
    words.fit = parse_json(read_input_file(options.fit), options.fit);
    words.fit_name = options.fit;
  }
  std::optional<RawTable> like;
  if (!options.like.empty()) like = read_table_files({options.like}, "auto").raw;
  KnownLaws known;
  const SimulatedTable made = simulate_table(
      words, std::move(like), options.like, known,
      [&](const std::string& key) { return options.flags.has(key); }, "--");
  const SimulatedStudy& study = made.study;
  if (study.diverged > 0)
    say("note: {} of {} rows would have diverged and were left out", study.diverged,
        study.rows.size() + static_cast<size_t>(study.diverged));
  if (options.dry_run) {
    const Json summary{
        {"law", made.law}, {"rows", study.rows.size()}, {"diverged", study.diverged}};
    if (options.json)
      print_json(summary);
    else
      fmt::print("{}: {} rows, {} diverged\n", made.law, study.rows.size(), study.diverged);
    return;
  }
  if (!options.out.empty()) write_output_file(options.out, table_to_csv(study.rows));
  if (options.json)
    print_json(made.document);
  else if (options.out.empty())
    fmt::print("{}", table_to_csv(study.rows));
}

}  // namespace

void add_simulate(App& app) {
  auto options = std::make_shared<SimulateFlags>();
  App* verb = add_verb(
      app, "simulate", "Simulate a study from a law with known constants, to test fits",
      "bitlaw simulate --law kumar --noise 1e-3 --out study.csv\n"
      "  bitlaw simulate --law chinchilla --params 1e8,1e9 --ratios 10,40,160 --constants E=1.8\n"
      "  bitlaw simulate --fit fit.json --like table.csv --seed 2 --json\n"
      "  bitlaw simulate --formula 'E + A/N^alpha + k*log(depth)' --constants "
      "E=2,A=400,alpha=0.34,k=-0.1 --inputs depth=8,32");
  verb->add_option("--law", options->words.law, "law to simulate")->default_str(default_law().name);
  verb->add_option("--set", options->words.set,
                   "published set of constants; empty = the law's first set");
  verb->add_option("--fit", options->fit,
                   "take law and constants from a document of `bitlaw fit --out`");
  verb->add_option("--constants", options->words.constants,
                   "constants to override: E=1.8,alpha=0.3")
      ->delimiter(',');
  verb->add_option("--like", options->like,
                   "simulate the runs of this table instead of the design");
  verb->add_option("--out", options->out, "write the CSV to this file instead of printing it");
  options->formula.add_formulas(verb);
  options->formula.add_file(verb);
  options->flags.add(verb, options->words.study);
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run, "print the number of rows, and stop");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { options->flags.naming_options([&] { run_simulate(*options); }); });
}

}  // namespace bitlaw::cli
