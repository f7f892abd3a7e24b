// bitlaw runs: list, filter and export the tidy table of a directory of runs.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/output_file.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/verb.h"
#include "record/event_file.h"
#include "record/kept_model.h"
#include "runs/index.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

struct RunsFlags {
  std::string directory = "runs";
  std::vector<std::string> filters;
  std::string csv, tensorboard;
  bool along = false, prune = false, json = false, columns = false;
};

std::string number(double value, const char* format = "{:.4f}") {
  return std::isnan(value) ? "" : fmt::format(fmt::runtime(format), value);
}

std::string count(const std::optional<int64_t>& value) {
  return value ? format_count(static_cast<double>(*value)) : "";
}

void print_table(const std::vector<TidyRow>& rows) {
  const bool along =
      std::any_of(rows.begin(), rows.end(), [](auto& row) { return row.is_along(); });
  // Only with models along the runs.
  const auto of_run = [&](const std::string& text) {
    return along ? fmt::format(" {:>6}", text) : "";
  };
  fmt::print("{:<16} {:<9} {:>8} {:>8}{} {:>4} {:>4} {:>4} {:>5} {:<6} {:>5} {:>8} {:>8} {:>8}\n",
             "run", "status", "N", "D", of_run("of run"), "P_w", "P_a", "P_kv", "post", "method",
             "group", "loss", "delta", "std.err.");
  for (const TidyRow& row : rows) {
    fmt::print("{:<16} {:<9} {:>8} {:>8}{} {:>4} {:>4} {:>4} {:>5} {:<6} {:>5} {:>8} {:>8} {:>8}\n",
               row.run, row.status, count(row.N), count(row.D),
               of_run(number(row.run_fraction, "{:.3g}")), number(row.P_w, "{:g}"),
               number(row.P_a, "{:g}"), number(row.P_kv, "{:g}"),
               row.is_run() ? "" : number(row.P_post, "{:g}"), row.is_run() ? "" : row.method,
               row.group ? fmt::format("{}", *row.group) : "", number(row.loss), number(row.delta),
               number(row.standard_error));
  }
}

// Removes the models along the runs among these rows; what was measured of them stays.
void prune(const fs::path& directory, const std::vector<TidyRow>& rows, bool json) {
  int64_t models = 0, bytes = 0;
  for (const TidyRow& row : rows) {
    if (!row.is_along() || !row.is_run()) continue;
    const int64_t freed = remove_kept_model(directory / row.run, *row.D);
    models += freed > 0;
    bytes += freed;
  }
  if (json) {
    print_json(Json{{"removed", models}, {"bytes", bytes}});
    return;
  }
  fmt::print("{}: {} model{} along the runs removed, {}; their losses and cells stay\n",
             directory.string(), models, models == 1 ? "" : "s",
             format_bytes(static_cast<double>(bytes)));
}

// Models along the runs that fulfil the conditions; where these name run_fraction, the models that do.
std::vector<TidyRow> models_to_remove(const RunIndex& index,
                                      const std::vector<std::string>& filters,
                                      const std::vector<TidyRow>& selected) {
  if (ask_for_models_along(filters)) return selected;
  std::set<std::string> runs;
  for (const TidyRow& row : selected) {
    if (row.is_run() && !row.is_along()) runs.insert(row.run);
  }
  std::vector<std::string> notes;
  std::vector<TidyRow> all = index.select({}, notes);
  std::erase_if(all, [&](const TidyRow& row) { return !runs.contains(row.run); });
  return all;
}

// Event files of the runs among these rows, a directory for each.
void write_events(const RunsFlags& options, const std::vector<TidyRow>& rows) {
  std::set<std::string> runs;
  for (const TidyRow& row : rows) runs.insert(row.run);
  if (runs.empty()) {
    say("no run fulfils the conditions, so there are no event files");
    return;
  }
  size_t written = 0;
  for (const std::string& run : runs) {
    const fs::path place = fs::path(options.tensorboard) / run;
    written += !write_event_file(fs::path(options.directory) / run, place).empty();
  }
  if (written < runs.size()) {
    say("note: {} of {} runs have no metrics.jsonl, and so no event file", runs.size() - written,
        runs.size());
  }
  if (written > 0) {
    say("{}: event files of {} run{}; tensorboard --logdir {}", options.tensorboard, written,
        written == 1 ? "" : "s", options.tensorboard);
  }
}

void show_runs(const RunsFlags& options) {
  if (options.csv == "-" && options.json)
    throw Error(
        "--csv - and --json both print to standard output; give --csv a file, or leave one "
        "of them out");
  if (options.columns) {
    for (const TidyColumn& column : tidy_columns())
      fmt::print("{:<20} {}\n", column.name, column.help);
    return;
  }
  const bool along = options.along || options.prune || ask_for_models_along(options.filters);
  RunIndex index(options.directory, along ? Along::kInclude : Along::kLeaveOut);
  report_left_out(index.problems());
  std::vector<std::string> notes;
  const std::vector<TidyRow> rows = options.prune ? index.select(options.filters, notes)
                                                  : std::move(index).select(options.filters, notes);
  for (const std::string& note : notes) say("note: {}", note);
  if (options.prune) {
    prune(options.directory, models_to_remove(index, options.filters, rows), options.json);
    return;
  }
  if (!options.tensorboard.empty()) {
    write_events(options, rows);
    if (options.csv.empty() && !options.json) return;
  }
  if (options.csv == "-") {
    fmt::print("{}", tidy_to_csv(rows));
  } else if (!options.csv.empty()) {
    write_output_file(options.csv, tidy_to_csv(rows));
    say("{}: {} rows", options.csv, rows.size());
  }
  if (options.json)
    print_json(Json{{"rows", tidy_to_json(rows)}, {"problems", index.problems()}});
  else if (options.csv.empty())
    print_table(rows);
  if (!index.note().empty()) say("note: {}", index.note());
}

}  // namespace

void add_runs(App& app) {
  auto options = std::make_shared<RunsFlags>();
  App* verb = add_verb(app, "runs", "List, filter and export runs and their quantized cells",
                       "bitlaw runs runs/demo P_w=4 'N>1e5' --csv table.csv");
  verb->add_option("directory", options->directory, "directory of runs")->default_str("runs");
  verb->add_option("filters", options->filters,
                   "rows to list: P_w=4, P_w=3,4, N=1e6..3e8, D/N>20, method!=none");
  verb->add_option("--csv", options->csv,
                   "write the table to this CSV file (- for standard output)");
  verb->add_option("--tensorboard", options->tensorboard,
                   "write the metrics of these runs as event files to this directory, for "
                   "`tensorboard --logdir`; those that are up to date stay");
  verb->add_flag("--along", options->along,
                 "also models kept along the runs and their cells (so does a filter on "
                 "run_fraction)");
  verb->add_flag("--prune", options->prune,
                 "remove the models kept along these runs; their losses and cells stay");
  verb->add_flag("--columns", options->columns, "explain the columns");
  verb->add_flag("--json", options->json, "print the rows as JSON");
  verb->callback([options] { show_runs(*options); });
}

}  // namespace bitlaw::cli
