#include "publish/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/split_plan.h"
#include "record/published_records.h"
#include "record/result.h"
#include "record/run.h"
#include "runs/index.h"
#include "runs/tidy_rows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// The name of the directory, however it is written: `.`, with a slash at its end ...
std::string name_of_directory(const fs::path& runs) {
  return (fs::absolute(runs) / "").lexically_normal().parent_path().filename().string();
}

// Of its threads together.
double core_seconds(const fs::path& run) {
  const std::optional<ResultRecord> result = read_result(run);
  if (!result || !result->training) return 0;
  return result->training->seconds * std::max(1, result->training->threads);
}

PublishedTable read_table(const fs::path& runs) {
  PublishedTable table;
  table.name = name_of_directory(runs);
  RunIndex index(runs);
  const std::vector<std::string> problems = index.problems();
  if (!problems.empty()) {
    throw Error(fmt::format(
        "{}; mend or remove {} before the table is published", problems.front(),
        problems.size() == 1 ? "it" : fmt::format("this and {} more", problems.size() - 1)));
  }
  std::vector<std::string> notes;
  std::map<std::string, std::string> directories;  // by the name of the run
  for (TidyRow& row : std::move(index).select({}, notes)) {
    if (row.status == "started") {
      table.started += row.is_run();
      continue;
    }
    // A directory may have been renamed; records are found by the name of the run.
    const RunRecord record = read_run_record(runs / row.run);
    const std::string& name = record.name;
    table.data.try_emplace(record.data.hash, record.data.path);
    const std::string& directory = directories.try_emplace(name, row.run).first->second;
    if (directory != row.run) {
      throw Error(
          fmt::format("{} and {} hold the same run, which would be in the table twice; remove one",
                      (runs / directory).string(), (runs / row.run).string()));
    }
    if (row.is_run()) {
      table.records += published_line(runs / row.run) + "\n";
      table.training_core_seconds += core_seconds(runs / row.run);
    }
    row.run = name;
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty())
    throw Error(fmt::format("{}: no run has ended there, so there is no table", runs.string()));
  return table;
}

// Where the lines of a file of records begin, by the name of the run.
std::map<std::string, std::string> lines_by_name(const std::string& text) {
  constexpr std::string_view kBegin = "{\"name\":\"";
  std::map<std::string, std::string> out;
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with(kBegin)) continue;
    const std::string name =
        line.substr(kBegin.size(), line.find('"', kBegin.size()) - kBegin.size());
    out.emplace(name, line + "\n");
  }
  return out;
}

// Rows of an earlier table whose runs have not ended in the directory.
void keep_rows_of(const fs::path& earlier, PublishedTable& table) {
  const std::string where = earlier.string();
  const std::vector<TidyRow> rows = tidy_from_csv(read_file(earlier), where);
  const fs::path records = published_records_file(earlier);
  if (!fs::exists(records)) {
    throw Error(
        fmt::format("--have {}: {} is missing, without which its runs have no record; keep both "
                    "files of the earlier table",
                    where, records.string()));
  }
  const std::map<std::string, std::string> lines = lines_by_name(read_file(records));
  std::set<std::string> here;
  for (const TidyRow& row : table.rows) here.insert(row.run);
  std::set<std::string> kept;
  for (const TidyRow& row : rows) {
    if (row.run.empty() || here.contains(row.run) || row.status == "started") continue;
    table.rows.push_back(row);
    if (!kept.insert(row.run).second) continue;
    const auto line = lines.find(row.run);
    if (line == lines.end()) {
      throw Error(fmt::format("--have {}: {} has no record of the run {}", where, records.string(),
                              row.run));
    }
    const auto record = find_published_record(line->second, row.run, records.string());
    BITLAW_CHECK(record.has_value());
    table.records += line->second;
    table.data.try_emplace(record->run.data.hash, record->run.data.path);
    if (record->result && record->result->training)
      table.training_core_seconds +=
          record->result->training->seconds * std::max(1, record->result->training->threads);
  }
  std::vector<const TidyRow*> order;
  for (const TidyRow& row : table.rows) order.push_back(&row);
  sort_rows(order);
  std::vector<TidyRow> sorted;
  for (const TidyRow* row : order) sorted.push_back(*row);
  table.rows = std::move(sorted);
}

void add_if_known(std::set<std::string>& set, const std::string& value) {
  if (!value.empty()) set.insert(value);
}

void add(double& sum, double value) {
  if (!std::isnan(value)) sum += value;
}

}  // namespace

size_t PublishedTable::count(const std::string& status) const {
  return static_cast<size_t>(std::count_if(rows.begin(), rows.end(), [&](const TidyRow& row) {
    return row.is_run() && row.status == status;
  }));
}

size_t PublishedTable::cells() const {
  return static_cast<size_t>(
      std::count_if(rows.begin(), rows.end(), [](const TidyRow& row) { return !row.is_run(); }));
}

Totals totals_of(const std::vector<PublishedTable>& tables) {
  Totals totals;
  for (const PublishedTable& table : tables) {
    totals.training_core_seconds += table.training_core_seconds;
    for (const TidyRow& row : table.rows) {
      if (!row.is_run()) add(totals.cell_seconds, row.seconds);
      add(totals.flops, row.spent_flop);
      add_if_known(totals.engines, row.engine);
      add_if_known(totals.versions, row.bitlaw_version);
      add_if_known(totals.data, row.data_hash);
    }
  }
  return totals;
}

std::vector<PublishedTable> read_tables(const std::vector<std::string>& runs,
                                        const std::vector<std::string>& have) {
  if (runs.empty()) throw Error("no directory of runs given, so there is nothing to publish");
  for (const std::string& earlier : have) {
    std::error_code none;
    if (!fs::is_regular_file(earlier, none))
      throw Error(fmt::format(
          "--have {}: there is no such table; give the NAME.csv of an earlier `bitlaw publish`",
          earlier));
  }
  std::vector<PublishedTable> tables;
  std::set<std::string> names;
  for (const std::string& directory : runs) {
    tables.push_back(read_table(directory));
    if (!names.insert(tables.back().name).second) {
      throw Error(
          fmt::format("two directories of runs are called {}; rename one, since their tables "
                      "would have the same name",
                      tables.back().name));
    }
  }
  for (const std::string& earlier : have) {
    const std::string name = fs::path(earlier).stem().string();
    const auto table = std::find_if(tables.begin(), tables.end(),
                                    [&](const PublishedTable& each) { return each.name == name; });
    if (table == tables.end()) {
      throw Error(
          fmt::format("--have {}: no directory of runs is called {}; give the directory with "
                      "which this study goes on",
                      earlier, name));
    }
    keep_rows_of(earlier, *table);
  }
  return tables;
}

std::vector<CorpusPart> packages_of_data(const std::vector<CorpusPart>& text,
                                         const std::string& folder,
                                         const std::vector<PublishedTable>& tables,
                                         std::vector<std::string>& notes) {
  if (text.empty()) return text;
  std::set<std::string> sources;
  for (const PublishedTable& table : tables) {
    for (const auto& [hash, path] : table.data) {
      try {
        const DatasetInfo info = Dataset::open(path).info();
        if (info.hash != hash) throw Error("another data set");
        for (const SourceInfo& source : info.sources) {
          if (source.name == kOtherSources) {
            notes.push_back(fmt::format(
                "text.csv has all packages of {}: the data set {} names its largest sources only",
                folder, hash));
            return text;
          }
          sources.insert(source.name);
        }
      } catch (const Error&) {
        notes.push_back(fmt::format(
            "text.csv has all packages of {}: the data set {} is not at {}, so it is not checked "
            "which of them it has",
            folder, hash, path.empty() ? "a known place" : path));
        return text;
      }
    }
  }
  std::vector<CorpusPart> used;
  std::copy_if(text.begin(), text.end(), std::back_inserter(used),
               [&](const CorpusPart& part) { return sources.contains(part.name + ".jsonl"); });
  if (used.empty()) {
    throw Error(fmt::format(
        "{}: the data of these runs have none of its packages; give the folder of their text, or "
        "leave --text out",
        folder));
  }
  return used;
}

std::string text_csv(const std::vector<CorpusPart>& parts) {
  if (parts.empty()) return "";
  std::string csv = "package,file,bytes,documents,paragraphs,licenses\n";
  for (const CorpusPart& part : parts) {
    csv += csv_line({part.name, part.package, std::to_string(part.bytes),
                     std::to_string(part.documents), std::to_string(part.paragraphs),
                     part.licenses.empty() ? "see the package's copyright file"
                                           : fmt::format("{}", fmt::join(part.licenses, "; "))});
  }
  return csv;
}

}  // namespace bitlaw
