#include "serve/routes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ask/ask.h"
#include "base/error.h"
#include "base/hash.h"
#include "laws/formula_law.h"
#include "pages/pages.h"
#include "record/factor.h"
#include "record/result.h"
#include "report/report.h"
#include "runs/effort.h"
#include "serve/clock.h"
#include "serve/policy.h"
#include "table/table.h"
#include "table/table_inputs.h"
#include "table/tidy_table.h"

namespace bitlaw {
namespace {

constexpr double kLongestQuestion = 30;  // seconds of work
constexpr double kRestPerReport = 20;    // times as long as the report before took
constexpr std::string_view kRunsPath = "/api/runs/", kCurvePath = "/curve";

WebAnswer document(Bytes body) {
  return {.type = kJsonType, .body = std::move(body)};
}

// "" unless it is one of 16 hexadecimal digits.
std::string id_in(std::string_view path) {
  if (!path.starts_with(kRunsPath) || !path.ends_with(kCurvePath)) return "";
  path.remove_prefix(kRunsPath.size());
  if (path.size() < kCurvePath.size()) return "";
  path.remove_suffix(kCurvePath.size());
  const bool is_id = path.size() == 16 && std::all_of(path.begin(), path.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
  return is_id ? std::string(path) : "";
}

// As `bitlaw report RUNS` takes them.
std::vector<Observation> observations_for(std::vector<TidyRow> rows, const std::string& name,
                                          const Json& fit) {
  std::erase_if(rows,
                [](const TidyRow& row) { return row.status == name_of(RunStatus::kStarted); });
  try {
    TableOptions options;
    std::optional<BoundLaw> bound;
    if (!fit.is_null()) bound = law_of_fit(fit, name);
    options.inputs = inputs_of({bound ? &bound->law() : &default_law()});
    options.may_differ.pooled = factors_named({"all"});
    return table_of(tidy_table(rows), name, options).runs;
  } catch (const Error&) {
    return {};
  }
}

Json report_of(const StudyResults& study, const Json& fit) {
  ReportInput input;
  input.title = "bitlaw: " + study.name;
  input.rows = *study.rows;
  input.fit = fit;
  input.effort = read_effort(study.runs);
  input.pooled = factors_named({"all"});
  input.runs_hash = hash_hex(tidy_to_csv(*study.rows));
  input.observations = observations_for(*study.rows, study.name, fit);
  return make_report(input);
}

}  // namespace

Routes::Routes(LiveView& view, const Refit& refit, LivePages pages)
    : view_(view), refit_(refit), pages_(pages) {}

StudyResults Routes::study_of(const WebRequest& request) const {
  const auto key = request.query.find("study");
  if (auto study = view_.results_of(key == request.query.end() ? "" : key->second)) return *study;
  throw Error(key == request.query.end() || key->second.empty()
                  ? "no study has a run yet"
                  : "there is no study of this key; /api/studies lists them");
}

WebAnswer Routes::answer(const WebRequest& request) {
  const std::string& path = request.path;
  if (request.method == "POST") return ask(request);
  if (path == "/") return page(pages_.live);
  if (path == "/planner") return planner(request);
  if (path == "/report") return report(request, true);
  if (path == "/api/studies") return document(view_.studies());
  if (path == "/api/runs") {
    std::vector<std::string> conditions;
    const auto [first, last] = request.query.equal_range("where");
    for (auto each = first; each != last; ++each) conditions.push_back(each->second);
    return document(view_.runs(conditions));
  }
  if (path == "/api/events") return {.type = kEventsType, .events = true};
  if (path == "/api/fit")
    return document(bytes_of(dump_json(refit_.document(study_of(request).key, true)) + "\n"));
  if (path == "/api/report") return report(request, false);
  if (const std::string id = id_in(path); !id.empty()) return curve(request, id);
  return refusal(request, 404, "there is nothing at this address; / is the live view");
}

WebAnswer Routes::page(std::string_view html) const {
  if (html.empty())
    return refusal({}, 404, "this program was built without its pages; /api/studies has the data");
  return {.type = kPageType, .body = bytes_of(std::string(html)), .policy = policy_of(html)};
}

WebAnswer Routes::planner(const WebRequest& request) const {
  WebAnswer answer = page(pages_.planner);
  const auto key = request.query.find("study");
  const auto study = view_.results_of(key == request.query.end() ? "" : key->second);
  const Json fit = study ? refit_.fit_of(study->key) : Json();
  if (fit.is_null() || answer.status != 200) return answer;
  answer.body = bytes_of(page_with(pages_.planner, "fit", fit));
  return answer;
}

WebAnswer Routes::curve(const WebRequest& request, const std::string& id) {
  if (Bytes curve = view_.curve(id)) return document(std::move(curve));
  return refusal(request, 404, "there is no run of this id; /api/runs lists them");
}

// One is made at a time, and kept until the rows or the fit are others and it is old enough.
WebAnswer Routes::report(const WebRequest& request, bool as_page) {
  const StudyResults study = study_of(request);
  const std::lock_guard lock(reporting_);
  Report& kept = reports_[study.key];
  const Json fit = refit_.fit_of(study.key);
  const bool is_same = kept.of == study.rows && kept.fit.is_null() == fit.is_null();
  if (!kept.of || (!is_same && clock_seconds() >= kept.fresh_until)) {
    const double start = clock_seconds();
    const Json made = report_of(study, fit);
    kept.document = bytes_of(dump_json(made) + "\n");
    kept.page = bytes_of(report_html(made));
    kept.of = study.rows;
    kept.fit = fit;
    kept.fresh_until = clock_seconds() + kRestPerReport * (clock_seconds() - start);
  }
  if (!as_page) return document(kept.document);
  return {.type = kPageType, .body = kept.page, .policy = policy_of(*kept.page)};
}

// One at a time, for a limited time: a question may be a fit.
WebAnswer Routes::ask(const WebRequest& request) {
  const std::unique_lock lock(asking_, std::try_to_lock);
  if (!lock.owns_lock())
    return refusal(request, 503, "another question is being answered; try again");
  const double end = clock_seconds() + kLongestQuestion;
  const ParallelFor in_time = [&](int64_t count, const auto& task) {
    for (int64_t i = 0; i < count; ++i) {
      if (stopping_ || clock_seconds() > end)
        throw Error("this takes too long for the live view; use the command line");
      task(i);
    }
  };
  const std::string text = ask_text(request.body, in_time);
  WebAnswer answer = document(bytes_of(text + "\n"));
  if (text.starts_with("{\"error\":")) answer.status = 400;
  return answer;
}

}  // namespace bitlaw
