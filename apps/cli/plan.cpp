// bitlaw plan: from the constants of a law to a decision.

#include "plan/plan.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"

namespace bitlaw::cli {
namespace {

struct Options {
  PlanRequest request;
  StructFlags flags;
  std::string fit;
  bool json = false, print_config = false, dry_run = false;
};

void run(Options& options) {
  options.flags.fill_into(options.request);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.request)));
    return;
  }
  const Json fit = read_fit(options.fit);
  Json plan = make_plan(options.request, fit);
  if (plan.contains("error")) throw Error("plan: " + plan["error"].get<std::string>());
  if (options.dry_run) {  // planning takes no time: what it rests on is what there is to say
    print_json(
        Json{{"law", plan["law"]}, {"source", plan["source"]}, {"request", plan["request"]}});
    return;
  }
  if (options.json)
    print_json(plan);
  else
    fmt::print("{}", plan_text(plan));
}

}  // namespace

void add_plan(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      add_verb(app, "plan", "Choose parameters, tokens and bits under a budget",
               "bitlaw plan --law kumar --free N,D,P --compute 1e21\n"
               "  bitlaw plan --law kumar --critical-data --params 30e6 --bits 3,4,5,6\n"
               "  bitlaw plan --fit fit.json --free N,D --bits 4 --compute 1e18 --json");
  options->flags.add(verb, options->request);
  verb->add_option("--fit", options->fit,
                   "constants of one's own: a document of `bitlaw fit --out`");
  verb->add_flag("--print-config", options->print_config, "print the request as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run,
                 "print the request and the constants' source, and stop");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
