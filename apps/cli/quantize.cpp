// bitlaw quantize: post-training quantization of finished runs, each cell compared with its run
// token by token.

#include <fmt/format.h>

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

void print_rows(const Json& rows) {
  fmt::print("{:<16} {:<6} {:<6} {:>10} {:>9} {:>10} {:>10}\n", "run", "method", "format",
             "scale per", "loss", "delta", "std.err.");
  for (const Json& row : rows) {
    fmt::print("{:<16} {:<6} {:<6} {:>10} {:>9.4f} {:>10.5f} {:>10}{}\n",
               row["run"].get<std::string>(), row["method"].get<std::string>(),
               row["format"].get<std::string>(), row["granularity"].get<std::string>(),
               row["loss_nats"].get<double>(), row["delta"].get<double>(),
               row["standard_error"].is_number()
                   ? fmt::format("{:.5f}", row["standard_error"].get<double>())
                   : "-",
               row["flagged"].get<bool>() ? "  some layer worse than RTN" : "");
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
    fmt::print("{:<16} {:<6} {:<6} group {:<4} {}\n", row["run"].get<std::string>(),
               row["method"].get<std::string>(), row["format"].get<std::string>(),
               row["group"].get<int>(), row["there"].get<bool>() ? "is there" : "to compute");
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
  if (options.json)
    print_json(Json{{"rows", rows}});
  else
    print_rows(rows);
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      add_verb(app, "quantize", "Quantize the weights of finished runs and measure what it costs",
               "bitlaw quantize runs/0123456789abcdef --method gptq --bits 3,4,6 --json");
  verb->add_option("runs", options->runs, "directories of runs")->required();
  verb->add_option("--method,--methods", options->methods, "rtn (round to nearest), gptq")
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
