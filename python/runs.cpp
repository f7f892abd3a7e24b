// A directory of runs: its tidy table, and the same as data to fit (src/study/runs). SQLite keeps the index.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "record/tidy_row.h"
#include "runs/index.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

struct ReadRuns {
  std::vector<TidyRow> rows;
  std::vector<std::string> notes;
};

// As `bitlaw runs` does.
ReadRuns read_runs(const std::string& directory, const std::vector<std::string>& conditions,
                   bool along) {
  const bool with_models = along || ask_for_models_along(conditions);
  RunIndex index(directory, with_models ? Along::kInclude : Along::kLeaveOut);
  ReadRuns out;
  for (const std::string& problem : index.problems()) out.notes.push_back("left out: " + problem);
  if (!index.note().empty()) out.notes.push_back(index.note());
  out.rows = std::move(index).select(conditions, out.notes);
  return out;
}

nb::object value_of(const std::string& text) {
  return text.empty() ? nb::none() : nb::cast(text);
}
nb::object value_of(double number) {
  return nb::cast(number);  // NaN: none
}
nb::object value_of(const std::optional<int64_t>& number) {
  return number ? nb::cast(*number) : nb::none();
}

const char* kind_of(TidyColumn::Type type) {
  return type == TidyColumn::kText ? "text" : type == TidyColumn::kWhole ? "whole" : "real";
}

// [(name, kind, values)], and notes.
nb::tuple runs_in_python(const std::string& directory, const std::vector<std::string>& conditions,
                         bool along) {
  ReadRuns read;
  {
    const nb::gil_scoped_release released;
    read = read_runs(directory, conditions, along);
  }
  std::vector<nb::list> values(tidy_columns().size());
  for (const TidyRow& row : read.rows) {
    size_t column = 0;
    for_each_column(row, [&](const char*, const auto& field, const char*) {
      values[column++].append(value_of(field));
    });
  }
  nb::list columns;
  for (size_t i = 0; i < values.size(); ++i)
    columns.append(
        nb::make_tuple(tidy_columns()[i].name, kind_of(tidy_columns()[i].type), values[i]));
  return nb::make_tuple(columns, read.notes);
}

}  // namespace

void bind_runs(nb::module_& module) {
  module.def("runs", &runs_in_python, nb::arg("directory"), nb::arg("conditions"), nb::arg("along"),
             "Columns (name, kind, values) of a directory of runs, and notes.");
}

}  // namespace bitlaw
