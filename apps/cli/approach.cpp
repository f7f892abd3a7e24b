#include "cli/approach.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <utility>

#include "ask/answers.h"
#include "base/error.h"
#include "base/output_file.h"
#include "base/parallel.h"
#include "base/say.h"
#include "cli/verb.h"
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

bool has_curves(const std::string& approach) {
  return approach == "envelope" || approach == "all";
}

}  // namespace

void run_approach(const ApproachRun& run, ApproachOptions options, TableFlags& flags,
                  FitOptions fit) {
  const Law& law = law_named(fit.law);
  flags.tokens_by_step = flags.uses_compute = true;
  const Table table = flags.read({&law});
  if (run.dry_run) {
    print_table(table, flags.path(), run.json);
    return;
  }
  ThreadPool pool(run.threads);
  options.params = fit.params;
  std::vector<LearningCurve> curves;
  if (has_curves(run.approach)) curves = curves_of_runs(flags, table, options);
  const auto [found, document] = approach_table(table, flags.path(), run.approach, options, law,
                                                fit, std::move(curves), on(pool));
  const bool nothing = nothing_found(found);
  // Budgets and crossings that were looked at say more than why there is no exponent.
  if (nothing && !run.json && found.isoflop.budgets.empty() && found.envelope.crossings.empty())
    throw Error(missing_text(found));
  print_notes(table);
  if (nothing) {
    say("bitlaw: {}", missing_text(found));
    exit_status = 1;
  }
  if (!run.out.empty()) write_output_file(run.out, dump_json(document, 1) + "\n");
  if (run.json) {
    print_json(document);
  } else {
    fmt::print("{}", approaches_text(found));
  }
}

}  // namespace bitlaw::cli
