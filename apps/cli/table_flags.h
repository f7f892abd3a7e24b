// The options of every verb that reads a table of runs: where it is, how to read it, which rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ask/table_words.h"
#include "base/json.h"
#include "cli/app.h"
#include "cli/table_files.h"
#include "table/table.h"

namespace bitlaw::cli {

// Rows of a table that have one value in a column.
struct TableGroup {
  std::string value;
  RawTable rows;
};

class TableFlags {
 public:
  // Files, patterns, directories of runs; - for standard input (table_files.h).
  std::vector<std::string> paths;

  std::string path() const { return name_of(paths); }  // for messages
  // Further conditions, as --where gives.
  void add_conditions(const std::vector<std::string>& conditions);
  const std::vector<std::string>& conditions() const { return words_.where; }
  const std::vector<std::string>& pooled() const { return words_.pool; }
  // The first option that says how a table is read, which a directory of runs has no use for; "" = none.
  std::string option_for_tables() const;

  // `required`: the verb cannot do without a table.
  void add(App* verb, bool required = true);

  // The table, for these laws, once; its notes are followed by what looks odd in it
  // (table/warnings.h).
  Table read(const std::vector<const Law*>& laws) const;
  // The rows of each value of a column, in the order in which the values occur; the rows without one are
  // no group; `class` is that of the precision, unless a column is called so. With --gap-to, a group of a precision class has the reference runs, too. Error for a column
  // that the table does not have, or that has one value or more than kMostGroups.
  std::vector<TableGroup> groups(const std::string& column) const;
  static constexpr size_t kMostGroups = 100;
  // read() of one of them.
  Table read(const std::vector<const Law*>& laws, TableGroup group) const;
  // In rows of learning curves that have the D of the whole run, D is taken by the step.
  bool tokens_by_step = false;
  // C is taken from the table where it has one, besides N and D.
  bool uses_compute = false;
  // What the files call their columns, with those of --set. The files are read once.
  std::vector<std::string> column_names() const;
  // The law for a verb that is given none: the default, or, for a table without any column of a
  // precision, the one without bits, which a note of read() says. The files are read once.
  std::string usual_law() const;
  // The file's column of this name, ours or its own; "" = none.
  std::string column_of(const std::string& name) const;
  // Whether rows become gaps to reference runs (table/gaps.h).
  bool takes_gaps() const { return words_.takes_gaps(); }

 private:
  void must_be_files() const;
  const TableFiles& files() const;
  Table read(const std::vector<const Law*>& laws, RawTable raw, const std::string& where) const;

  TableWords words_;
  mutable std::optional<TableFiles> files_;
  mutable std::string note_;
};

// A file, or a directory of runs.
Table table_at(const std::string& path, const TableOptions& options);

void print_notes(const Table& table);  // to standard error
// What --dry-run says of a table.
void print_table(const Table& table, const std::string& path, bool json);
}  // namespace bitlaw::cli
