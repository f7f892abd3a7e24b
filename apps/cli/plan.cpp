// bitlaw plan: from the constants of a law to a decision.

#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/number.h"
#include "base/output_file.h"
#include "base/text.h"
#include "cli/formula_flags.h"
#include "cli/verb.h"
#include "formats/code_entropy.h"
#include "plan/frontier.h"
#include "plan/given.h"
#include "plan/unused.h"

namespace bitlaw::cli {
namespace {

struct PlanFlags {
  PlanRequest request;
  FormulaFlags formula;
  StructFlags flags;
  std::vector<std::string> fits;
  std::string devices, csv;
  bool json = false, print_config = false, dry_run = false;
};

Json as_resolved(PlanRequest request) {
  request.free = free_of(request);
  return to_json(request);
}

// What a dry run prints: planning takes no time, so what it rests on is what there is to say.
Json sources_of(const Plan& plan, const PlanRequest&) {
  return {{"law", plan.law}, {"source", plan.source}, {"request", to_json(plan.request)}};
}

Json sources_of(const PlanComparison& comparison, const PlanRequest& request) {
  Json laws = Json::array();
  for (const NamedPlan& each : comparison.plans) {
    laws.push_back({{"law", each.plan.law}, {"source", each.plan.source}});
  }
  return {{"laws", laws},
          {"skipped", plan_json(comparison)["skipped"]},
          {"request", as_resolved(request)}};
}

// What the library says of keys of the request, of the options that were typed.
[[noreturn]] void refuse(const PlanFlags& options, const std::string& error) {
  const std::string typed = options.flags.in_options(error);
  throw Error(typed.starts_with("--") ? typed : "plan: " + typed);
}

template <class Answer>  // Plan or PlanComparison
void print(const Answer& answer, const PlanFlags& options) {
  if (!answer.error.empty()) refuse(options, answer.error);
  if (options.dry_run) {
    print_json(sources_of(answer, options.request));
  } else if (options.json) {
    print_json(plan_json(answer));
  } else {
    fmt::print("{}", plan_text(answer));
  }
}

// A fit has its own law and constants.
void refuse_others(const PlanFlags& options, const std::vector<Json>& fits) {
  if (fits.empty() || !options.request.laws.empty()) return;
  if (options.flags.has("constants"))
    throw Error("--constants: a fit has constants of its own; leave out --constants or --fit");
  for (size_t i = 0; i < fits.size() && options.flags.has("law"); ++i) {
    const Json law = fits[i].is_object() ? fits[i].value("law", Json()) : Json();
    if (!law.is_string() || law == options.request.law) continue;
    throw Error(fmt::format(
        "--law {}: {} is a fit of {}; leave out --law, or compare both with --laws {}",
        options.request.law, options.fits[i], law.get<std::string>(), options.request.law));
  }
}

// Options of the verb that change nothing; make_plan refuses those of the request.
void refuse_unused(const PlanFlags& options, const std::vector<Json>& fits) {
  const PlanRequest& request = options.request;
  if (!options.devices.empty() && request.device.empty())
    throw Error("--devices: names no device by itself; give --device and --gpu-hours, too");
  if (request.laws.empty()) return;
  const bool among = std::any_of(request.laws.begin(), request.laws.end(), [&](const auto& list) {
    const std::vector<std::string> names = split(list, ',');
    return std::find(names.begin(), names.end(), request.law) != names.end() ||
           std::find(names.begin(), names.end(), "all") != names.end();
  });
  const bool needed = options.flags.has("constants") || !fits.empty();
  if (options.flags.has("law") && !(among && needed))
    throw Error(fmt::format("--law {}: --laws lists the laws; leave out --law", request.law));
  if (options.flags.has("constants") && !options.flags.has("law"))
    throw Error("--constants: with --laws, --law says whose constants these are; give it, too");
}

// A file of counts of codes, {"4": [12, 80, ...], "3": [...]}, as entropies of these bits.
void read_counts(std::vector<std::string>& entropies) {
  std::vector<std::string> out;
  for (const std::string& item : entropies) {
    if (item == "gaussian" || item.find(':') != std::string::npos ||
        !std::filesystem::exists(item)) {
      out.push_back(item);
      continue;
    }
    const Json counts = parse_json(read_file(item), item);
    if (!counts.is_object() || counts.empty())
      throw Error(
          fmt::format("{}: expected counts of codes by bits, {{\"4\": [12, 80, ...]}}", item));
    for (const auto& [bits, list] : counts.items()) {
      std::vector<double> numbers;
      for (const Json& each : list.is_array() ? list : Json::array()) {
        if (!each.is_number() || !(each.get<double>() >= 0))
          throw Error(fmt::format("{}: a count of {} bits is not a number of codes", item, bits));
        numbers.push_back(each.get<double>());
      }
      const auto count = parse_positive(bits);
      const double entropy = entropy_of_counts(numbers);
      if (!count || !(entropy > 0) || static_cast<double>(numbers.size()) > std::exp2(*count)) {
        throw Error(fmt::format(
            "{}: {} is not a list of counts of at most 2^bits codes, two or more of them in use",
            item, printable(bits)));
      }
      out.push_back(fmt::format("{}:{}", bits, entropy));
    }
  }
  entropies = std::move(out);
}

void run_frontier(const PlanFlags& options, const std::vector<Json>& fits, const Json& devices) {
  const Frontiers made = make_frontiers(options.request, fits, devices);
  if (!made.error.empty()) refuse(options, made.error);
  if (!options.csv.empty()) write_output_file(options.csv, frontier_csv(made));
  if (options.json) {
    print_json(frontier_json(made));
  } else if (options.csv != "/dev/stdout") {
    fmt::print("{}", frontier_text(made));
  }
}

void run_plan(PlanFlags& options) {
  options.flags.fill_into(options.request);
  read_counts(options.request.entropy_coded);
  if (options.print_config) {
    fmt::print("{}", dump_toml(as_resolved(options.request)));
    return;
  }
  options.formula.register_files();
  std::vector<Json> fits;
  for (const std::string& path : options.fits) fits.push_back(read_fit(path));
  refuse_others(options, fits);
  refuse_unused(options, fits);
  if (options.request.laws.empty() && fits.size() < 2) {
    const std::string unused =
        check_surroundings(options.request, fits.empty() ? Json(nullptr) : fits[0]);
    if (!unused.empty()) refuse(options, unused);
  }
  const Json devices = options.devices.empty() ? Json(nullptr) : read_toml(options.devices);
  if (!options.request.frontier.empty()) {
    if (options.dry_run)
      throw Error("--dry-run: a frontier is computed at once; leave out --dry-run or --frontier");
    run_frontier(options, fits, devices);
    return;
  }
  if (!options.csv.empty()) throw Error("--csv: this is for a frontier; give --frontier too");
  const bool several = !options.request.laws.empty() || fits.size() > 1;
  if (several) {
    print(compare_plans(options.request, fits, devices), options);
  } else {
    print(make_plan(options.request, fits.empty() ? Json(nullptr) : fits[0], devices), options);
  }
}

}  // namespace

void add_plan(App& app) {
  auto options = std::make_shared<PlanFlags>();
  App* verb = add_verb(
      app, "plan", "Choose parameters, tokens and bits under a budget",
      "bitlaw plan --law kumar --compute 1e21\n"
      "  bitlaw plan --law kumar --critical-data --params 30e6 --bits 3,4,5,6\n"
      "  bitlaw plan --fit fit.json --bits 4 --compute 1e18 --json\n"
      "  bitlaw plan --gpu-hours 1e5 --device h100 --memory-bytes 24e9 --serve-tokens 1e12\n"
      "  bitlaw plan --frontier bytes=4e6..1e12 --tokens 1e11 --csv frontier.csv\n"
      "  bitlaw plan --laws all --compute 1e21");
  options->flags.add(verb, options->request);
  verb->add_option("--fit", options->fits,
                   "your own constants: documents of `bitlaw fit --out`; several are compared");
  verb->add_option("--devices", options->devices,
                   "a TOML table of your own devices: [name] 16 = FLOP/s, 8 = ..., 4 = ...");
  verb->add_option("--csv", options->csv, "with --frontier: write the table to this file as CSV");
  options->formula.add_file(verb);
  verb->add_flag("--print-config", options->print_config, "print the request as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run,
                 "print the request and the constants' source, and stop");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_plan(*options); });
}

}  // namespace bitlaw::cli
