#include "cli/table_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/input_file.h"
#include "base/say.h"
#include "cli/verb.h"
#include "record/factor_names.h"
#include "record/result.h"
#include "record/run.h"
#include "record/tidy_row.h"
#include "runs/index.h"
#include "table/factors.h"
#include "table/pure_error.h"
#include "table/tidy_table.h"
#include "table/warnings.h"

namespace bitlaw::cli {

void TableFlags::add(App* verb, bool required) {
  Option* table = verb->add_option(
      "table", path, "a CSV, TSV, JSON or JSONL file (docs/tables.md), or a directory of runs");
  if (required) table->required();
  verb->add_option("--format", format_, "auto, csv, tsv, json, jsonl or quest")
      ->default_str(format_);
  verb->add_option("--columns", columns_,
                   "names of your columns: N=params,D=tokens,loss=val_loss; P_w=- for none");
  verb->add_option("--scale", scale_, "units of columns: N=1e6,D=1e9 for millions and billions");
  verb->add_option("--where", where_,
                   "rows to use: dataset=c4, P_w=3,4, P_w!=16, N=1e6..3e8, D/N>20; repeatable")
      ->allow_extra_args(false);
  verb->add_option("--cluster", cluster_,
                   "columns that define clusters, resampled as a whole: size,seed")
      ->default_str(cluster_);
  verb->add_option("--pool", pool_,
                   "factors in which rows may differ: lr,batch,extra_norm, or all "
                   "(docs/tables.md#factors)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--reference", reference_,
                   "the precision class that is not quantized, if its name does not say so: "
                   "baseline");
  verb->add_flag("--drop-duplicates", drop_duplicates_, "keep only the first of identical rows");
  verb->add_flag("--keep-3bit", keep_3bit_,
                 "use runs with 3 bits or fewer of activations or KV, which fits leave out");
}

namespace {

std::string no_runs_in(const std::string& path, bool damaged) {
  if (damaged) return path + ": has no undamaged run";
  if (is_run(path)) return path + ": is one run; give the directory that contains it";
  return path +
         ": is a directory without runs; give the one that `bitlaw train` or `bitlaw sweep` "
         "wrote, or a file";
}

// What every law has an input for may differ; what some of them have one for, too, but a note says
// so.
MayDiffer may_differ(const std::vector<const Law*>& laws) {
  std::map<std::string, size_t> counts;
  for (const Law* law : laws) {
    for (const std::string& factor : modelled_factors(*law)) ++counts[factor];
  }
  MayDiffer out;
  for (const auto& [factor, count] : counts)
    (count == laws.size() ? out.modelled : out.pooled).push_back(factor);
  return out;
}

}  // namespace

Table TableFlags::read(const std::vector<const Law*>& laws) const {
  TableOptions options;
  options.format = format_;
  options.columns = parse_columns(columns_);
  options.scale = parse_scale(scale_);
  options.where = where_;
  options.cluster = cluster_;
  options.reference = reference_;
  options.drop_duplicates = drop_duplicates_;
  options.keep_3bit = keep_3bit_;
  options.may_differ = may_differ(laws);
  options.along = pool_models_along(pool_);
  for (std::string& factor : factors_named(pool_))
    options.may_differ.pooled.push_back(std::move(factor));
  const bool law_uses_bits =
      std::any_of(laws.begin(), laws.end(), [](const Law* law) { return law->uses_bits; });
  Table table = table_at(path, options);
  for (std::string& warning : table_warnings(table.runs, law_uses_bits))
    table.notes.push_back(std::move(warning));
  return table;
}

bool pool_models_along(const std::vector<std::string>& pool) {
  return std::any_of(pool.begin(), pool.end(), [](const std::string& name) {
    const std::vector<std::string> named = factors_named({name});
    return plain_name(name) != "all" &&
           std::find(named.begin(), named.end(), "run_fraction") != named.end();
  });
}

Table table_at(const std::string& path, const TableOptions& options) {
  if (!std::filesystem::is_directory(path)) return read_table(read_input_file(path), path, options);
  const RunIndex index(path, Along::kInclude);
  std::vector<TidyRow> rows = index.select({});
  report_left_out(index.problems());
  if (rows.empty()) throw Error(no_runs_in(path, !index.problems().empty()));
  // As `bitlaw runs` lists them without models along the runs.
  std::vector<TidyRow> whole = rows;
  std::erase_if(whole, [](const TidyRow& row) { return row.is_along(); });
  const std::string hash = hash_hex(tidy_to_csv(whole));
  std::erase_if(rows,
                [](const TidyRow& row) { return row.status == name_of(RunStatus::kStarted); });
  if (rows.empty())
    throw Error(path +
                ": no run has ended; `bitlaw runs` lists them, the same `bitlaw train` or "
                "`bitlaw sweep` resumes them");
  Table table = table_of(tidy_table(rows), path, options);
  table.hash = hash;
  return table;
}

void must_have_something_to_fit(const Table& table, const std::string& path) {
  if (const std::string reason = nothing_to_fit(table.runs); !reason.empty())
    throw Error(path + ": " + reason);
}

void print_notes(const Table& table) {
  for (const std::string& note : table.notes) say("note: {}", note);
}

void print_table(const Table& table, const std::string& path, bool json) {
  if (json) {
    print_json(table_json(table, path));
    return;
  }
  fmt::print("{}: {} rows to fit, {} diverged\n", path, table.runs.size(), table.diverged);
  print_notes(table);
}

Json table_json(const Table& table, const std::string& path) {
  const auto pooled =
      std::find_if(table.notes.begin(), table.notes.end(),
                   [](const std::string& note) { return note.starts_with(kPooledNote); });
  return Json{{"path", path},
              {"kind", table.kind},
              {"hash", table.hash},
              {"reference", table.reference.empty() ? Json(nullptr) : Json(table.reference)},
              {"rows", table.runs.size()},
              {"filtered", table.filtered},
              {"diverged", table.diverged},
              {"unfinished", table.unfinished},
              {"unstable", table.unstable},
              {"along", table.along},
              {"dropped", table.dropped},
              {"pooled", pooled == table.notes.end() ? Json(nullptr) : Json(*pooled)},
              {"pure_error", pure_error_json(pure_error(table.factors))},
              {"notes", table.notes}};
}

}  // namespace bitlaw::cli
