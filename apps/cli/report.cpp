// bitlaw report: one self-contained page from a directory of runs, or a table, and a fit.

#include "report/report.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/input_file.h"
#include "base/output_file.h"
#include "base/say.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "fit/fit.h"
#include "laws/formula_law.h"
#include "record/tidy_row.h"
#include "report/from_table.h"
#include "runs/effort.h"
#include "runs/index.h"
#include "serve/curve.h"
#include "table/table_inputs.h"
#include "table/tidy_table.h"
#include "train/run_directory.h"

namespace bitlaw::cli {
namespace {

struct ReportFlags {
  TableFlags table;
  std::string fit, out = "report.html", title, compare;
  Option* out_option = nullptr;
  bool json = false;
};

bool is_condition(const std::string& word) {
  return word.find_first_of("=!<>") != std::string::npos && !std::filesystem::exists(word);
}

// Conditions may stand behind the directory or the table.
std::vector<std::string> take_filters(TableFlags& table) {
  std::vector<std::string> filters, paths;
  for (const std::string& word : table.paths)
    (is_condition(word) ? filters : paths).push_back(word);
  table.paths = std::move(paths);
  if (table.paths.empty())
    throw Error("report: expected a directory of runs or a table, as in: bitlaw report runs/demo");
  return filters;
}

// The law of a fit; a default one without a fit.
BoundLaw law_of(const Json& fit, const ReportFlags& options) {
  if (!fit.is_null()) return law_of_fit(fit, options.fit);
  const Law& law =
      options.table.takes_gaps() ? law_named(options.table.usual_law()) : default_law();
  return BoundLaw(std::shared_ptr<const Law>(std::shared_ptr<void>(), &law));
}

// The runs as a fit of this law would see them; none if there is nothing to fit.
std::vector<Observation> observations_of(std::vector<TidyRow> rows, const std::string& path,
                                         bool along, const Law& law) {
  std::erase_if(rows, [](const TidyRow& row) { return row.status == "started"; });
  TableOptions options;
  options.along = along;
  options.inputs = inputs_of({&law});
  options.may_differ.pooled = factors_named({"all"});
  try {
    return table_of(tidy_table(rows), path, options).runs;
  } catch (const Error&) {
    return {};
  }
}

Json read_comparison(const std::string& path) {
  if (path.empty()) return nullptr;
  Json document = parse_json(read_input_file(path), path);
  must_be_comparison(document, path);
  return document;
}

// From the log of a run; empty without one.
std::vector<LearningPoint> learning_curve_of(const std::filesystem::path& runs,
                                             const std::string& run) {
  if (std::filesystem::path(run).filename() != run) return {};  // a name from elsewhere
  Curve curve(runs / run / kMetricsFile);
  curve.update();
  std::vector<LearningPoint> out;
  for (const Curve::Point& point : curve.training()) out.push_back({point.tokens, point.loss_nats});
  return out;
}

ReportInput of_runs(const ReportFlags& options, const std::string& path,
                    std::vector<std::string> filters, const Law& law) {
  if (const std::string option = options.table.option_for_tables(); !option.empty())
    throw Error(fmt::format("{}: it is for tables, and {} is a directory of runs", option, path));
  for (const std::string& condition : options.table.conditions()) filters.push_back(condition);
  const std::vector<std::string> pool = options.table.pooled();
  const bool along = ask_for_models_along(filters) || pool_models_along(pool);
  const RunIndex index(path, along ? Along::kInclude : Along::kLeaveOut);
  report_left_out(index.problems());
  std::vector<std::string> notes;
  ReportInput out;
  out.rows = index.select(filters, notes);
  for (const std::string& note : notes) say("note: {}", note);
  if (out.rows.empty())
    throw Error(fmt::format("{}: no runs to report on; train some, or loosen the filters", path));
  out.pooled = factors_named(pool);
  std::vector<std::string> in_the_document;
  must_not_pool(rows_to_pool(out.rows), {out.pooled, {}}, path, "", in_the_document);
  std::vector<TidyRow> whole = index.select({});
  std::erase_if(whole, [](const TidyRow& row) { return row.is_along(); });
  out.runs_hash = hash_hex(tidy_to_csv(whole));
  out.effort = read_effort(path);
  out.learning_curve = [path](const std::string& run) { return learning_curve_of(path, run); };
  out.observations = observations_of(out.rows, path, along, law);
  return out;
}

ReportInput of_table(const ReportFlags& options, const std::vector<std::string>& filters,
                     const Law& law) {
  TableFlags flags = options.table;
  flags.add_conditions(filters);
  const Table table = flags.read({&law});
  print_notes(table);
  return report_input(table, {.path = flags.path(),
                              .law = law.name,
                              .fit = options.fit,
                              .pooled = factors_named(options.table.pooled())});
}

void run_report(const ReportFlags& given) {
  ReportFlags options = given;  // conditions are taken out of its paths
  const std::vector<std::string> filters = take_filters(options.table);
  if (options.json && options.out_option->count() > 0)
    throw Error(
        "--out: --json prints the page's data and writes no page; leave out one of the two");
  require_other_file("--out", options.out, options.fit);
  require_other_file("--out", options.out, options.compare);
  require_other_file("--out", options.out, options.table.paths);
  const Json fit = read_fit(options.fit);
  if (!fit.is_null()) fit_from_json(fit, options.fit);  // only to refuse what is not a fit
  const BoundLaw law = law_of(fit, options);
  const Json comparison = read_comparison(options.compare);
  const std::string path = options.table.path();
  ReportInput input =
      options.table.paths.size() == 1 && is_directory_of_runs(options.table.paths[0])
          ? of_runs(options, path, filters, law.law())
          : of_table(options, filters, law.law());
  input.title = options.title.empty() ? fmt::format("bitlaw: {}", path) : options.title;
  input.fit = fit;
  input.comparison = comparison;
  const Json document = make_report(input);
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
  App* verb =
      add_verb(app, "report", "Report on a study or a table in one self-contained HTML file",
               "bitlaw report runs/demo --fit fit.json --out report.html\n"
               "  bitlaw report table.csv --fit fit.json --compare compare.json");
  options->table.add(verb);
  verb->add_option("--fit", options->fit, "a document of `bitlaw fit --out`");
  verb->add_option("--compare", options->compare, "a document of `bitlaw compare --out`");
  options->out_option =
      verb->add_option("--out", options->out, "the page")->default_str(options->out);
  verb->add_option("--title", options->title, "its title");
  verb->add_flag("--json", options->json, "print the page's data as JSON, and write nothing");
  verb->callback([options] { run_report(*options); });
}

}  // namespace bitlaw::cli
