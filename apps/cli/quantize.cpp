// bitlaw quantize: post-training quantization of finished runs, each cell compared with its run
// token by token.

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "cli/cells.h"
#include "cli/verb.h"
#include "ptq/quantize_run.h"

namespace bitlaw::cli {
namespace {

struct Options {
  std::vector<std::string> runs, methods;
  PtqConfig config;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false, quiet = false;
};

std::string number_or_dash(const Json& row, const char* key) {
  return row.contains(key) && row[key].is_number() ? fmt::format("{:.5f}", row[key].get<double>())
                                                   : "-";
}

std::string text_or_dash(const Json& row, const char* key) {
  return row[key].is_string() ? row[key].get<std::string>() : "-";
}

void print_rows(const Json& rows) {
  fmt::print("{:<16} {:<18} {:<12} {:>9} {:>4} {:>9} {:>9} {:>9} {:>8} {:>7}\n", "run", "method",
             "format", "scale per", "seed", "loss", "delta", "std.err.", "KL", "top-1");
  for (const Json& row : rows) {
    fmt::print("{:<16} {:<18} {:<12} {:>9} {:>4} {:>9.4f} {:>9.5f} {:>9} {:>8} {:>7}{}\n",
               row["run"].get<std::string>(), row["method"].get<std::string>(),
               text_or_dash(row, "scheme"), text_or_dash(row, "granularity"),
               row["calibration"].is_object() ? dump_json(row["calibration"]["seed"]) : "-",
               row["loss_nats"].get<double>(), row["delta"].get<double>(),
               number_or_dash(row, "standard_error"), number_or_dash(row, "kl_nats"),
               row["same_top"].is_number()
                   ? fmt::format("{:.2f}%", 100 * row["same_top"].get<double>())
                   : "-",
               row["flagged"].get<bool>() ? "  worse than rtn" : "");
  }
}

// What is not seen in a row by itself: the spread over calibrations, and why cells are flagged.
void print_remarks(const Json& rows) {
  std::set<std::string> said;
  for (const Json& row : rows) {
    if (!row.contains("spread")) continue;
    const Json& spread = row["spread"];
    const std::string line = fmt::format(
        "{} {} {} {}: delta {:.5f}, standard deviation {:.5f} over {} calibrations",
        row["run"].get<std::string>(), row["method"].get<std::string>(),
        text_or_dash(row, "scheme"), text_or_dash(row, "granularity"), spread["mean"].get<double>(),
        spread["standard_deviation"].get<double>(), spread["seeds"].get<int>());
    if (said.insert(line).second) fmt::print("{}\n", line);
  }
  for (const Json& row : rows) {
    for (const Json& flag : row["flags"]) {
      fmt::print("{} {} {}: {}\n", row["run"].get<std::string>(), row["method"].get<std::string>(),
                 text_or_dash(row, "scheme"), flag.get<std::string>());
    }
  }
}

void show_dry_run(const Options& options) {
  Json rows = Json::array();
  for (const std::string& run : options.runs) {
    for (const Json& cell : planned_cells(run, options.config)) rows.push_back(cell);
  }
  if (options.json) {
    print_json(Json{{"rows", rows}});
    return;
  }
  for (const Json& row : rows) {
    fmt::print("{:<16} {:<40} {}\n", row["run"].get<std::string>(), row["cell"].get<std::string>(),
               row["there"].get<bool>() ? "is there" : "to compute");
  }
}

void run(Options& options) {
  options.flags.fill_into(options.config);
  if (!options.methods.empty()) options.config.methods = options.methods;
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.config)));
    return;
  }
  if (options.dry_run) {
    show_dry_run(options);
    return;
  }
  ThreadPool pool(options.threads);
  Json rows = Json::array();
  for (const std::string& run : options.runs) {
    Progress progress(options.runs.size() > 1 ? "quantize " + run : "quantize", 1.0, options.quiet);
    const Json cells = quantize_run(run, options.config, pool,
                                    [&](double done, double total, const std::string& note) {
                                      progress.update(done / total, note);
                                    });
    progress.finish();
    for (const Json& row : cells) rows.push_back(row);
  }
  if (options.json) {
    print_json(Json{{"rows", rows}});
    return;
  }
  print_rows(rows);
  print_remarks(rows);
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(
      app, "quantize", "Quantize the weights of finished runs and measure what it costs",
      "bitlaw quantize runs/demo/* --methods rtn,gptq,awq --bits 2..8 --groups 0,128 --json");
  verb->add_option("runs", options->runs, "directories of runs")->required();
  verb->add_option(
          "--method,--methods", options->methods,
          "rtn (round to nearest), gptq, awq, none, with options: gptq+act-order, rtn+asymmetric, "
          "awq+clip, gptq+hadamard")
      ->delimiter(',')
      ->default_str("rtn,gptq");
  options->flags.add(verb, options->config, {"methods"});
  verb->add_option("--threads", options->threads, "threads")->check(kPositive);
  verb->add_flag("--quiet", options->quiet, "no progress");
  verb->add_flag("--dry-run", options->dry_run, "list the cells and which are there, and stop");
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--json", options->json, "print one JSON document: .rows[], a row per cell");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
