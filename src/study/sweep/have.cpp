#include "sweep/have.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/number.h"
#include "formats/recipe.h"
#include "quantize/cell.h"
#include "record/factor.h"
#include "record/factor_names.h"
#include "record/old_names.h"
#include "runs/row_fields.h"
#include "sweep/conditions.h"

namespace bitlaw {
namespace {

constexpr const char* kLeast[] = {"N",    "D",        "P_w", "P_a", "P_kv", "lr", "batch_tokens",
                                  "seed", "data_hash"};

struct PublishedTable {
  std::string path;
  std::unordered_map<std::string, size_t> places;  // of columns, by their name here
  std::vector<std::vector<std::string>> rows;

  bool has(const std::string& column) const { return places.count(column) > 0; }
  const std::string& at(const std::vector<std::string>& row, const std::string& column) const {
    static const std::string kNone;
    const auto place = places.find(column);
    return place == places.end() || place->second >= row.size() ? kNone : row[place->second];
  }
};

// A column of the table of runs, or a usual name of a factor's; else as it is.
std::string name_here(const std::string& column) {
  if (find_tidy_column(column)) return column;
  const std::string factor = factor_called(column);
  return factor.empty() ? column : factor;
}

PublishedTable read_published(const std::string& path) {
  PublishedTable table{.path = path};
  const std::string text = read_file(path);
  bool is_header = true;
  read_csv_records(text, path, csv_separator(text), [&](CsvRecord& record) {
    if (!is_header) {
      table.rows.push_back(std::move(record.fields));
      return;
    }
    is_header = false;
    for (size_t i = 0; i < record.fields.size(); ++i)
      table.places.emplace(name_here(record.fields[i]), i);
  });
  if (!table.has("run") && !table.has("N"))
    throw Error(
        fmt::format("--have {}: has neither the column run nor N; expected a table of "
                    "`bitlaw runs --csv`",
                    path));
  return table;
}

// A model as it was trained, to the end.
bool is_ended_run(const PublishedTable& table, const std::vector<std::string>& row) {
  const std::string& method = table.at(row, "method");
  if (!method.empty() && method != "none") return false;
  if (parse_number(table.at(row, "run_fraction")).value_or(1) < 1) return false;
  if (!table.has("status")) return parse_number(table.at(row, "loss")).has_value();
  const std::string& status = table.at(row, "status");
  return status == "finished" || status == "diverged";
}

// ---- by name ----

// What tells the quantized cells of a run apart.
using CellName = std::tuple<std::string, std::string, int64_t, int64_t>;  // ..., group, seed

std::set<CellName> cells_asked_for(const SweepPlan& plan) {
  std::set<CellName> names;
  for (const PtqCell& cell : ptq_cells(plan.grid)) {
    const CellKey key = cell.key();
    if (key.method == "none") continue;  // the run itself
    names.emplace(key.method, key.scheme, key.group, cell.calibrated() ? cell.calibration_seed : 0);
  }
  return names;
}

struct NamedRow {
  bool ended = false, diverged = false;
  std::set<CellName> cells = {};
};

std::unordered_map<std::string, NamedRow> named_rows(const PublishedTable& table) {
  std::unordered_map<std::string, NamedRow> runs;
  for (const std::vector<std::string>& row : table.rows) {
    NamedRow& run = runs[table.at(row, "run")];
    if (is_ended_run(table, row)) {
      run.ended = true;
      run.diverged = table.at(row, "status") == "diverged";
    } else if (parse_number(table.at(row, "run_fraction")).value_or(1) >= 1) {
      const auto whole = [&](const char* column) {
        return static_cast<int64_t>(parse_number(table.at(row, column)).value_or(0));
      };
      run.cells.emplace(table.at(row, "method"), table.at(row, "format_post"), whole("group"),
                        whole("calibration_seed"));
    }
  }
  runs.erase("");
  return runs;
}

// ---- by factors ----

bool same_number(double a, double b) {
  constexpr double kPrinted = 1e-9;  // relative: a table may have been printed with fewer digits
  return a == b || std::abs(a - b) <= kPrinted * std::max(std::abs(a), std::abs(b));
}

bool same_field(const Field& field, const std::string& column, const std::string& text) {
  if (!std::isnan(field.number)) {
    const auto number = parse_number(text);
    return number && same_number(*number, field.number);
  }
  const std::vector<std::string>& old = columns_with_old_scales();
  const bool may_be_old = std::find(old.begin(), old.end(), column) != old.end();
  return field.text == (may_be_old ? without_old_name(text) : text);
}

// Columns of the table that a row must have in common with a cell.
std::vector<std::string> columns_to_compare(const PublishedTable& table) {
  std::vector<std::string> columns;
  for (const char* name : kLeast) columns.emplace_back(name);
  for (const Factor& factor : factors()) {
    const std::string name = factor.name;
    // The rest is what only a result says, or what moves no loss.
    const bool says_who = factor.varies != Varies::kFreely && name != "run_fraction";
    const bool is_new = std::find(columns.begin(), columns.end(), name) == columns.end();
    if (says_who && is_new && table.has(name)) columns.push_back(name);
  }
  return columns;
}

std::vector<std::string> missing_columns(const PublishedTable& table) {
  std::vector<std::string> missing;
  for (const char* name : kLeast) {
    if (!table.has(name)) missing.emplace_back(name);
  }
  return missing;
}

// N and D, in whole parameters and tokens.
using Size = std::pair<int64_t, int64_t>;
std::optional<Size> size_of(const PublishedTable& table, const std::vector<std::string>& row) {
  const auto N = parse_number(table.at(row, "N")), D = parse_number(table.at(row, "D"));
  if (!N || !D) return std::nullopt;
  return Size{std::llround(*N), std::llround(*D)};
}

// Which runs of the plan stand in a table without names.
std::vector<bool> found_by_factors(const SweepPlan& plan, const PublishedTable& table) {
  std::map<Size, std::vector<const std::vector<std::string>*>> rows;
  for (const std::vector<std::string>& row : table.rows) {
    if (!is_ended_run(table, row)) continue;
    if (const auto size = size_of(table, row)) rows[*size].push_back(&row);
  }
  const std::vector<std::string> columns = columns_to_compare(table);
  std::vector<bool> found;
  for (const PlannedRun& run : plan.runs) {
    const TidyRow cell = planned_row(run, plan.data_of(run));
    const std::vector<Field> fields = fields_of(cell);
    const auto of_size = rows.find({*cell.N, *cell.D});
    found.push_back(
        of_size != rows.end() &&
        std::any_of(of_size->second.begin(), of_size->second.end(), [&](const auto* row) {
          return std::all_of(columns.begin(), columns.end(), [&](const auto& column) {
            return same_field(fields[find_tidy_column(column)->index], column,
                              table.at(*row, column));
          });
        }));
  }
  return found;
}

// ---- both ----

struct Taken {
  size_t runs = 0, not_ended = 0, without_cells = 0;
};

void take_by_name(SweepPlan& plan, const PublishedTable& table, Taken& taken) {
  const auto rows = named_rows(table);
  const std::set<CellName> asked =
      plan.grid_cells > 0 ? cells_asked_for(plan) : std::set<CellName>{};
  for (PlannedRun& run : plan.runs) {
    const auto row = rows.find(run.name);
    if (row == rows.end() || !run.table.empty()) continue;
    const std::set<CellName>& there = row->second.cells;
    const bool has_cells =
        !run.cell.quantize || row->second.diverged ||
        (!plan.grid.along && std::includes(there.begin(), there.end(), asked.begin(), asked.end()));
    if (!row->second.ended) {
      ++taken.not_ended;
    } else if (!has_cells) {
      ++taken.without_cells;
    } else {
      run.table = table.path;
      ++taken.runs;
    }
  }
}

void take_by_factors(SweepPlan& plan, const PublishedTable& table, Taken& taken) {
  const std::vector<bool> found = found_by_factors(plan, table);
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i] || !plan.runs[i].table.empty()) continue;
    if (plan.runs[i].cell.quantize) {
      ++taken.without_cells;
      continue;
    }
    plan.runs[i].table = table.path;
    ++taken.runs;
  }
}

void note(const PublishedTable& table, const Taken& taken, SweepPlan& plan) {
  std::string sentence = fmt::format("--have {}: {} of {} cells stand in it and are not run",
                                     table.path, taken.runs, plan.runs.size());
  if (taken.not_ended > 0) sentence += fmt::format("; {} have not ended there", taken.not_ended);
  if (taken.without_cells > 0)
    sentence += fmt::format("; {} are there without all quantized cells that the study asks for",
                            taken.without_cells);
  plan.notes.push_back(sentence);
}

}  // namespace

void take_from_tables(SweepPlan& plan, const std::vector<std::string>& tables) {
  for (const std::string& path : tables) {
    const PublishedTable table = read_published(path);
    Taken taken;
    if (table.has("run")) {
      take_by_name(plan, table, taken);
    } else if (const auto missing = missing_columns(table); !missing.empty()) {
      plan.notes.push_back(fmt::format(
          "--have {}: no cell can be identified in it: it has no column run, and without that it "
          "needs {}",
          path, fmt::join(missing, ", ")));
      continue;
    } else {
      take_by_factors(plan, table, taken);
    }
    note(table, taken, plan);
  }
}

}  // namespace bitlaw
