// From a study's tidy rows and its fit to one document, the source of every page and table, and
// from that document to a self-contained HTML file. Nothing here reads files or throws on data:
// what is missing in the input is missing in the document, and the page says so. The document
// is JSON rather than a struct because a script in the page reads it, and it changes with the page.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "laws/observation.h"
#include "record/tidy_row.h"
#include "table/factors.h"

namespace bitlaw {

// The training loss along a run.
struct LearningPoint {
  double tokens, loss;  // seen so far; nats per token, since the last one
};

struct ReportInput {
  std::string title;
  std::vector<TidyRow> rows;
  Json fit;                     // of fit_to_json, or null
  Json effort = Json::array();  // of read_effort (runs/effort.h): how long it took, and where
  std::vector<std::string> pooled = {};  // factors that rows may differ in (record/factor.h)
  // Of the CSV of all rows of the directory, to see whether the fit is theirs; "" = not known.
  std::string runs_hash = {};
  std::vector<Observation> observations = {};  // the rows as a fit sees them
  Json comparison = {};                        // of comparison_json (compare/compare.h), or null
  bool is_table = false;                // `rows` were made of `observations` (report/from_table.h)
  std::vector<FactorRow> factors = {};  // of the rows of a table; empty: from the rows
  // Of a run by its name; empty where it is not known. Asked for the runs that are drawn only.
  std::function<std::vector<LearningPoint>(const std::string& run)> learning_curve = {};
  // Called now and then while figures are made; what it throws ends the report.
  std::function<void()> between_figures = {};
};

// The rows of a report that have a result, as must_not_pool() (table/factors.h) takes them.
std::vector<FactorRow> rows_to_pool(const std::vector<TidyRow>& rows);

// Error, which begins with `where`, unless it is a document of comparison_json or null.
void must_be_comparison(const Json& comparison, const std::string& where);

// The document:
//   .title
//   .drawings[]    the figures as a page draws them (report/drawing.h), each with a sentence
//   .answer[]      paragraphs: what was measured, that the fit is of other runs if it is, the best
//                  precision, a bit less after training
//   .summary       runs, diverged, unfinished, cells, sizes[], tokens [least, most], effort[], sentence
//                  (which constants the data identify), noise (which differences from BF16 are noise),
//                  data_hash (of the table), version (of bitlaw, that makes this report), made_by[] (the
//                  versions that made the runs)
//   .penalties[]   what fewer bits in training cost (report/penalties.h)
//   .pure_error    deviations between seeds (table/pure_error.h), or null
//   .constants[]   name, value, low, high, published, frozen
//   .post_bit      ratio, low, high, depends_on[]: the cost of 3 bits after training over that of 4
//   .notes[]       sentences of the fit, and on factors in which rows differ
//   .held_out[]    of the fit
//   .figures.ptq.panels[]        N, series[]: bits, method, points[] {x: D/N, y: nats, se}, curve[]
//   .figures.delta.series[]      bits, method, N, points[] {x: D/N, y: delta, se, flagged}, curve[]
//   .figures.effective.parts[]   part (W, A, KV), points[] {x: bits, y: N_eff/N, run, N, D, flagged},
//                                curve[] fitted, published[]; for laws that are a formula in bits
//   .figures.predicted.points[]  x: predicted, y: measured, kind
//   .figures.optimum             compute, curve[] {x: bits, y: nats, low, high}, best,
//                                intervals, published_best, depends_on[] (constants)
//   .figures.frontier            tokens, and what frontier_json has (plan/frontier.h); null for laws
//                                without bits
//   .figures.residuals           report/residuals.h
//   .figures.isoflop             report/isoflop_figure.h
//   .figures.profiles[]          name, low, high, points[] {x: value, y: rise in squared standard errors}
//   .comparison                  verdict, hold_out, laws[]: of a table of runs; or null
//   .rows[]        the table of runs
Json make_report(const ReportInput& input);

// .comparison of the document, of comparison_json; null where it has no laws of training losses.
Json comparison_table(const Json& comparison);

// One self-contained page that draws the document.
std::string report_html(const Json& document);

// For a terminal: the answer, the constants as a table, and which of them the data identify.
std::string report_text(const Json& document);

}  // namespace bitlaw
