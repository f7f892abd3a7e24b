#include "reproduce/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/number.h"
#include "record/published_records.h"

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

Row read_row(const TablePlace& place) {
  const std::string text = read_file(place.file);
  std::vector<std::vector<std::string>> records;
  read_csv_records(text, place.file, csv_separator(text),
                   [&](CsvRecord& record) { records.push_back(std::move(record.fields)); });
  const int64_t rows = std::ssize(records) - 1;
  if (place.row < 1 || place.row > rows) {
    throw Error(fmt::format("{}: has {} row{}, so there is no row {}; the first one is row 1",
                            place.file, std::max<int64_t>(rows, 0), rows == 1 ? "" : "s",
                            place.row));
  }
  const std::vector<std::string>& names = records[0];
  const std::vector<std::string>& fields = records[static_cast<size_t>(place.row)];
  Row row;
  for (size_t i = 0; i < std::min(names.size(), fields.size()); ++i) row[names[i]] = fields[i];
  return row;
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
  if (is_run(directory)) return {read_run(directory), parse_number(field("loss"))};
  const fs::path records = published_records_file(place.file);
  std::error_code none;
  if (runs.empty() && fs::exists(records, none)) {
    if (auto found = find_published_record(records, field("run")))
      return {trained_run(directory, std::move(found->run), std::move(found->result)),
              parse_number(field("loss"))};
  }
  throw Error(
      fmt::format("{}: there is no run {}, nor its record in {}; give the directory of its "
                  "runs with --runs",
                  where, directory.string(), records.string()));
}

}  // namespace

Subject find_subject(const std::string& what, const std::string& runs) {
  const auto place = table_place(what);
  Subject subject = place ? subject_in_table(*place, runs) : Subject{read_run(what), std::nullopt};
  if (!subject.run.result) {
    throw Error(fmt::format("{}: has no result yet, so there is nothing to reproduce",
                            subject.run.directory.string()));
  }
  require_result_of(subject.run.record, *subject.run.result, subject.run.directory);
  return subject;
}

}  // namespace bitlaw
