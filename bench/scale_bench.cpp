// Times the verbs of science on tables as large as anyone has, by processor time, each beside the
// least that it could take or need:
//
//   read      a table from CSV; beside parsing its numbers alone
//   fit       with 400 draws of a bootstrap and held-out rows; beside one pass of the formula over
//             the rows for every draw
//   compare   all laws; beside one pass of every law's formula and derivatives over the rows for
//             each fit (of all rows, and without a fold)
//   report    the page of a study, and its size; beside the size of its table as CSV
//
//   bench/run scale [--json] [--fit_rows 100000] [--compare_rows 20000] [--report_runs 6000]
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "compare/compare.h"
#include "fit/fit.h"
#include "laws/bind.h"
#include "laws/inputs.h"
#include "program.h"
#include "report/report.h"
#include "simulate/simulate.h"
#include "table/table.h"
#include "table/write_table.h"

namespace bitlaw {
namespace {

struct Options {
  int fit_rows = 100'000, compare_rows = 20'000, report_runs = 6'000;
  bool json = false;
};

template <class Work>
double seconds_of(const Work& work) {
  const double begin = bench::processor_seconds();
  work();
  return bench::processor_seconds() - begin;
}

std::vector<double> spread(double low, double high, int count) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i)
    out.push_back(low * std::pow(high / low, i / std::max(1.0, count - 1.0)));
  return out;
}

enum class Settings { kDifferent, kFew };

// A study of a law: 25 settings of precision at each N and D, or one for a law without bits. With
// few settings the same 500 come again with other seeds.
StudyOptions study(bool bits, Settings settings, int rows) {
  StudyOptions out;
  if (!bits) out.weights = out.activations = out.kv = out.post = {};
  if (settings == Settings::kFew) {
    if (!bits) out.params = spread(3e7, 3e9, 25), out.tokens = spread(1.5e9, 1.5e11, 20);
    out.replicates = rows / 500;
    return out;
  }
  const int side = static_cast<int>(std::ceil(std::sqrt(rows / (bits ? 25.0 : 1.0))));
  out.params = spread(3e7, 3e9, side);
  out.tokens = spread(1.5e9, 1.5e11, side);
  return out;
}

std::vector<Observation> rows_of(const char* name, const StudyOptions& options) {
  const Law& law = *find_law(name);
  const std::vector<Observation> runs = design_runs(law, options);
  return draw_study(truth_for(law, runs, "", nullptr, {}), runs, options).rows;
}

// Of every law that predicts the rows: a pass of the formula, with derivatives or without.
double seconds_of_pass(const Law& unbound, const std::vector<Observation>& rows, bool derivatives) {
  const BoundLaw bound = bind_law(unbound, rows);
  const Law& law = bound.law();
  const Rows inputs(law, rows);
  std::vector<double> values(inputs.stride());
  std::vector<double> jacobian(derivatives ? inputs.stride() * law.training_parameters : 0);
  return seconds_of([&] {
    evaluate_loss(law, law.constants[0].values.data(), inputs, values.data(),
                  derivatives ? jacobian.data() : nullptr);
  });
}

struct Line {
  std::string what;
  double seconds;
  double least;  // seconds
};

Line read_line(const std::string& text, size_t rows) {
  size_t numbers = 0;
  const double least = seconds_of([&] {
    for (size_t at = 0; at < text.size(); ++at) {
      double value = 0;
      const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
      numbers += error == std::errc();
      at = std::max(at, static_cast<size_t>(end - text.data()));
    }
  });
  const double seconds = seconds_of([&] { read_table(text, "table", TableOptions{}); });
  return {fmt::format("read {} rows, {:.1f} MB, {} numbers", rows,
                      static_cast<double>(text.size()) / 1e6, numbers),
          seconds, least};
}

Line fit_line(const char* law, Settings settings, int count) {
  const std::vector<Observation> rows =
      rows_of(law, study(find_law(law)->uses_bits, settings, count));
  FitOptions options;
  options.law = law;
  const double pass = seconds_of_pass(*find_law(law), rows, false);
  const double seconds = seconds_of([&] { fit_law(rows, options); });
  return {fmt::format("fit {} to {} rows, {} settings", law, rows.size(),
                      settings == Settings::kFew ? "500" : "all different"),
          seconds, pass * static_cast<double>(options.draws)};
}

Line compare_line(const char* law, int count) {
  const std::vector<Observation> rows =
      rows_of(law, study(find_law(law)->uses_bits, Settings::kDifferent, count));
  const CompareOptions options;
  double pass = 0;
  for (const Law& each : laws()) {
    if (each.predicts == Predicts::kLoss) pass += seconds_of_pass(each, rows, true);
  }
  const double seconds = seconds_of([&] { compare_laws(rows, options); });
  return {fmt::format("compare all laws on {} rows of {}", rows.size(), law), seconds,
          pass * static_cast<double>(1 + options.folds)};
}

// Runs as `bitlaw train` records them, each with a name of its own.
std::vector<TidyRow> runs_of(int count) {
  std::vector<Observation> rows = rows_of("kumar", study(true, Settings::kDifferent, count));
  rows.resize(std::min(rows.size(), static_cast<size_t>(count)));
  std::vector<TidyRow> out;
  for (const Observation& run : rows) {
    TidyRow& row = out.emplace_back();
    const size_t number = out.size();
    row.run = fmt::format("w128-d4-s{}-{:016x}", number, number * 0x9e3779b97f4a7c15u);
    row.status = "finished";
    row.N = std::llround(run.params), row.D = std::llround(run.tokens);
    row.N_total = *row.N + 1'000'000;
    row.P_w = run.bits_weights, row.P_a = run.bits_activations, row.P_kv = run.bits_kv;
    row.P_q = row.P_k = row.P_v = run.bits_kv;
    row.P_post = run.is_post_training() ? run.bits_post : 16;
    row.method = run.is_post_training() ? "gptq" : "none";
    row.loss = run.loss_nats, row.loss_standard_error = 1e-3;
    row.delta = run.delta_nats, row.standard_error = run.delta_standard_error;
    row.bits_per_byte = run.loss_nats / 3.1;
    row.schedule = "cosine", row.optimizer = "adamw";
    row.seed = 1, row.lr = 3e-3, row.batch_tokens = 4096, row.width = 128, row.layers = 4;
    row.steps = *row.D / 4096, row.weight_decay = 0.1, row.beta1 = 0.9, row.beta2 = 0.95;
    row.seconds = 100.0 + static_cast<double>(number) / 7;
    row.tokens_per_second = run.tokens / row.seconds;
    row.data_hash = "2f1c9d1e8a7b6c5d", row.validation_hash = "9a8b7c6d5e4f3a2b";
    row.engine = "amx";
  }
  return out;
}

struct Page {
  double seconds = 0;
  size_t bytes = 0, csv_bytes = 0, document_bytes = 0;
  size_t rows = 0;
};

Page page_of(int count) {
  ReportInput input;
  input.title = "scale";
  input.rows = runs_of(count);
  FitOptions options;
  options.draws = 100;
  input.fit = fit_to_json(fit_law(rows_of("kumar", StudyOptions{}), options));
  Page out;
  std::string page;
  Json document;
  out.seconds = seconds_of([&] {
    document = make_report(input);
    page = report_html(document);
  });
  out.rows = input.rows.size();
  out.bytes = page.size();
  out.csv_bytes = tidy_to_csv(input.rows).size();
  out.document_bytes = dump_json(document).size();
  return out;
}

void print(const std::vector<Line>& lines, const Page& page) {
  for (const Line& line : lines) {
    fmt::print("{:<54} {:>8.2f} s   {:>6.1f} times the least, {:.3f} s\n", line.what, line.seconds,
               line.seconds / line.least, line.least);
  }
  fmt::print("{:<54} {:>8.2f} s   {:.2f} MB; {:.2f} as CSV, {:.2f} as the document of --json\n",
             fmt::format("report of {} rows", page.rows), page.seconds,
             static_cast<double>(page.bytes) / 1e6, static_cast<double>(page.csv_bytes) / 1e6,
             static_cast<double>(page.document_bytes) / 1e6);
}

void run(const Options& options) {
  std::vector<Line> lines;
  const std::vector<Observation> rows =
      rows_of("kumar", study(true, Settings::kDifferent, options.fit_rows));
  lines.push_back(read_line(table_to_csv(rows), rows.size()));
  for (const char* law : {"chinchilla", "kumar"}) {
    for (const Settings settings : {Settings::kDifferent, Settings::kFew})
      lines.push_back(fit_line(law, settings, options.fit_rows));
  }
  for (const char* law : {"chinchilla", "kumar"})
    lines.push_back(compare_line(law, options.compare_rows));
  const Page page = page_of(options.report_runs);
  if (!options.json) {
    print(lines, page);
    return;
  }
  Json out;
  for (const Line& line : lines)
    out["cases"].push_back({{"what", line.what}, {"seconds", line.seconds}, {"least", line.least}});
  out["report"] = {{"seconds", page.seconds},
                   {"rows", page.rows},
                   {"bytes", page.bytes},
                   {"csv_bytes", page.csv_bytes},
                   {"document_bytes", page.document_bytes}};
  fmt::print("{}\n", dump_json(out, 1));
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times fits, comparisons and reports of large tables.",
      [](CLI::App& app, Options& o) {
        app.add_option("--fit_rows", o.fit_rows)->check(bitlaw::bench::positive());
        app.add_option("--compare_rows", o.compare_rows)->check(bitlaw::bench::positive());
        app.add_option("--report_runs", o.report_runs)->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
