#include "table/row_clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "record/factor.h"
#include "table/curves.h"
#include "table/merge_replicates.h"
#include "table/missing.h"

namespace bitlaw {
namespace {

// The columns of words that a few rows share: the name of a model, but neither a date nor a name of
// each row.
std::vector<size_t> columns_of_words(const RawTable& raw, const Columns& columns) {
  constexpr size_t kRowsForAWord = 3, kMostWords = 1000;
  const size_t most = std::min(raw.rows.size() / kRowsForAWord, kMostWords);
  std::vector<size_t> out;
  for (size_t place = 0; place < raw.columns().size(); ++place) {
    if (columns.is_taken(place)) continue;
    std::set<std::string> values;
    bool words = true;
    for (const RawRow& row : raw.rows) {
      const RawField& field = row.at(place);
      if (field.empty()) continue;
      words = words && !field.number() && !parse_number(field.view());
      if (!words || values.size() > most) break;
      values.insert(field.text());
    }
    if (words && !values.empty() && values.size() <= most) out.push_back(place);
  }
  return out;
}

// What the points of one run agree in.
std::string key_of(const Observation& run, const FactorRow& factors_of_run,
                   const RowOrigin& origin) {
  std::string key = fmt::format("{}\n{}\n{}\n{}", run.params, run.params_total,
                                factors_of_run.precision, factors_of_run.seed);
  for (const Factor& factor : factors()) {
    if (factor.varies == Varies::kNever && std::string_view(factor.name) != "run_fraction")
      key += '\n' + factors_of_run.value(factor);
  }
  return key + '\n' + origin.words;
}

bool is_run_row(const Observation& run) {
  return !run.is_post_training() && run.loss_nats > 0;
}

}  // namespace

RowClusters::RowClusters(const RawTable& raw, const Columns& columns, const std::string& cluster) {
  step_ = columns.find("step");
  if (cluster == "run") {
    if (const auto place = columns.find("run")) {
      columns_.push_back(*place);
      kind_ = Kind::kRun;
    } else {
      kind_ = Kind::kRecognised;
      words_ = columns_of_words(raw, columns);
    }
    return;
  }
  if ((cluster == "inputs" || cluster == "row") && !columns.place(cluster)) {
    kind_ = cluster == "row" ? Kind::kRow : Kind::kInputs;
    return;
  }
  for (const std::string& name : split(cluster, ','))
    columns_.push_back(columns.any(trim(name), "cluster " + cluster));
}

std::string RowClusters::cluster_of(const RawRow& row) const {
  std::string cluster;
  for (const size_t column : columns_) {
    if (!cluster.empty()) cluster += '/';
    if (!is_missing_word(row.at(column).view())) cluster += row.at(column).text();
  }
  return cluster;
}

RowOrigin RowClusters::origin_of(const RawRow& row) const {
  RowOrigin out;
  for (const size_t column : words_) out.words += row.at(column).text() + '\n';
  if (step_) {
    const RawField& field = row.at(*step_);
    out.step = field.number() ? *field.number() : parse_count(field.view()).value_or(kUnknown);
  }
  return out;
}

namespace {

// The N that as many rows have as a curve needs.
std::set<double> sizes_of_many(const std::vector<Observation>& runs) {
  std::vector<double> sorted;
  sorted.reserve(runs.size());
  for (const Observation& run : runs) sorted.push_back(run.params);
  std::sort(sorted.begin(), sorted.end());
  std::set<double> out;
  for (size_t i = kFewestCurvePoints - 1; i < sorted.size(); ++i) {
    if (sorted[i] == sorted[i - (kFewestCurvePoints - 1)]) out.insert(sorted[i]);
  }
  return out;
}

void recognise(Table& table, const std::vector<RowOrigin>& origins) {
  const std::set<double> sizes = sizes_of_many(table.runs);
  if (sizes.empty()) return;
  std::vector<CurvePoint> points;
  std::vector<size_t> rows;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const Observation& run = table.runs[i];
    if (!is_run_row(run) || !sizes.contains(run.params)) continue;
    rows.push_back(i);
    points.push_back({key_of(run, table.factors[i], origins[i]), run.tokens, origins[i].step});
  }
  const Curves curves = find_curves(points);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (curves.curve[i] >= 0)
      table.runs[rows[i]].cluster = fmt::format("curve {}", curves.curve[i] + 1);
  }
  if (curves.count > 0) {
    table.notes.push_back(fmt::format(
        "{} rows look like points of {} learning curve{}: they are resampled by curve, because "
        "points of one run are not independent. --last-row-per-run keeps the last of each, "
        "--cluster COLUMN names the run, --cluster row takes every row for a run.{}",
        curves.points, curves.count, curves.count == 1 ? "" : "s",
        curves.same_tokens
            ? " D is the same at all steps of a curve, so only its last row has the D "
              "of its loss."
            : ""));
  }
}

// Whether b comes behind a in their run.
bool is_later(const Table& table, const std::vector<RowOrigin>& origins, size_t a, size_t b) {
  if (origins[a].step != origins[b].step && origins[a].step > 0 && origins[b].step > 0)
    return origins[b].step > origins[a].step;
  return table.runs[b].tokens >= table.runs[a].tokens;
}

void keep_last_rows(Table& table, const std::vector<RowOrigin>& origins, const std::string& where) {
  std::map<std::string, size_t> last;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const std::string& cluster = table.runs[i].cluster;
    if (cluster.empty() || !is_run_row(table.runs[i])) continue;
    const auto [place, is_new] = last.emplace(cluster, i);
    if (!is_new && is_later(table, origins, place->second, i)) place->second = i;
  }
  const size_t before = table.runs.size();
  keep_only(
      table,
      [&](size_t row) {
        const Observation& run = table.runs[row];
        return run.cluster.empty() || !is_run_row(run) || last.at(run.cluster) == row;
      },
      "an earlier row of a learning curve");
  if (table.runs.size() == before) {
    throw Error(
        fmt::format("{}: last_row_per_run: no run has several rows; --cluster COLUMN names the "
                    "column of the run",
                    where));
  }
  table.notes.push_back(
      fmt::format("{} earlier rows of learning curves are left out.", before - table.runs.size()));
}

// D of the step instead of that of the whole run, in clusters whose rows have one D at different steps.
void take_tokens_of_steps(Table& table, const std::vector<RowOrigin>& origins) {
  struct Run {
    double tokens = 0, least_step = 0, most_step = 0;
    int rows = 0;
    bool one_d = true;
  };
  std::map<std::string, Run> runs;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const Observation& row = table.runs[i];
    if (row.cluster.empty() || !is_run_row(row)) continue;
    Run& run = runs[row.cluster];
    const double step = origins[i].step;
    if (run.rows++ == 0) run.tokens = row.tokens, run.least_step = run.most_step = step;
    run.one_d = run.one_d && row.tokens == run.tokens && step > 0;
    run.least_step = std::min(run.least_step, step);
    run.most_step = std::max(run.most_step, step);
  }
  int changed = 0;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    Observation& row = table.runs[i];
    const auto found = runs.find(row.cluster);
    if (found == runs.end() || !is_run_row(row)) continue;
    const Run& run = found->second;
    if (!run.one_d || !(run.least_step < run.most_step)) continue;
    row.tokens = run.tokens * origins[i].step / run.most_step;
    row.compute = kUnknown;  // also that of the whole run
    ++changed;
  }
  if (changed > 0)
    table.notes.push_back(fmt::format(
        "D is the same at all steps of a run: in {} rows it is taken in proportion to the "
        "step, as if each run came to its last step with all its tokens.",
        changed));
}

}  // namespace

void RowClusters::settle_curves(Table& table, const std::vector<RowOrigin>& origins, OfCurves how,
                                const std::string& where) const {
  if (kind_ == Kind::kRecognised) recognise(table, origins);
  if (how.by_step) take_tokens_of_steps(table, origins);
  if (how.last_row) keep_last_rows(table, origins, where);
}

void RowClusters::settle_inputs(Table& table) const {
  if (kind_ == Kind::kRecognised || kind_ == Kind::kInputs) cluster_by_inputs(table);
  if (kind_ != Kind::kRun) return;
  const int rows = join_grids(table);
  if (rows == 0) return;
  table.notes.push_back(fmt::format(
      "{} runs of equal N, D and precision differ in a factor (a grid): they are resampled "
      "together. "
      "--replicates best takes the best of each; --cluster row takes every row by itself.",
      rows));
}

}  // namespace bitlaw
