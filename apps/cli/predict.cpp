// bitlaw predict: what a law says of given runs.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "ask/described_runs.h"
#include "ask/predictions.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/number.h"
#include "base/output_file.h"
#include "base/text.h"
#include "cli/formula_flags.h"
#include "cli/table_flags.h"
#include "cli/verb.h"
#include "formats/precision.h"
#include "table/raw_table.h"
#include "table/table_inputs.h"

namespace bitlaw::cli {
namespace {

constexpr size_t kMostRuns = 100'000;  // that lists of values make

struct PredictFlags {
  std::vector<std::string> what, fits, laws;
  std::string constants, out, columns, scale;
  FormulaFlags formula;
  std::vector<std::string> where;
  double level = 0.9;
  Option* level_option = nullptr;
  bool json = false;
};

// "N=13e9 P_w=3,4" as a table: every combination of the values. Counts may end in k, M, B or T.
std::string table_of_words(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows{{}};
  for (const std::string& word : words) {
    const size_t sign = word.find('=');
    const std::string name = trim(word.substr(0, sign));
    if (sign == std::string::npos || name.empty()) {
      throw Error(fmt::format(
          "predict: {} is neither a table nor NAME=VALUE; write N=13e9 D=5e12 P_w=4", word));
    }
    if (std::find(names.begin(), names.end(), name) != names.end())
      throw Error(fmt::format("predict: {} is given twice; list its values: {}=3,4", name, name));
    names.push_back(name);
    std::vector<std::vector<std::string>> next;
    for (const std::string& item : split(word.substr(sign + 1), ',')) {
      const std::string text = trim(item);
      const auto count = name == "N" || name == "D" || name == "C" || name == "unique_tokens"
                             ? parse_count(text)
                             : std::nullopt;
      for (std::vector<std::string> row : rows) {
        row.push_back(count ? fmt::format("{}", *count) : text);
        next.push_back(std::move(row));
      }
      if (next.size() > kMostRuns) {
        throw Error(
            fmt::format("predict: the lists make more than {} runs; shorten them, or give a "
                        "table",
                        kMostRuns));
      }
    }
    if (next.empty()) throw Error(fmt::format("predict: {} has no value", name));
    rows = std::move(next);
  }
  std::string out = csv_line(names);
  for (const std::vector<std::string>& row : rows) out += csv_line(row);
  return out;
}

bool are_words(const PredictFlags& options) {
  std::error_code none;
  return options.what.size() > 1 || (options.what[0].find('=') != std::string::npos &&
                                     !std::filesystem::exists(options.what[0], none));
}

std::vector<Observation> runs_of(const PredictFlags& options, const std::vector<Predicting>& by) {
  const TableOptions reading =
      options_for_predictions(by, options.columns, options.scale, options.where);
  if (are_words(options)) {
    return described_runs(read_raw_table(table_of_words(options.what), "the command line", "csv"),
                          "the command line", by, reading);
  }
  return table_at(options.what[0], reading).runs;
}

std::vector<Predicting> laws_of(const PredictFlags& options) {
  std::vector<Predicting> out;
  const auto add = [&](const std::string& name, const std::string& law, const Json& fit) {
    out.push_back(predicting(name, law, options.constants, fit));
  };
  for (const std::string& path : options.fits) add(path, "", read_fit(path));
  std::vector<std::string> laws = options.laws;
  if (laws.empty() && options.fits.empty()) laws.emplace_back(default_law().name);
  for (const std::string& law : laws) add(law_named(law).name, law, nullptr);
  return out;
}

void run_predict(const PredictFlags& options) {
  if (!(options.level > 0 && options.level < 1))
    throw Error("--level: must be between 0 and 1, such as 0.9");
  for (const std::string& fit : options.fits) require_other_file("--out", options.out, fit);
  if (!are_words(options)) require_other_file("--out", options.out, options.what[0]);
  if (!options.constants.empty() && options.laws.empty() && !options.fits.empty())
    throw Error("--constants: a fit has constants of its own; leave out --constants");
  options.formula.register_files();
  const std::vector<Predicting> by = laws_of(options);
  const bool published = std::all_of(
      by.begin(), by.end(), [](const Predicting& each) { return each.constants.published; });
  if (published && options.level_option->count() > 0)
    throw Error("--level: published constants have no intervals; leave it out, or give a --fit");
  const std::vector<Observation> runs = runs_of(options, by);
  refuse_contradictions(runs);
  const std::vector<RowPrediction> made = predict_rows(by, runs, options.level);
  if (!options.out.empty()) write_output_file(options.out, predictions_csv(runs, made));
  const bool any = std::any_of(made.begin(), made.end(), [](const RowPrediction& each) {
    return std::isfinite(each.prediction.loss) || std::isfinite(each.prediction.delta);
  });
  if (!any) exit_status = 1;
  if (options.json) {
    print_json(predictions_document(by, runs, made, options.level));
    return;
  }
  fmt::print("{}", predictions_text(runs, made, options.level));
  for (const Predicting& each : by) {
    for (const std::string& note : each.constants.notes) fmt::print("{}: {}\n", each.name, note);
  }
}

}  // namespace

void add_predict(App& app) {
  auto options = std::make_shared<PredictFlags>();
  App* verb =
      add_verb(app, "predict", "Predict the loss of given runs, with intervals",
               "bitlaw predict --fit fit.json N=13e9 D=5e12 P_w=4 P_a=8\n"
               "  bitlaw predict --fit fit.json table.csv --out predicted.csv\n"
               "  bitlaw predict --fit kumar.json --fit quest.json N=1B D=20B,100B P_w=3,4,16\n"
               "  bitlaw predict --law kumar --law chinchilla N=7e9 D=2e12 --json");
  verb->add_option(
          "runs", options->what,
          "a table or a directory of runs; or NAME=VALUE for one run: N, D, P_w, P_a, P_kv, "
          "P_post, precision, ... (docs/tables.md); lists of values make every combination")
      ->required();
  verb->add_option("--fit", options->fits,
                   "your own constants: documents of `bitlaw fit --out`; several are side by side")
      ->allow_extra_args(false);
  verb->add_option("--law", options->laws, "a law with its published constants; repeatable")
      ->allow_extra_args(false);
  verb->add_option("--constants", options->constants,
                   "published set of constants; empty = the law's first");
  options->formula.add_file(verb);
  options->level_option = verb->add_option("--level", options->level, "level of the intervals");
  verb->add_option("--columns", options->columns, "names of your columns: N=params,D=tokens");
  verb->add_option("--scale", options->scale, "units of columns: N=1e6,D=1e9");
  verb->add_option("--where", options->where, "rows to use: P_w=3,4, N>1e8; repeatable")
      ->allow_extra_args(false);
  verb->add_option("--out", options->out, "write a CSV with a line per run and law to this file");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_predict(*options); });
}

}  // namespace bitlaw::cli
