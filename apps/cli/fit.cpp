// bitlaw fit: a law from a table.

#include "fit/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "ask/answers.h"
#include "ask/predictions.h"
#include "ask/unused_options.h"
#include "base/output_file.h"
#include "base/parallel.h"
#include "base/range.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/approach.h"
#include "cli/formula_flags.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "compare/rival.h"
#include "fit/freeze_from.h"
#include "fit/lack_of_fit.h"
#include "fit/reference.h"
#include "laws/bind.h"
#include "record/factor.h"
#include "table/pure_error.h"

namespace bitlaw::cli {
namespace {

struct FitFlags {
  TableFlags table;
  std::string out, freeze_from, residuals, approach, by, power_law;
  FormulaFlags formula;
  FitOptions fit;
  ApproachOptions of_approach;
  StructFlags flags, approach_flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false;
};

// --freeze-from: "fit.json", or "fit.json:E,alpha" for these constants alone.
void freeze_from_file(const std::string& text, const Law& law, const std::vector<Observation>& runs,
                      std::vector<std::string>& freeze) {
  if (text.empty()) return;
  const size_t colon = text.rfind(':');
  const std::string path = text.substr(0, colon);
  std::vector<std::string> wanted;
  if (colon != std::string::npos) wanted = split(text.substr(colon + 1), ',');
  freeze_from(fit_from_json(read_fit(path), path), path, std::move(wanted), law, runs, freeze);
}

FittedTable fit_asked(const FitFlags& options, const Law& law, const Table& table,
                      ThreadPool& pool) {
  FitOptions how = options.fit;
  freeze_from_file(options.freeze_from, law, table.runs, how.freeze);
  return fit_table(table, options.table.path(), law, how, on(pool));
}

// "  c4      alpha   0.3421  [0.33, 0.351]"
std::string group_lines(const std::string& value, size_t width, const Fit& fit) {
  std::string out =
      fmt::format("{:<{}} {} points, R^2 {:.4f}\n", value, width, fit.main().points, fit.main().r2);
  const auto end = [](double each, bool open) {
    return open ? std::string("none") : fmt::format("{:.5g}", each);
  };
  for (const FittedParameter& p : fit.parameters) {
    if (!p.frozen.empty()) continue;
    out += fmt::format("{:<{}}   {:<12} {:>14}", value, width, p.name,
                       p.identified ? fmt::format("{:.6g}", p.value) : "not identified");
    if (std::isfinite(p.low))
      out += fmt::format("  [{}, {}]", end(p.low, p.low_open), end(p.high, p.high_open));
    out += "\n";
  }
  for (const std::string& note : fit.notes) out += fmt::format("{:<{}}   {}\n", value, width, note);
  return out;
}

// --by COLUMN: a fit for each value of the column.
void run_groups(FitFlags& options, const Law& law) {
  if (!options.residuals.empty()) throw Error("--by: --residuals is for one fit; use --where");
  std::vector<TableGroup> groups = options.table.groups(options.by);
  size_t width = 0, fitted = 0;
  for (const TableGroup& group : groups) width = std::max(width, group.value.size());
  ThreadPool pool(options.threads);
  Json document{{"by", options.by}, {"law", law.name}, {"groups", Json::array()}};
  std::string text;
  for (TableGroup& group : groups) {
    const std::string value = group.value;
    Json& entry = document["groups"].emplace_back(Json{{"value", value}, {"fit", nullptr}});
    try {
      const Table table = options.table.read({&law}, std::move(group));
      for (const std::string& note : table.notes) say("note: {}: {}", value, note);
      FittedTable made = fit_asked(options, law, table, pool);
      text += group_lines(value, width, made.fit);
      entry["fit"] = std::move(made.document);
      ++fitted;
    } catch (const Error& error) {
      entry["error"] = error.what();
      text += fmt::format("{:<{}} not fitted: {}\n", value, width, error.what());
    }
  }
  if (fitted == 0)
    throw Error(fmt::format("--by {}: no group could be fitted; the first: {}", options.by,
                            document["groups"][0]["error"].get<std::string>()));
  if (!options.out.empty()) write_output_file(options.out, dump_json(document, 1) + "\n");
  if (options.json) {
    print_json(document);
    return;
  }
  fmt::print("{} by {}, {:.0f} % intervals\n{}", law.name, options.by, 100 * options.fit.level,
             text);
}

void run_fit(FitFlags& options) {
  options.flags.fill_into(options.fit);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.fit)));
    return;
  }
  require_other_file("--out", options.out, options.table.paths);
  require_other_file("--residuals", options.residuals, options.table.paths);
  require_other_file("--residuals", options.residuals, options.out);
  refuse_to_write(options.dry_run, "--out", options.out);
  refuse_to_write(options.dry_run, "--residuals", options.residuals);
  options.approach_flags.fill_into(options.of_approach);
  const IsGiven is_given = [&](const std::string& key) {
    return options.flags.has(key) || options.approach_flags.has(key);
  };
  refuse_unused_of_fit(options.fit, is_given);
  if (!options.approach.empty()) {
    refuse_unused_of_approach(options.approach, is_given);
    if (!options.residuals.empty() || !options.freeze_from.empty())
      throw Error("--approach: --residuals and --freeze-from are for a fit of one law");
    if (options.table.takes_gaps())
      throw Error("--gap-to: --approach is of losses; leave out one of the two");
    if (!options.by.empty())
      throw Error("--by: --approach takes one group; --where keeps the rows of one value");
    if (!options.power_law.empty())
      throw Error("--power-law: it fits one law; leave out --approach, or --power-law");
    if (options.formula.is_given())
      throw Error("--formula: --approach fits laws of N and D; leave out one of the two");
    if (!options.flags.has("law")) options.fit.law = law_without_bits().name;
    run_approach({options.approach, options.out, options.threads, options.dry_run, options.json},
                 options.of_approach, options.table, options.fit);
    return;
  }
  if (options.approach_flags.has("compute") || options.approach_flags.has("budget_tolerance"))
    throw Error(
        "--compute and --budget-tolerance are for --approach isoflop, envelope, parametric or all");
  options.formula.register_files();
  const bool named = options.flags.has("law");
  if (!options.power_law.empty() && (named || options.formula.is_given()))
    throw Error("--power-law: is a law of its own; leave out --law and --formula");
  if (!options.power_law.empty()) {
    const std::string column = options.table.column_of(options.power_law);
    if (!column.empty())
      options.flags.refuse({"params"}, fmt::format("--power-law {} takes the column {} as it is",
                                                   options.power_law, column));
    options.fit.law = FormulaFlags::power_law(options.power_law, column).name;
  } else if (options.formula.is_given()) {
    options.fit.law =
        options.formula.law(options.table.column_names(), named ? options.fit.law : "").name;
  } else if (const std::string only = named ? "" : options.formula.only_law_of_file();
             !only.empty()) {
    options.fit.law = only;
  } else if (!named) {
    options.fit.law = options.table.usual_law();
  }
  const Law& law = law_named(options.fit.law);
  refuse_unused_of_fit(law, is_given);
  if (!options.by.empty()) {
    if (options.dry_run) throw Error("--by: --dry-run is for the whole table; use --where");
    run_groups(options, law);
    return;
  }
  Table table = options.table.read({&law});
  if (options.dry_run) {
    const BoundLaw bound = bind_law(law, table.runs);
    if (const std::string missing = missing_reference(bound.law(), table.runs); !missing.empty())
      table.notes.push_back(missing + '.');
    print_table(table, options.table.path(), options.json);
    return;
  }
  ThreadPool pool(options.threads);
  const auto [fit, noise, lack, document] = fit_asked(options, law, table, pool);
  print_notes(table);
  if (!options.out.empty()) write_output_file(options.out, dump_json(document, 1) + "\n");
  if (!options.residuals.empty()) {
    std::vector<Predicting> by{{fit.law, {}}};
    const std::string wrong = read_constants("", "", document, by[0].constants);
    if (!wrong.empty()) throw Error("--residuals: " + wrong);
    FitOptions how = options.fit;
    freeze_from_file(options.freeze_from, law, table.runs, how.freeze);
    write_output_file(
        options.residuals,
        predictions_csv(table.runs, predict_rows(by, table.runs, options.fit.level),
                        residual_columns(table, row_residuals(law, table.runs, how, fit))));
  }
  if (options.json) {
    print_json(document);
    return;
  }
  fmt::print("{}{}", fit_text(fit), pure_error_text(noise));
  if (lack) fmt::print("{}\n", lack_of_fit_text(*lack));
  if (table.diverged > 0) fmt::print("{} diverged rows were left out.\n", table.diverged);
}

void add_common(App* verb, FitFlags& options) {
  options.table.add(verb);
  verb->add_option("--out", options.out, "also write the JSON document to this file");
  verb->add_option("--threads", options.threads, "threads")->whole(1, kMostThreads);
  verb->add_flag("--print-config", options.print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options.dry_run, "read the table, print what it contains, and stop");
  verb->add_flag("--json", options.json, "print one JSON document");
}

}  // namespace

void add_fit(App& app) {
  auto options = std::make_shared<FitFlags>();
  App* verb = add_verb(
      app, "fit", "Fit a law to a table of runs, with intervals",
      "bitlaw fit runs/demo --law kumar --out fit.json\n"
      "  bitlaw fit table.csv --law chinchilla --columns N=params,D=tokens,loss=val_loss --json\n"
      "  bitlaw fit table.csv --approach all --compute 1e21,1e22\n"
      "  bitlaw fit table.csv --law chinchilla --by dataset\n"
      "  bitlaw fit table.csv --formula 'E + A/N^alpha + B/D^beta*exp(-k*experts)' --constants "
      "k=0..2 --inputs experts=num_experts");
  add_common(verb, *options);
  options->flags.add(verb, options->fit);
  options->formula.add(verb);
  verb->add_option("--power-law", options->power_law,
                   "L = E + A x^-a in one quantity x: C, N, D or a column of the table, which may "
                   "have nothing else but the loss");
  verb->add_option("--approach", options->approach,
                   "the compute-optimal N and D instead of one law: isoflop (parabolas by budget), "
                   "envelope (of learning curves), parametric, or all")
      ->one_of({"isoflop", "envelope", "parametric", "all"});
  options->approach_flags.add(verb, options->of_approach);
  verb->add_option("--by", options->by,
                   "a fit for each value of this column: dataset, precision, optimizer");
  verb->add_option(
      "--residuals", options->residuals,
      "write a CSV of every row with its prediction, intervals and residual, its weight in "
      "the fit, and whether it is an outlier");
  verb->add_option(
      "--freeze-from", options->freeze_from,
      "a fit whose constants are kept fixed (fit.json), or some of them (fit.json:E,alpha)");
  verb->callback([options] {
    options->flags.naming_options(
        [&] { options->approach_flags.naming_options([&] { run_fit(*options); }); });
  });
}

}  // namespace bitlaw::cli
