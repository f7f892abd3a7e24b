// bitlaw simulate: a study drawn from a law whose constants are known: of a design, of the runs of a
// table, or of those that a study file plans.

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
#include "rehearse/rehearse.h"
#include "table/write_table.h"

namespace bitlaw::cli {
namespace {

struct SimulateFlags {
  SimulateWords words;
  std::string fit, like, study, out;
  std::vector<std::string> overrides, only;  // of the study
  FormulaFlags formula;
  StructFlags flags;
  bool json = false, print_config = false, dry_run = false;
};

// Error for what goes with a study file only, or not with one.
void check_study(const SimulateFlags& options) {
  if (options.study.empty()) {
    if (!options.overrides.empty())
      throw Error(
          fmt::format("{}: changes a study file, and there is none; give --study, or leave it out",
                      options.overrides[0]));
    if (!options.only.empty())
      throw Error("--only: selects cells of a study file; give --study, or leave it out");
    return;
  }
  if (!options.like.empty())
    throw Error("--like: the runs are those of --study; leave out one of the two");
  options.flags.refuse({"trunk"}, "the study says which runs share a trunk");
  options.flags.refuse(
      {"params", "tokens", "ratios", "weights", "activations", "kv", "keys", "values", "embedding",
       "head", "tied", "classes", "inputs", "post", "replicates"},
      "the runs are those of --study");
}

void print_counts(const Rehearsal& rehearsal, bool json) {
  if (json) {
    print_json({{"law", rehearsal.law},
                {"rows", rehearsal.rows.size()},
                {"runs", rehearsal.runs},
                {"diverged", rehearsal.diverged},
                {"cells", rehearsal.cells},
                {"zero_cells", rehearsal.zero_cells}});
    return;
  }
  fmt::print("{}: {} rows\n", rehearsal.law, rehearsal.rows.size());
  fmt::print("{:>8} runs, of which {} diverged\n", rehearsal.runs, rehearsal.diverged);
  fmt::print("{:>8} cells, of which {} have a delta of 0 by definition\n", rehearsal.cells,
             rehearsal.zero_cells);
}

void run_rehearsal(const SimulateFlags& options) {
  std::vector<std::string> study{options.study};
  study.insert(study.end(), options.overrides.begin(), options.overrides.end());
  KnownLaws known;
  const Rehearsal rehearsal = rehearse(
      plan_sweep(study, "", MissingData::kUnknown), options.only, options.words, known,
      [&](const std::string& key) { return options.flags.has(key); }, "--");
  for (const std::string& note : rehearsal.notes) say("note: {}", note);
  if (options.dry_run) {
    print_counts(rehearsal, options.json);
    return;
  }
  if (!options.out.empty()) write_output_file(options.out, tidy_to_csv(rehearsal.rows));
  if (options.json)
    print_json(rehearsal_json(rehearsal, options.words.study));
  else if (options.out.empty())
    fmt::print("{}", tidy_to_csv(rehearsal.rows));
}

void run_simulation(const SimulateFlags& options) {
  std::optional<RawTable> like;
  if (!options.like.empty()) like = read_table_files({options.like}, "auto").raw;
  KnownLaws known;
  const SimulatedTable made = simulate_table(
      options.words, std::move(like), options.like, known,
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

void run_simulate(SimulateFlags& options) {
  SimulateWords& words = options.words;
  options.flags.fill_into(words.study);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(words.study)));
    return;
  }
  check_study(options);
  require_other_file("--out", options.out, options.like);
  require_other_file("--out", options.out, options.fit);
  require_other_file("--out", options.out, options.study);
  refuse_to_write(options.dry_run, "--out", options.out);
  options.formula.register_files();
  if (options.formula.is_given()) words.formula = options.formula.words();
  if (!options.fit.empty()) {
    words.fit = parse_json(read_input_file(options.fit), options.fit);
    words.fit_name = options.fit;
  }
  options.study.empty() ? run_simulation(options) : run_rehearsal(options);
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
      "E=2,A=400,alpha=0.34,k=-0.1 --inputs depth=8,32\n"
      "  bitlaw simulate --study examples/study.toml base.model.vocabulary=512 --law kumar "
      "--constants E=1.2,A=28,alpha=0.26,B=600,beta=0.45 --noise 2e-3 --out rehearsal.csv\n"
      "  With --study the law sees of each run what it sees in a table: N, D, bits. Formats, "
      "methods "
      "and settings that it does not see give the same loss and delta, but for noise.");
  verb->add_option("overrides", options->overrides,
                   "with --study: keys of it to change, such as base.model.vocabulary=512");
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
  verb->add_option(
      "--study", options->study,
      "rehearse this study file of `bitlaw sweep`: the table that it would leave, with "
      "every column");
  verb->add_option("--only", options->only,
                   "with --study: these cells, as `bitlaw sweep --only` takes them; repeatable")
      ->allow_extra_args(false);
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
