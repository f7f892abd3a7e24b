// bitlaw runs: list, filter and export the tidy table of a directory of runs.

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/verb.h"
#include "runs/index.h"
#include "runs/run_files.h"

namespace bitlaw::cli {
namespace {

struct Options {
  std::string directory = "runs";
  std::vector<std::string> filters;
  std::string csv;
  bool json = false, columns = false;
};

std::string cell(const Json& value, const char* format = "{:.4f}") {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return fmt::format(fmt::runtime(format), value.get<double>());
}

void print_table(const Json& rows) {
  fmt::print("{:<16} {:<9} {:>8} {:>8} {:>4} {:>4} {:>4} {:>5} {:<6} {:>5} {:>8} {:>8} {:>8}\n",
             "run", "status", "N", "D", "P_w", "P_a", "P_kv", "post", "method", "group", "loss",
             "delta", "std.err.");
  for (const Json& row : rows) {
    const bool post = row["method"] != "none";
    fmt::print("{:<16} {:<9} {:>8} {:>8} {:>4} {:>4} {:>4} {:>5} {:<6} {:>5} {:>8} {:>8} {:>8}\n",
               row["run"].get<std::string>(), row["status"].get<std::string>(),
               row["N"].is_null() ? "" : format_count(row["N"].get<double>()),
               row["D"].is_null() ? "" : format_count(row["D"].get<double>()),
               cell(row["P_w"], "{:g}"), cell(row["P_a"], "{:g}"), cell(row["P_kv"], "{:g}"),
               post ? cell(row["P_post"], "{:g}") : "",
               post ? row["method"].get<std::string>() : "", cell(row["group"], "{:g}"),
               cell(row["loss"]), cell(row["delta"]), cell(row["standard_error"]));
  }
}

void run(const Options& options) {
  if (options.columns) {
    for (const TidyColumn& column : tidy_columns())
      fmt::print("{:<20} {}\n", column.name, column.help);
    return;
  }
  const RunIndex index(options.directory);
  for (const std::string& problem : index.problems()) fmt::print(stderr, "left out: {}\n", problem);
  const Json rows = index.select(options.filters);
  if (options.csv == "-") {
    fmt::print("{}", to_csv(rows));
  } else if (!options.csv.empty()) {
    write_file_atomically(options.csv, to_csv(rows));
    fmt::print(stderr, "{}: {} rows\n", options.csv, rows.size());
  }
  if (options.json)
    print_json(Json{{"rows", rows}, {"problems", index.problems()}});
  else if (options.csv.empty())
    print_table(rows);
}

}  // namespace

void add_runs(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(app, "runs", "List, filter and export runs and their quantized cells",
                            "bitlaw runs runs/demo P_w=4 'N>1e5' --csv table.csv");
  verb->add_option("directory", options->directory, "directory of runs")->default_str("runs");
  verb->add_option("filters", options->filters, "COLUMN=VALUE, also !=, <, <=, >, >=");
  verb->add_option("--csv", options->csv, "write the tidy table there (- for standard output)");
  verb->add_flag("--columns", options->columns, "explain the columns");
  verb->add_flag("--json", options->json, "print the rows as JSON");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
