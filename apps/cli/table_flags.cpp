#include "cli/table_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/names.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/verb.h"
#include "laws/class_spelling.h"
#include "record/factor_names.h"
#include "table/columns.h"
#include "table/computed_columns.h"
#include "table/factors.h"
#include "table/pure_error.h"
#include "table/table_inputs.h"
#include "table/warnings.h"

namespace bitlaw::cli {

void TableFlags::add(App* verb, bool required) {
  Option* table = verb->add_option(
      "table", paths,
      "CSV, TSV, JSON, JSONL or Markdown files, also .gz and .zst (docs/tables.md), - for standard "
      "input, or directories of runs");
  if (required) table->required();
  verb->add_option("--format", format_, "auto, csv, tsv, json, jsonl or quest")
      ->default_str(format_);
  verb->add_option("--columns", columns_,
                   "names of your columns: N=params,D=tokens,loss=val_loss; P_w=- for none");
  verb->add_option("--scale", scale_, "units of columns: N=1e6,D=1e9 for millions and billions");
  verb->add_option("--set", set_,
                   "a computed column: 'N=params-50304*width', 'loss=val_bpb*log(2)*4.5'; "
                   "repeatable")
      ->allow_extra_args(false);
  verb->add_option("--where", where_,
                   "rows to use: dataset=c4, P_w=3,4, P_w!=16, N=1e6..3e8, D/N>20; repeatable")
      ->allow_extra_args(false);
  verb->add_option("--cluster", cluster_,
                   "columns that define clusters, resampled as a whole: size,seed; or inputs, or "
                   "row")
      ->default_str(cluster_);
  verb->add_option("--pool", pool_,
                   "factors in which rows may differ: lr,batch,extra_norm, or all "
                   "(docs/tables.md#factors)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--reference", reference_,
                   "the precision class that is not quantized, if its name does not say so: "
                   "baseline");
  verb->add_option("--gaussian-error", gaussian_error_,
                   "what rates a number format for panferov: least (its best scale), block (its "
                   "own, from each block's largest entry) or printed (arXiv 2510.25602)")
      ->default_str(gaussian_error_);
  verb->add_option("--gap-to", gap_to_,
                   "fit gaps: losses minus those of this class at the same N, D and seed (bf16)");
  verb->add_option("--replicates", replicates_,
                   "runs of equal N, D and precision: all, best (the least loss) or mean")
      ->default_str(replicates_);
  verb->add_flag("--last-row-per-run", last_row_per_run_,
                 "keep only the last row of each run or learning curve");
  verb->add_flag("--drop-duplicates", drop_duplicates_, "keep only the first of identical rows");
  verb->add_flag("--keep-3bit", keep_3bit_,
                 "use runs with 3 bits or fewer of activations or KV, which fits leave out");
}

namespace {

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

TableOptions TableFlags::options() const {
  TableOptions options;
  options.format = format_;
  options.columns = parse_columns(columns_);
  options.scale = parse_scale(scale_);
  options.set = set_;
  options.where = where_;
  options.cluster = cluster_;
  options.reference = reference_;
  options.gap_to = gap_to_;
  options.gaussian_error = gaussian_error_source(gaussian_error_);
  options.replicates = replicates_;
  options.last_row_per_run = last_row_per_run_;
  options.drop_duplicates = drop_duplicates_;
  options.keep_3bit = keep_3bit_;
  options.along = pool_models_along(pool_);
  options.tokens_by_step = tokens_by_step;
  options.uses_compute = uses_compute;
  return options;
}

void TableFlags::add_conditions(const std::vector<std::string>& conditions) {
  where_.insert(where_.end(), conditions.begin(), conditions.end());
}

std::string TableFlags::option_for_tables() const {
  const TableFlags plain;
  if (format_ != plain.format_) return "--format";
  if (!columns_.empty()) return "--columns";
  if (!scale_.empty()) return "--scale";
  if (!set_.empty()) return "--set";
  if (cluster_ != plain.cluster_) return "--cluster";
  if (!reference_.empty()) return "--reference";
  if (gaussian_error_ != plain.gaussian_error_) return "--gaussian-error";
  if (takes_gaps()) return "--gap-to";
  if (replicates_ != plain.replicates_) return "--replicates";
  if (last_row_per_run_) return "--last-row-per-run";
  if (drop_duplicates_) return "--drop-duplicates";
  return keep_3bit_ ? "--keep-3bit" : "";
}

// A blank in a list makes its second word a file: --pool lr batch.
void TableFlags::must_be_files() const {
  for (const std::string& name : paths) {
    if (paths.size() == 1 || pool_.empty() || name == "-" || std::filesystem::exists(name) ||
        name.find_first_of("*?[") != std::string::npos)
      continue;
    throw Error(
        fmt::format("{} was not expected; --pool takes one list with commas, as in --pool {},{}",
                    name, pool_.back(), name));
  }
}

const TableFiles& TableFlags::files() const {
  must_be_files();
  if (!files_) files_ = read_table_files(paths, format_);
  return *files_;
}

std::vector<std::string> TableFlags::column_names() const {
  std::vector<std::string> out = files().raw.columns();
  for (const std::string& assignment : set_)
    out.push_back(trim(assignment.substr(0, assignment.find('='))));
  return out;
}

std::string TableFlags::column_of(const std::string& name) const {
  std::vector<std::string> unused;
  RawTable raw = files().raw;
  add_computed(raw, set_, parse_columns(columns_), path());
  const Columns columns(raw, path(), parse_columns(columns_), unused);
  const auto place = columns.place(name);
  return place ? raw.columns()[*place] : "";
}

std::string TableFlags::usual_law() const {
  constexpr const char* kOfGaps = "gap-class";
  if (takes_gaps()) {
    note_ = fmt::format("The law is {}; the laws of gaps are {}.", kOfGaps, laws_of_gaps());
    return kOfGaps;
  }
  if (tells_precision(files().raw, path(), options())) return default_law().name;
  note_ =
      fmt::format("The table has no column of a precision, so the law is {}; --law names another.",
                  kLawWithoutBits);
  return kLawWithoutBits;
}

Table TableFlags::read(const std::vector<const Law*>& laws) const {
  files();
  Table table = read(laws, std::move(files_->raw), path());
  table.hash = files_->hash;
  return table;
}

Table TableFlags::read(const std::vector<const Law*>& laws, TableGroup group) const {
  const std::string where = fmt::format("{}, {}", path(), group.value);
  Table table = read(laws, std::move(group.rows), where);
  table.hash = files().hash;
  return table;
}

std::vector<TableGroup> TableFlags::groups(const std::string& column) const {
  const RawTable& raw = files().raw;
  std::vector<std::string> notes;
  const Columns columns(raw, path(), options().columns, notes);
  const bool of_class = column == "class" && !columns.place(column);
  const size_t place = of_class ? 0 : columns.any(column, "--by");
  const std::vector<std::string> classes =
      of_class ? row_classes(raw, path(), options()) : std::vector<std::string>();
  const bool of_references = takes_gaps() && (of_class || columns.find("precision") == place);
  std::vector<TableGroup> out;
  std::vector<RawRow> references;
  int without = 0;  // rows without a value
  for (size_t i = 0; i < raw.rows.size(); ++i) {
    const RawRow& row = raw.rows[i];
    const std::string value = of_class ? classes[i] : row.at(place).text();
    if (value.empty()) {
      ++without;
      continue;
    }
    if (of_references && is_one_class(value, gap_to_)) {
      references.push_back(row);
      continue;
    }
    auto group = std::find_if(out.begin(), out.end(),
                              [&](const TableGroup& each) { return each.value == value; });
    if (group == out.end()) {
      RawTable empty = raw;
      empty.rows.clear();
      group = out.insert(out.end(), {value, std::move(empty)});
    }
    group->rows.rows.push_back(row);
    if (out.size() > kMostGroups) {
      throw Error(
          fmt::format("--by {}: the column has more than {} values; group by one that has "
                      "few, such as dataset or precision",
                      column, kMostGroups));
    }
  }
  for (TableGroup& group : out)
    group.rows.rows.insert(group.rows.rows.end(), references.begin(), references.end());
  if (without > 0) say("note: --by {}: {} rows have no value and are in no group", column, without);
  if (out.size() < 2) {
    throw Error(fmt::format("--by {}: the column has {} value{}, so there is nothing to group",
                            column, out.size(), out.size() == 1 ? "" : "s"));
  }
  return out;
}

Table TableFlags::read(const std::vector<const Law*>& laws, RawTable raw,
                       const std::string& where) const {
  for (const Law* law : laws) {
    const bool of_gaps = law->predicts == Predicts::kGap;
    if (of_gaps == takes_gaps()) continue;
    throw Error(of_gaps ? fmt::format("{} is a law of gaps between runs: name the class of the "
                                      "reference runs, as in --gap-to bf16",
                                      law->name)
                        : fmt::format("--gap-to: {} is a law of losses, not of gaps; use {}",
                                      law->name, laws_of_gaps()));
  }
  TableOptions how = options();
  how.may_differ = may_differ(laws);
  how.inputs = inputs_of(laws);
  how.sizes_optional =
      std::none_of(laws.begin(), laws.end(), [](const Law* law) { return law->needs_sizes; });
  for (std::string& factor : factors_named(pool_))
    how.may_differ.pooled.push_back(std::move(factor));
  const bool law_uses_bits =
      std::any_of(laws.begin(), laws.end(), [](const Law* law) { return law->uses_bits; });
  Table table = table_of(std::move(raw), where, how);
  if (!note_.empty()) table.notes.insert(table.notes.begin(), note_);
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
  TableFiles files = read_table_files({path}, options.format);
  Table table = table_of(std::move(files.raw), path, options);
  table.hash = files.hash;
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
              {"gaussian_error", name_of(table.gaussian_error)},
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
