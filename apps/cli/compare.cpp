// bitlaw compare: laws beside each other, on a table and on rows they have not seen.

#include "compare/compare.h"

#include <fmt/format.h>

#include "ask/answers.h"
#include "ask/unused_options.h"
#include "base/error.h"
#include "base/output_file.h"
#include "base/parallel.h"
#include "base/range.h"
#include "cli/formula_flags.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "fit/lack_of_fit.h"

namespace bitlaw::cli {
namespace {

struct CompareFlags {
  TableFlags table;
  std::string out, residuals;
  FormulaFlags formula;
  CompareOptions compare;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false;
};

void run_compare(CompareFlags& options) {
  options.flags.fill_into(options.compare);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.compare)));
    return;
  }
  require_other_file("--out", options.out, options.table.paths);
  require_other_file("--residuals", options.residuals, options.table.paths);
  require_other_file("--residuals", options.residuals, options.out);
  refuse_to_write(options.dry_run, "--out", options.out);
  refuse_to_write(options.dry_run, "--residuals", options.residuals);
  refuse_unused_of_compare(options.compare,
                           [&](const std::string& key) { return options.flags.has(key); });
  options.formula.register_files();
  if (options.compare.laws.empty() && !options.formula.laws_of_file().empty()) {
    options.compare.laws = options.formula.laws_of_file();
    options.compare.laws.emplace_back("all");
  }
  if (options.formula.is_given()) {
    if (options.compare.laws.empty()) options.compare.laws = {"all"};
    options.compare.laws.emplace_back(options.formula.law(options.table.column_names()).name);
  }
  std::vector<std::string> said_later;
  options.compare.gaps = options.table.takes_gaps();
  const Table table = options.table.read(laws_to_compare(options.compare, said_later));
  if (options.dry_run) {
    print_table(table, options.table.path(), options.json);
    return;
  }
  ThreadPool pool(options.threads);
  const auto [comparison, lack, document] =
      compare_table(table, options.table.path(), options.compare, on(pool));
  print_notes(table);
  if (!options.out.empty()) write_output_file(options.out, dump_json(document, 1) + "\n");
  if (!options.residuals.empty()) write_output_file(options.residuals, comparison_csv(comparison));
  if (options.json) {
    print_json(document);
  } else {
    fmt::print("{}", comparison_text(comparison));
    if (!lack.empty()) fmt::print("Against replicates\n{}", lack);
  }
}

}  // namespace

void add_compare(App& app) {
  auto options = std::make_shared<CompareFlags>();
  App* verb = add_verb(
      app, "compare", "Compare laws by their error on held-out rows",
      "bitlaw compare runs/demo --laws all --hold-out largest-N\n"
      "  bitlaw compare table.csv --laws kumar,quest,additive-class --hold-out bits=3 --json\n"
      "  bitlaw compare table.csv --laws kumar --formula 'E + A/(N*P_w)^alpha + B/D^beta'");
  options->table.add(verb);
  verb->add_option("--out", options->out, "also write the JSON document to this file");
  verb->add_option(
      "--residuals", options->residuals,
      "write the table with every law's residuals, held out and not, to this CSV file");
  verb->add_option("--threads", options->threads, "threads")->whole(1, kMostThreads);
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run, "read the table, print what it contains, and stop");
  verb->add_flag("--json", options->json, "print one JSON document");
  options->flags.add(verb, options->compare, {"hold_out"});
  options->formula.add(verb);
  verb->add_option("--hold-out,--holdout", options->compare.hold_out,
                   "rows to hold out and predict: largest-N, largest-D, kfold, bits, class, "
                   "bits=3, P_w<=4, class=W4A4, N>3e8, D/N=20..40")
      ->default_str(options->compare.hold_out);
  verb->callback([options] { options->flags.naming_options([&] { run_compare(*options); }); });
}

}  // namespace bitlaw::cli
