// bitlaw fit: a law from a table.

#include "fit/fit.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/verb.h"
#include "fit/table.h"

namespace bitlaw::cli {
namespace {

struct Options {
  std::string table, columns, out;
  FitOptions fit;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false;
};

Table read(const Options& options) {
  return read_table(read_table_text(options.table), options.table, parse_columns(options.columns));
}

void print_notes(const Table& table) {
  for (const std::string& note : table.notes) fmt::print(stderr, "note: {}\n", note);
}

void print_table(const Table& table, const Options& options) {
  if (options.json)
    print_json(Json{{"path", options.table},
                    {"rows", table.runs.size()},
                    {"diverged", table.diverged},
                    {"notes", table.notes}});
  else
    fmt::print("{}: {} rows to fit, {} diverged\n", options.table, table.runs.size(),
               table.diverged);
}

ParallelFor on(ThreadPool& pool) {
  return [&pool](int64_t count, const std::function<void(int64_t)>& task) {
    pool.parallel_for(count, [&](int64_t index, int) { task(index); });
  };
}

const Law& law_named(const std::string& name) {
  if (const Law* law = find_law(name)) return *law;
  std::string known;
  for (const std::string& each : law_names()) known += (known.empty() ? "" : ", ") + each;
  throw Error(fmt::format("{}: there is no such law; known are {}", name, known));
}

void run_fit(Options& options) {
  options.flags.fill_into(options.fit);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.fit)));
    return;
  }
  const Law& law = law_named(options.fit.law);
  const Table table = read(options);
  if (options.dry_run) {
    print_table(table, options);
    return;
  }
  ThreadPool pool(options.threads);
  const Fit fit = fit_law(law, table.runs, options.fit, on(pool));
  print_notes(table);
  Json document = fit_to_json(fit);
  document["table"] = {{"path", options.table},
                       {"rows", table.runs.size()},
                       {"diverged", table.diverged},
                       {"notes", table.notes}};
  if (!options.out.empty()) write_file_atomically(options.out, dump_json(document, 1) + "\n");
  if (options.json) {
    print_json(document);
    return;
  }
  fmt::print("{}", fit_text(fit));
  if (table.diverged > 0) fmt::print("{} diverged rows were left out.\n", table.diverged);
}

void add_table(CLI::App* verb, Options& options) {
  verb->add_option("table", options.table, "a CSV file, or a directory of runs")->required();
  verb->add_option("--columns", options.columns,
                   "other names of columns: N=params,D=tokens,loss=val_loss");
  verb->add_option("--out", options.out, "also write the JSON document there");
  verb->add_option("--threads", options.threads, "threads")->check(kPositive);
  verb->add_flag("--print-config", options.print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options.dry_run, "read the table, say what is in it, and stop");
  verb->add_flag("--json", options.json, "print one JSON document");
}

}  // namespace

void add_fit(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(
      app, "fit", "Fit a law to a table of runs, with intervals",
      "bitlaw fit runs/demo --law kumar --out fit.json\n"
      "  bitlaw fit table.csv --law chinchilla --columns N=params,D=tokens,loss=val_loss --json");
  add_table(verb, *options);
  options->flags.add(verb, options->fit);
  verb->callback([options] { run_fit(*options); });
}

}  // namespace bitlaw::cli
