#include "reproduce/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/number.h"
#include "record/published_records.h"
#include "record/tidy_row.h"
#include "runs/tidy_rows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct TablePlace {
  std::string file;
  int64_t row;
};

// TABLE.csv:ROW; empty if it has another form, or is a directory of that name.
std::optional<TablePlace> table_place(const std::string& what) {
  std::error_code none;
  const size_t colon = what.rfind(':');
  if (colon == what.npos || fs::is_directory(what, none)) return std::nullopt;
  const auto row = parse_whole(what.substr(colon + 1));
  if (!row) return std::nullopt;
  return TablePlace{what.substr(0, colon), *row};
}

using Row = std::map<std::string, std::string>;

std::vector<std::vector<std::string>> csv_lines(const std::string& text, const std::string& where) {
  std::vector<std::vector<std::string>> records;
  read_csv_records(text, where, csv_separator(text),
                   [&](CsvRecord& record) { records.push_back(std::move(record.fields)); });
  return records;
}

Row with_names(const std::vector<std::string>& names, const std::vector<std::string>& fields) {
  Row row;
  for (size_t i = 0; i < std::min(names.size(), fields.size()); ++i) row[names[i]] = fields[i];
  return row;
}

Row read_row(const TablePlace& place) {
  const auto records = csv_lines(read_file(place.file), place.file);
  const int64_t rows = std::ssize(records) - 1;
  if (place.row < 1 || place.row > rows) {
    throw Error(fmt::format("{}: has {} row{}, so there is no row {}; the first one is row 1",
                            place.file, std::max<int64_t>(rows, 0), rows == 1 ? "" : "s",
                            place.row));
  }
  return with_names(records[0], records[static_cast<size_t>(place.row)]);
}

bool same_value(const std::string& a, const std::string& b) {
  const auto x = parse_number(a), y = parse_number(b);
  return x && y ? std::abs(*x - *y) <= 1e-6 * std::abs(*y) : a == b;
}

// What the run is, by its record. A row that says otherwise is not of this run, however well its loss
// comes out again.
void require_same_settings(const Row& row, const TrainedRun& run, const std::string& where) {
  const auto lines = csv_lines(tidy_to_csv({tidy_row_of(run.record.name, run.record, run.result)}),
                               run.record.name);
  const Row recorded = with_names(lines[0], lines[1]);
  for (const char* name :
       {"N", "D", "P_w", "P_a", "P_kv", "seed", "lr", "batch_tokens", "data_hash"}) {
    const auto in_table = row.find(name), in_record = recorded.find(name);
    if (in_table == row.end() || in_record == recorded.end() || in_table->second.empty() ||
        in_record->second.empty() || same_value(in_table->second, in_record->second))
      continue;
    throw Error(fmt::format("{}: has {} {}, but the record of run {} has {}; the row was changed",
                            where, name, in_table->second, run.record.name, in_record->second));
  }
}

Subject subject_in_table(const TablePlace& place, const std::string& runs) {
  const Row row = read_row(place);
  const auto field = [&](const char* name) {
    const auto found = row.find(name);
    return found == row.end() ? std::string() : found->second;
  };
  const std::string where = fmt::format("{}, row {}", place.file, place.row);
  if (field("run").empty())
    throw Error(where + ": has no column run; give the directory of the run instead");
  if (const std::string method = field("method"); !method.empty() && method != "none") {
    throw Error(
        fmt::format("{}: is a cell of post-training quantization ({}); reproduce its run, {}, and "
                    "quantize that",
                    where, method, field("run")));
  }
  const double fraction = parse_number(field("run_fraction")).value_or(1);
  if (fraction < 1) {
    throw Error(where + ": is a model kept along a run; reproduce the run itself");
  }
  const fs::path folder = runs.empty() ? fs::path(place.file).parent_path() : fs::path(runs);
  const fs::path directory = folder / field("run");
  const auto subject = [&](TrainedRun run) {
    require_same_settings(row, run, where);
    return Subject{std::move(run), parse_number(field("loss"))};
  };
  if (is_run(directory)) return subject(read_run(directory));
  const fs::path records = published_records_file(place.file);
  std::error_code none;
  if (runs.empty() && fs::exists(records, none)) {
    if (auto found = find_published_record(records, field("run")))
      return subject(trained_run(directory, std::move(found->run), std::move(found->result)));
  }
  throw Error(
      fmt::format("{}: there is no run {}, nor its record in {}; give the directory of its "
                  "runs with --runs",
                  where, directory.string(), records.string()));
}

}  // namespace

Subject find_subject(const std::string& what, const std::string& runs) {
  const auto place = table_place(what);
  std::error_code none;
  if (!place && fs::is_regular_file(what, none))
    throw Error(fmt::format("{}: is a file; name a row of a table, as in {}:1", what, what));
  Subject subject = place ? subject_in_table(*place, runs) : Subject{read_run(what), std::nullopt};
  if (!subject.run.result) {
    throw Error(fmt::format("{}: has no result yet, so there is nothing to reproduce",
                            subject.run.directory.string()));
  }
  require_result_of(subject.run.record, *subject.run.result, subject.run.directory);
  return subject;
}

}  // namespace bitlaw
