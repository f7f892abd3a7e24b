// bitlaw report: one self-contained page from a directory of runs and a fit.

#include "report/report.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/output_file.h"
#include "base/say.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "fit/fit.h"
#include "record/tidy_row.h"
#include "runs/effort.h"
#include "runs/index.h"

namespace bitlaw::cli {
namespace {

struct ReportFlags {
  std::string runs = "runs", fit, out = "report.html", title;
  std::vector<std::string> filters, pool;
  bool json = false;
};

// In `report RUNS --pool lr batch` the last word is a filter.
void must_be_conditions(const ReportFlags& options) {
  for (const std::string& filter : options.filters) {
    if (options.pool.empty() || filter.find_first_of("=!<>") != std::string::npos) continue;
    throw Error(
        fmt::format("{} was not expected; --pool takes one list with commas, as in --pool {},{}",
                    filter, options.pool.back(), filter));
  }
}

void run_report(const ReportFlags& options) {
  must_be_conditions(options);
  require_other_file("--out", options.out, options.fit);
  const bool along = ask_for_models_along(options.filters) || pool_models_along(options.pool);
  const RunIndex index(options.runs, along ? Along::kInclude : Along::kLeaveOut);
  report_left_out(index.problems());
  std::vector<std::string> notes;
  const std::vector<TidyRow> rows = index.select(options.filters, notes);
  for (const std::string& note : notes) say("note: {}", note);
  if (rows.empty())
    throw Error(
        fmt::format("{}: no runs to report on; train some, or loosen the filters", options.runs));
  const std::vector<std::string> pooled = factors_named(options.pool);
  std::vector<std::string> in_the_document;
  must_not_pool(rows_to_pool(rows), {pooled, {}}, options.runs, "", in_the_document);
  const Json fit = read_fit(options.fit);
  if (!fit.is_null()) fit_from_json(fit, options.fit);  // only to refuse what is not a fit
  const std::string title =
      options.title.empty() ? fmt::format("bitlaw: {}", options.runs) : options.title;
  std::vector<TidyRow> whole = index.select({});
  std::erase_if(whole, [](const TidyRow& row) { return row.is_along(); });
  const std::string hash = hash_hex(tidy_to_csv(whole));
  const Json document = make_report({title, rows, fit, read_effort(options.runs), pooled, hash});
  if (options.json) {
    print_json(document);
    return;
  }
  write_output_file(options.out, report_html(document));
  fmt::print("{}\nreport: {}\n", report_text(document),
             std::filesystem::absolute(options.out).lexically_normal().string());
}

}  // namespace

void add_report(App& app) {
  auto options = std::make_shared<ReportFlags>();
  App* verb = add_verb(app, "report", "Report on a study in one self-contained HTML file",
                       "bitlaw report runs/demo --fit fit.json --out report.html");
  verb->add_option("runs", options->runs, "directory of runs")->required();
  verb->add_option("filters", options->filters,
                   "rows to report: P_w=3,4, D/N>20, as in `bitlaw runs`");
  verb->add_option("--pool", options->pool,
                   "factors in which rows may differ: lr,batch,extra_norm, or all "
                   "(docs/tables.md#factors)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--fit", options->fit, "a document of `bitlaw fit --out`");
  verb->add_option("--out", options->out, "the page")->default_str(options->out);
  verb->add_option("--title", options->title, "its title");
  verb->add_flag("--json", options->json, "print the page's data as JSON, and write nothing");
  verb->callback([options] { run_report(*options); });
}

}  // namespace bitlaw::cli
