#include "cli/approach.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/output_file.h"
#include "base/parallel.h"
#include "base/say.h"
#include "cli/verb.h"
#include "record/factor.h"
#include "record/kept_model.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

// The training loss along the runs of a directory; empty for any other table.
std::vector<LearningCurve> curves_of_runs(const TableFlags& flags, const Table& table,
                                          const ApproachOptions& options) {
  std::vector<LearningCurve> out;
  if (table.kind != "runs" || flags.paths.size() != 1) return out;
  std::set<std::string> known;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const Observation& run = table.runs[i];
    if (run.is_post_training() || run.cluster.empty() || !known.insert(run.cluster).second)
      continue;
    LearningCurve curve{run.cluster, params_counted(run, options.params), {}, {}};
    for (const LossAt& each : training_losses(fs::path(flags.paths[0]) / run.cluster)) {
      curve.tokens.push_back(each.tokens);
      curve.loss_nats.push_back(each.loss_nats);
    }
    if (curve.tokens.size() >= 10) out.push_back(std::move(curve));
  }
  return out;
}

// "", or what the schedule does to losses along a curve.
std::string about_schedule(const Table& table) {
  std::set<std::string> schedules;
  const Factor* const schedule = find_factor("schedule");
  BITLAW_CHECK(schedule != nullptr);
  for (const FactorRow& row : table.factors) schedules.insert(row.value(*schedule));
  schedules.erase("");
  if (schedules == std::set<std::string>{"constant"}) return "";
  const std::string what =
      schedules.empty()
          ? "The table does not say the schedule of the learning rate. Unless it is constant,"
          : fmt::format("The schedule of the learning rate is {}:", fmt::join(schedules, ", "));
  return "envelope: " + what +
         " the loss along a curve is not that of a run that ends there, whose rate has fallen, but "
         "higher; that favours sizes whose runs are near their end.";
}

bool has_curves(const std::string& approach) {
  return approach == "envelope" || approach == "all";
}

}  // namespace

void run_approach(const ApproachRun& run, ApproachOptions options, TableFlags& flags,
                  FitOptions fit) {
  const Law& law = law_named(fit.law);
  fit.hold_out = false, fit.profile = {};
  options.params = fit.params, options.draws = fit.draws, options.level = fit.level;
  options.seed = fit.seed;
  flags.tokens_by_step = flags.uses_compute = true;
  const Table table = flags.read({&law});
  if (run.dry_run) {
    print_table(table, flags.path(), run.json);
    return;
  }
  must_have_something_to_fit(table, flags.path());
  ThreadPool pool(run.threads);
  std::vector<LearningCurve> curves;
  if (has_curves(run.approach)) curves = curves_of_runs(flags, table, options);
  const bool own_runs = !curves.empty();
  Approaches found =
      fit_approaches(run.approach, table.runs, std::move(curves), options, law, fit, on(pool));
  if (has_curves(run.approach) && found.envelope.curves > 0) {
    if (const std::string about = about_schedule(table); !about.empty())
      found.notes.push_back(about);
    if (own_runs) found.notes.emplace_back("envelope: the curves are of the training loss.");
  }
  const bool nothing = nothing_found(found);
  // Budgets and crossings that were looked at say more than why there is no exponent.
  if (nothing && !run.json && found.isoflop.budgets.empty() && found.envelope.crossings.empty())
    throw Error(missing_text(found));
  print_notes(table);
  if (nothing) {
    say("bitlaw: {}", missing_text(found));
    exit_status = 1;
  }
  Json document = approaches_json(found);
  document["table"] = table_json(table, flags.path());
  if (!run.out.empty()) write_output_file(run.out, dump_json(document, 1) + "\n");
  if (run.json) {
    print_json(document);
  } else {
    fmt::print("{}", approaches_text(found));
  }
}

}  // namespace bitlaw::cli
