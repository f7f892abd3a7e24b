// The meaning of a table's columns. Each quantity has a canonical name. A column of the file is
// assigned to it if it has that name, if the user says so, or if it has one of the usual names of
// the quantity and no other column could be meant. The lists are in column_list.cpp and
// record/factor_names.cpp, and in docs/tables.md.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/raw_table.h"

namespace bitlaw {

// Canonical name -> the file's name; "-" if the file's column is not to be read.
using ColumnMap = std::map<std::string, std::string>;

// "N=params,D=tokens,loss=val_loss"; an Error names an unknown column's nearest.
ColumnMap parse_columns(const std::string& text);

// Canonical name -> the factor that converts its numbers to our unit: "N=1e6,D=1e9" for millions of
// parameters and billions of tokens. Error if a column has no unit or the factor is not above 0.
std::map<std::string, double> parse_scale(const std::string& text);

// Whether a column of a file with this name is one of these, by their own names or usual ones.
bool is_called_one_of(std::string_view name, std::initializer_list<std::string_view> columns);
// Whether it is any column that is no factor.
bool is_usual_name(std::string_view name);

// Of the factors (record/factor.h), and "seed".
std::vector<std::string> factor_column_names();

class Columns {
 public:
  // Assigns the columns that can be identified; `notes` lists the assignments. What is wrong (a name
  // given by the user does not exist, several columns could be meant) is an Error of must_have().
  Columns(const RawTable& table, const std::string& where, const ColumnMap& given,
          std::vector<std::string>& notes);

  std::optional<size_t> find(std::string_view name) const;  // place of a canonical name
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::string file_name(const std::string& name) const;  // its name in the file

  // A file's column, by its own or its canonical name.
  std::optional<size_t> place(const std::string& name) const;
  size_t any(const std::string& name, const std::string& what) const;  // Error names the nearest

  // Whether a column of the file has a meaning here.
  bool is_taken(size_t place) const;

  // Error that names everything that is wrong with the columns: these are missing (what they mean,
  // what was found, what is similar), or what the constructor found.
  void must_have(const std::vector<std::string>& missing) const;

 private:
  std::string describe_missing(const std::string& name) const;
  // Several columns could be `name`: the first, if they are equal; none, with a note, if a fit needs
  // none; else a problem.
  void settle_several(const std::string& name, const char* meaning,
                      const std::vector<size_t>& found, bool needed,
                      std::vector<std::string>& notes);
  void take(const std::string& name, size_t place);
  void recognise(const std::string& name, size_t place);  // by a usual name, which a note lists
  std::vector<size_t> among(const char* plain_names) const;
  bool take_usual(const std::string& name, const char* plain_names,
                  std::vector<std::string>& notes);
  bool take_own(const std::string& name, std::vector<std::string>& notes);
  void settle_flags();
  void settle_status();
  void settle_precision();
  void settle_group_size(bool training_open, bool post_open);
  void settle_bits();
  void settle_errors(bool loss_error_open);
  void settle_counts(bool params_open, bool total_open, std::vector<std::string>& notes);
  void take_interval();
  void take_factors(const ColumnMap& given, std::vector<std::string>& notes);
  bool take_called(const std::string& name, const std::function<bool(const std::string&)>& is_it,
                   std::vector<std::string>& notes);

  const RawTable& table_;
  std::string where_;
  std::map<std::string, std::vector<size_t>> plain_;  // plain name -> the file's columns
  // canonical -> the file's column
  std::map<std::string, size_t, std::less<>> places_;
  std::map<std::string, std::string> recognised_;  // canonical -> the file's name
  std::vector<std::string> not_there_, problems_;  // given columns that do not exist; ambiguities
};

}  // namespace bitlaw
