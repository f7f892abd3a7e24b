#include "cli/table_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/config.h"
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
  // As options of the command line: `set` is --set, gap_to --gap-to.
  std::map<std::string, std::string> help;
  for (const ConfigKey& key : config_keys(TableWords{})) help[key.name] = key.help;
  verb->add_option("--format", words_.format, help["format"])->default_str(words_.format);
  verb->add_option("--columns", words_.columns, help["columns"]);
  verb->add_option("--scale", words_.scale, help["scale"]);
  verb->add_option("--set", words_.set, help["set"])->allow_extra_args(false);
  verb->add_option("--where", words_.where, help["where"])->allow_extra_args(false);
  verb->add_option("--cluster", words_.cluster, help["cluster"])->default_str(words_.cluster);
  verb->add_option("--pool", words_.pool, help["pool"])->delimiter(',')->allow_extra_args(false);
  verb->add_option("--reference", words_.reference, help["reference"]);
  verb->add_option("--gaussian-error", words_.gaussian_error, help["gaussian_error"])
      ->default_str(words_.gaussian_error);
  verb->add_option("--gap-to", words_.gap_to, help["gap_to"]);
  verb->add_option("--replicates", words_.replicates, help["replicates"])
      ->default_str(words_.replicates);
  verb->add_flag("--last-row-per-run", words_.last_row_per_run, help["last_row_per_run"]);
  verb->add_flag("--drop-duplicates", words_.drop_duplicates, help["drop_duplicates"]);
  verb->add_flag("--keep-3bit", words_.keep_3bit, help["keep_3bit"]);
}

void TableFlags::add_conditions(const std::vector<std::string>& conditions) {
  words_.where.insert(words_.where.end(), conditions.begin(), conditions.end());
}

std::string TableFlags::option_for_tables() const {
  const TableWords plain;
  if (words_.format != plain.format) return "--format";
  if (!words_.columns.empty()) return "--columns";
  if (!words_.scale.empty()) return "--scale";
  if (!words_.set.empty()) return "--set";
  if (words_.cluster != plain.cluster) return "--cluster";
  if (!words_.reference.empty()) return "--reference";
  if (words_.gaussian_error != plain.gaussian_error) return "--gaussian-error";
  if (takes_gaps()) return "--gap-to";
  if (words_.replicates != plain.replicates) return "--replicates";
  if (words_.last_row_per_run) return "--last-row-per-run";
  if (words_.drop_duplicates) return "--drop-duplicates";
  return words_.keep_3bit ? "--keep-3bit" : "";
}

// A blank in a list makes its second word a file: --pool lr batch.
void TableFlags::must_be_files() const {
  for (const std::string& name : paths) {
    if (paths.size() == 1 || words_.pool.empty() || name == "-" || std::filesystem::exists(name) ||
        name.find_first_of("*?[") != std::string::npos)
      continue;
    throw Error(
        fmt::format("{} was not expected; --pool takes one list with commas, as in --pool {},{}",
                    name, words_.pool.back(), name));
  }
}

const TableFiles& TableFlags::files() const {
  must_be_files();
  if (!files_) files_ = read_table_files(paths, words_.format);
  return *files_;
}

std::vector<std::string> TableFlags::column_names() const {
  std::vector<std::string> out = files().raw.columns();
  for (const std::string& assignment : words_.set)
    out.push_back(trim(assignment.substr(0, assignment.find('='))));
  return out;
}

std::string TableFlags::column_of(const std::string& name) const {
  std::vector<std::string> unused;
  RawTable raw = files().raw;
  add_computed(raw, words_.set, parse_columns(words_.columns), path());
  const Columns columns(raw, path(), parse_columns(words_.columns), unused);
  const auto place = columns.place(name);
  return place ? raw.columns()[*place] : "";
}

std::string TableFlags::usual_law() const {
  const UsualLaw usual = bitlaw::usual_law(files().raw, path(), words_);
  note_ = usual.note;
  return usual.name;
}

Table TableFlags::read(const std::vector<const Law*>& laws) const {
  files();
  return read(laws, std::move(files_->raw), path());
}

Table TableFlags::read(const std::vector<const Law*>& laws, TableGroup group) const {
  return read(laws, std::move(group.rows), fmt::format("{}, {}", path(), group.value));
}

Table TableFlags::read(const std::vector<const Law*>& laws, RawTable raw,
                       const std::string& where) const {
  TableWords words = words_;
  words.tokens_by_step = tokens_by_step, words.uses_compute = uses_compute;
  Table table = table_for(laws, std::move(raw), where, words);
  if (!note_.empty()) table.notes.insert(table.notes.begin(), note_);
  table.hash = files().hash;
  return table;
}

std::vector<TableGroup> TableFlags::groups(const std::string& column) const {
  const RawTable& raw = files().raw;
  std::vector<std::string> notes;
  const Columns columns(raw, path(), table_options(words_).columns, notes);
  const bool of_class = column == "class" && !columns.place(column);
  const size_t place = of_class ? 0 : columns.any(column, "--by");
  const std::vector<std::string> classes =
      of_class ? row_classes(raw, path(), table_options(words_)) : std::vector<std::string>();
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
    if (of_references && is_one_class(value, words_.gap_to)) {
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

Table table_at(const std::string& path, const TableOptions& options) {
  TableFiles files = read_table_files({path}, options.format);
  Table table = table_of(std::move(files.raw), path, options);
  table.hash = files.hash;
  return table;
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

}  // namespace bitlaw::cli
