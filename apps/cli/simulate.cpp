// bitlaw simulate: a study drawn from a law whose constants are known.

#include "simulate/simulate.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/input_file.h"
#include "base/output_file.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/formula_flags.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "table/table.h"
#include "table/table_inputs.h"
#include "table/write_table.h"

namespace bitlaw::cli {
namespace {

struct SimulateFlags {
  std::string law = "kumar", set, fit, like, out;
  std::vector<std::string> constants;
  FormulaFlags formula;
  StudyOptions study;
  StructFlags flags;
  Option* law_option = nullptr;
  bool json = false, print_config = false, dry_run = false;
};

// Where the runs are in N, D and bits; what else differs between them does not matter here.
std::vector<Observation> runs_like(const std::string& path, const Law& law) {
  TableOptions options;
  options.inputs = inputs_of({&law});
  options.may_differ.modelled = factors_named({"all"});
  options.keep_3bit = true;
  return table_at(path, options).runs;
}

// --constants E=1.8,k=0.1 are the formula's; --inputs name its inputs with their values.
const Law& law_of_formula(const SimulateFlags& options) {
  std::vector<std::string> inputs;
  for (const std::string& text : options.study.inputs) {
    if (const size_t sign = text.find('='); sign != std::string::npos)
      inputs.push_back(trim(text.substr(0, sign)));
  }
  if (!options.like.empty()) {
    const std::vector<std::string> columns = read_table_files({options.like}, "auto").raw.columns();
    inputs.insert(inputs.end(), columns.begin(), columns.end());
  }
  const Law& law =
      options.formula.law_with(fmt::format("{}", fmt::join(options.constants, ",")), inputs);
  for (const Parameter& each : law.parameters) {
    if (each.low == each.high) continue;
    throw Error(fmt::format("--formula: a study needs a value of {}; give --constants {}=NUMBER",
                            each.name, each.name));
  }
  return law;
}

// Options of the design that this law or these runs have no use for.
void refuse_unused(const SimulateFlags& options, const Law& law) {
  if (!options.like.empty()) {
    options.flags.refuse(
        {"params", "tokens", "ratios", "weights", "activations", "kv", "keys", "values",
         "embedding", "head", "tied", "classes", "post", "replicates", "trunk"},
        "the runs are those of --like");
    if (!options.formula.is_given())
      options.flags.refuse({"inputs"}, "the runs are those of --like");
  }
  if (!law.uses_bits)
    options.flags.refuse({"weights", "activations", "kv", "tied", "classes"},
                         fmt::format("{} does not model bits in training", law.name));
  if (!law.has_delta)
    options.flags.refuse({"post", "delta_noise"},
                         fmt::format("{} does not model quantization after training", law.name));
}

void run_simulate(SimulateFlags& options) {
  options.flags.fill_into(options.study);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.study)));
    return;
  }
  require_other_file("--out", options.out, options.like);
  require_other_file("--out", options.out, options.fit);
  options.formula.register_files();
  BoundLaw of_fit;
  std::optional<Fit> fit;
  if (!options.fit.empty()) {
    const Json document = parse_json(read_input_file(options.fit), options.fit);
    fit = fit_from_json(document, options.fit);
    of_fit = law_of_fit(document, options.fit);
  }
  const Law& law = fit                          ? of_fit.law()
                   : options.formula.is_given() ? law_of_formula(options)
                                                : law_named(options.law);
  if (fit && !options.set.empty())
    throw Error("--set: --fit has constants of its own; leave out one of the two");
  if (fit && options.formula.is_given())
    throw Error("--formula: --fit has a law of its own; leave out one of the two");
  if (options.law_option->count() > 0 && law.name != options.law)
    throw Error(fmt::format("--law {}: {}; leave out --law", options.law,
                            fit ? fmt::format("{} is a fit of {}", options.fit, law.name)
                                : "--formula is a law of its own"));
  refuse_to_write(options.dry_run, "--out", options.out);
  refuse_unused(options, law);
  const std::vector<Observation> runs =
      options.like.empty() ? design_runs(law, options.study) : runs_like(options.like, law);
  const Truth truth = truth_for(law, runs, options.set, fit ? &*fit : nullptr, options.constants);
  const SimulatedStudy study = draw_study(truth, runs, options.study);
  if (study.diverged > 0) {
    say("note: {} of {} rows would have diverged and were left out", study.diverged, runs.size());
  }
  if (study.rows.empty()) throw Error("every run diverged; raise --diverged, or the bits");
  if (options.dry_run) {
    const Json summary{
        {"law", law.name}, {"rows", study.rows.size()}, {"diverged", study.diverged}};
    if (options.json)
      print_json(summary);
    else
      fmt::print("{}: {} rows, {} diverged\n", law.name, study.rows.size(), study.diverged);
    return;
  }
  if (!options.out.empty()) write_output_file(options.out, table_to_csv(study.rows));
  if (options.json)
    print_json(study_json(truth, study, options.study));
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
  options->law_option =
      verb->add_option("--law", options->law, "law to simulate")->default_str(options->law);
  verb->add_option("--set", options->set,
                   "published set of constants; empty = the law's first set");
  verb->add_option("--fit", options->fit,
                   "take law and constants from a document of `bitlaw fit --out`");
  verb->add_option("--constants", options->constants, "constants to override: E=1.8,alpha=0.3")
      ->delimiter(',');
  verb->add_option("--like", options->like,
                   "simulate the runs of this table instead of the design");
  verb->add_option("--out", options->out, "write the CSV to this file instead of printing it");
  options->formula.add_formulas(verb);
  options->formula.add_file(verb);
  options->flags.add(verb, options->study);
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run, "print the number of rows, and stop");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { options->flags.naming_options([&] { run_simulate(*options); }); });
}

}  // namespace bitlaw::cli
