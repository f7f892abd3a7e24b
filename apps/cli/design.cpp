// bitlaw design: which runs to make next.

#include "design/design.h"

#include <fmt/format.h>

#include <filesystem>

#include "ask/answers.h"
#include "ask/unused_options.h"
#include "base/error.h"
#include "base/input_file.h"
#include "base/output_file.h"
#include "base/parallel.h"
#include "base/range.h"
#include "cli/formula_flags.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "table/candidates.h"
#include "table/table_inputs.h"

namespace bitlaw::cli {
namespace {

struct DesignFlags {
  TableFlags table;
  std::string out;
  FormulaFlags formula;
  DesignOptions design;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false;
};

void run_design(DesignFlags& options) {
  options.flags.fill_into(options.design);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.design)));
    return;
  }
  require_other_file("--out", options.out, options.table.paths);
  require_other_file("--out", options.out, options.design.candidates);
  refuse_to_write(options.dry_run, "--out", options.out);
  if (options.table.takes_gaps())
    throw Error(
        "--gap-to: design chooses runs by what their losses tell; leave out --gap-to, and name a "
        "law "
        "of losses");
  options.formula.register_files();
  const bool named = options.flags.has("law");
  if (options.formula.is_given())
    options.design.law =
        options.formula.law(options.table.column_names(), named ? options.design.law : "").name;
  else if (const std::string only = named ? "" : options.formula.only_law_of_file(); !only.empty())
    options.design.law = only;
  else if (!named)
    options.design.law = options.table.usual_law();
  const Law& law = law_named(options.design.law);
  refuse_unused_of_design(law, [&](const std::string& key) { return options.flags.has(key); });
  const Table table = options.table.read({&law});
  if (options.dry_run) {
    print_table(table, options.table.path(), options.json);
    return;
  }
  const std::string& listed = options.design.candidates;
  std::vector<Observation> candidates;
  if (std::error_code none; std::filesystem::exists(listed, none)) {
    TableOptions planned;
    planned.reference = table.reference;
    planned.gaussian_error = table.gaussian_error;
    planned.inputs = inputs_of({&law});
    candidates = read_candidates(read_input_file(listed), listed, planned);
  }
  ThreadPool pool(options.threads);
  const auto [design, document] =
      design_table(table, options.table.path(), options.design, candidates, on(pool));
  print_notes(table);
  if (!options.out.empty()) write_output_file(options.out, dump_json(document, 1) + "\n");
  if (options.json) {
    print_json(document);
  } else {
    fmt::print("{}", design_text(design));
  }
}

}  // namespace

void add_design(App& app) {
  auto options = std::make_shared<DesignFlags>();
  App* verb = add_verb(
      app, "design", "Propose the next runs: the most informative per FLOP for a chosen quantity",
      "bitlaw design runs/demo --law kumar --shrink 'P*' --budget 1e15 --runs 6\n"
      "  bitlaw design table.csv --shrink alpha --candidates 'N=1e8,2e8;D=1e10,4e10;bits=3,4,16'\n"
      "  bitlaw design table.csv --shrink D_crit:4@N=1e9 --candidates runs_we_could_make.csv "
      "--json");
  options->table.add(verb);
  verb->add_option("--out", options->out, "also write the JSON document to this file");
  verb->add_option("--threads", options->threads, "threads")->whole(1, kMostThreads);
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run, "read the table, print what it contains, and stop");
  verb->add_flag("--json", options->json, "print one JSON document");
  options->flags.add(verb, options->design);
  options->formula.add(verb);
  verb->callback([options] { options->flags.naming_options([&] { run_design(*options); }); });
}

}  // namespace bitlaw::cli
