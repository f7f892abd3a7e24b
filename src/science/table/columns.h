// What the columns of a table mean. Each has a name of ours; a file's column is ours if it is called
// so, if the user says so, or if its name is one of the usual ones for that quantity and nothing
// else in the file could be meant. The list is in columns.cpp, and docs/tables.md has it for people.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "table/raw_table.h"

namespace bitlaw {

// Our name of a column -> the file's; "-" where the file's column of that meaning is not to be read.
using ColumnMap = std::map<std::string, std::string>;

// "N=params,D=tokens,loss=val_loss"; an Error names an unknown column's nearest.
ColumnMap parse_columns(const std::string& text);

// Our name -> the factor that brings its numbers to our unit: "N=1e6,D=1e9" for millions of
// parameters and billions of tokens. Error where a column has no unit or the factor is not above 0.
std::map<std::string, double> parse_scale(const std::string& text);

// "Val Loss", "val/loss" and "val_loss" are one name.
std::string plain_name(const std::string& name);

class Columns {
 public:
  // Finds what can be found, and says in `notes` what was taken for what. Error where a name that
  // the user gave is not there, and where a quantity could be told by several columns.
  Columns(const RawTable& table, const std::string& where, const ColumnMap& given,
          std::vector<std::string>& notes);

  std::optional<size_t> find(const std::string& name) const;  // of ours; its place in the file
  bool has(const std::string& name) const { return places_.count(name) > 0; }
  const std::string& file_name(const std::string& name) const;  // its name in the file

  // A file's column, by its own name or by ours.
  std::optional<size_t> place(const std::string& name) const;
  size_t any(const std::string& name, const std::string& what) const;  // Error names the nearest

  // Throws the Error that columns of ours are missing: what they mean, what was found, what is near.
  [[noreturn]] void missing(const std::vector<std::string>& names) const;

 private:
  [[noreturn]] void fail_missing(const std::vector<std::string>& texts) const;
  void take(const std::string& name, size_t place);
  void recognise(const std::string& name, size_t place);  // by a usual name, which a note tells
  bool is_taken(size_t place) const;
  std::vector<size_t> among(const char* plain_names) const;
  bool take_usual(const std::string& name, const char* plain_names);
  void settle_group_size(bool training_open, bool post_open);
  void settle_bits();
  void settle_errors(bool loss_error_open);
  void settle_counts(bool params_open, bool total_open, std::vector<std::string>& notes);
  void take_interval();

  const RawTable& table_;
  std::string where_;
  std::map<std::string, std::vector<size_t>> plain_;  // plain name -> the file's columns
  std::map<std::string, size_t> places_;              // ours -> the file's column
  std::map<std::string, std::string> recognised_;     // ours -> the file's name
};

}  // namespace bitlaw
