// The report and its drawings (src/science/report): C++ computes what is drawn, the package draws it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ask/table_words.h"
#include "base/config.h"
#include "base/error.h"
#include "base/hash.h"
#include "bindings.h"
#include "fit/fit.h"
#include "interrupt.h"
#include "laws/formula_law.h"
#include "record/factor_names.h"
#include "report/drawing_answers.h"
#include "report/from_table.h"
#include "report/report.h"
#include "tables.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

Json taken(Json& from, const char* name) {
  const auto found = from.find(name);
  if (found == from.end()) return nullptr;
  Json out = std::move(*found);
  from.erase(name);
  return out;
}

std::string text_of(const Json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string taken_text(Json& from, const char* name) {
  const Json out = taken(from, name);
  return out.is_string() ? out.get<std::string>() : "";
}

// As `bitlaw report` of this table, with the words of its options beside it. Without a table: of the fit
// alone.
// What was left out of a directory of runs goes into `problems`.
ReportInput report_input_of(Json question, std::optional<RawTable> frame,
                            std::vector<std::string>& problems) {
  const Json fit = taken(question, "fit");
  const std::string fit_name = taken_text(question, "fit_name");
  if (!fit.is_null()) fit_from_json(fit, fit_name);  // only to refuse what is not a fit
  const Json comparison = taken(question, "compare");
  must_be_comparison(comparison, "compare");
  const std::string title = taken_text(question, "title");
  Json given = taken(question, "table");
  ReportInput out;
  std::string path = fit_name;
  if (given.is_object()) {
    path = taken_text(given, "name");
    const std::string text = taken_text(given, "text");
    const bool is_runs = taken(given, "runs") == Json(true);
    TableWords words;
    fill(words, given, "table");
    RawTable raw;
    std::string hash;
    if (is_runs) {
      RunsTable runs = table_of_runs(path);
      raw = std::move(runs.table), hash = runs.hash, problems = runs.problems;
    } else if (frame) {
      raw = std::move(*frame);
    } else {
      raw = read_raw_table(text, path, words.format), hash = hash_hex(text);
    }
    const BoundLaw fitted = fit.is_null() ? BoundLaw() : law_of_fit(fit, fit_name);
    const Law& law = !fit.is_null()       ? fitted.law()
                     : words.takes_gaps() ? law_named(usual_law(raw, path, words).name)
                                          : default_law();
    Table table = table_for({&law}, std::move(raw), path, words);
    table.hash = hash;
    out = report_input(
        table,
        {.path = path, .law = law.name, .fit = fit_name, .pooled = factors_named(words.pool)});
  }
  out.title = title.empty() ? fmt::format("bitlaw: {}", path) : title;
  out.fit = fit;
  out.comparison = comparison;
  return out;
}

std::vector<Drawing> drawings_of_answer(const std::string& verb, const Json& question,
                                        const Json& answer) {
  if (verb == "compare") return comparison_drawings(answer);
  if (verb == "design") return design_drawings(answer);
  PlanRequest request;
  const auto options = question.find("options");
  if (options != question.end()) fill(request, *options, "options");
  if (!request.frontier.empty()) return frontier_drawings(answer);
  const Json fits = question.value("fits", Json::array());
  return plan_drawings(answer, request, fits.empty() ? Json() : fits[0],
                       question.value("devices", Json()));
}

struct MadeReport {
  Json document;

  std::string json() const { return dump_json(document, -1); }
  std::string html() const { return report_html(document); }
};

// `frame` as table_from() takes it.
MadeReport report_in_python(const std::string& question, const nb::object& frame) {
  std::optional<RawTable> table = table_from(frame);
  std::vector<std::string> problems;
  MadeReport out;
  Json asked = parse_json(question, "question");
  const std::string name = asked["table"].is_object() ? text_of(asked["table"], "name") : "";
  try {
    const nb::gil_scoped_release released;
    ReportInput input = report_input_of(std::move(asked), std::move(table), problems);
    input.between_figures = [ctrl_c = CtrlC()]() mutable { ctrl_c.look(); };
    out.document = make_report(input);
  } catch (const Interrupted&) {
    throw nb::python_error();
  }
  warn_of(name, problems);
  return out;
}

std::string drawings_in_python(const std::string& question, const std::string& answer) {
  const nb::gil_scoped_release released;
  const Json asked = parse_json(question, "question");
  Json out = Json::array();
  for (const Drawing& drawing :
       drawings_of_answer(asked.at("verb"), asked, parse_json(answer, "answer")))
    out.push_back(drawing_json(drawing));
  return dump_json(out, -1);
}

}  // namespace

void bind_figures(nb::module_& module) {
  nb::class_<MadeReport>(module, "Report", "The document of a report, and its page.")
      .def("json", &MadeReport::json, nb::call_guard<nb::gil_scoped_release>(), "The document.")
      .def("html", &MadeReport::html, nb::call_guard<nb::gil_scoped_release>(),
           "The self-contained page that draws it.");
  module.def("report", &report_in_python, nb::arg("question"), nb::arg("frame").none() = nb::none(),
             "What `bitlaw report` makes of a table and a fit.");
  module.def(
      "drawings", &drawings_in_python, nb::arg("question"), nb::arg("answer"),
      "Of an answer of compare, plan or design, and its question: a list of drawings as JSON.");
}

}  // namespace bitlaw
