#include "serve/live_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/condition.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/version.h"
#include "record/beside_runs.h"
#include "record/old_names.h"
#include "record/run.h"
#include "runs/row_fields.h"
#include "serve/clock.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostCurves = 128;

bool is_study(const fs::path& directory) {
  std::error_code none;
  if (fs::exists(directory / kJobsFile, none)) return true;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    if (is_run(entry.path())) return true;
  }
  return false;
}

std::string name_of(const fs::path& directory) {
  const fs::path name = directory.filename();
  return name.empty() ? directory.parent_path().filename().string() : name.string();
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("[{}]", fmt::join(texts, ","));
}

std::vector<Condition> tests_of(const std::vector<std::string>& conditions) {
  std::vector<Condition> tests;
  std::vector<std::string> notes;
  for (const std::string& text : with_current_scales("where", conditions, notes)) {
    tests.emplace_back("where", text);
    tests.back().find(find_tidy_column, tidy_column_names());
  }
  return tests;
}

bool all_hold(const std::vector<Condition>& tests, const TidyRow& row) {
  const std::vector<Field> fields = fields_of(row);
  return std::all_of(tests.begin(), tests.end(), [&](const Condition& test) {
    return test.holds(test.field_of([&](size_t column) { return fields[column]; }));
  });
}

}  // namespace

LiveView::LiveView(std::vector<fs::path> directories) : directories_(std::move(directories)) {
  for (const fs::path& directory : directories_) {
    std::error_code none;
    if (!fs::is_directory(directory, none))
      throw Error(
          directory.string() +
          ": is not a directory; give the one that `bitlaw train` or `bitlaw sweep` writes");
  }
}

// Directories are added as they appear; one that is gone stays, with a sentence.
void LiveView::find_studies() {
  const auto add = [&](const fs::path& directory) {
    const fs::path place = fs::absolute(directory).lexically_normal();
    for (const auto& study : studies_) {
      if (study->runs() == place) return;
    }
    auto study =
        std::make_unique<LiveStudy>(place, name_of(place), hash_hex(place.string()).substr(0, 16));
    const std::lock_guard lock(mutex_);
    studies_.push_back(std::move(study));
  };
  for (const fs::path& directory : directories_) {
    const fs::path place = fs::absolute(directory).lexically_normal();
    const bool known = std::any_of(studies_.begin(), studies_.end(),
                                   [&](const auto& study) { return study->runs() == place; });
    if (known || is_study(place)) {
      add(place);
      continue;
    }
    std::error_code none;
    std::vector<fs::path> inside;
    for (const fs::directory_entry& entry : fs::directory_iterator(place, none)) {
      if (entry.is_directory(none)) inside.push_back(entry.path());
    }
    std::sort(inside.begin(), inside.end());
    for (const fs::path& each : inside) {
      const bool old = std::any_of(studies_.begin(), studies_.end(),
                                   [&](const auto& study) { return study->runs() == each; });
      if (!old && is_study(each)) add(each);
    }
  }
}

std::string LiveView::look() {
  const std::lock_guard looking(look_mutex_);
  const size_t before = studies_.size();
  find_studies();
  std::vector<std::string> rows, gone;
  bool summaries = studies_.size() != before;
  for (const auto& study : studies_) {
    LiveStudy::Changes changes;
    {
      const std::lock_guard lock(mutex_);
      changes = study->look(clock_seconds());
    }
    summaries = summaries || changes.summary;
    rows.insert(rows.end(), changes.rows.begin(), changes.rows.end());
    gone.insert(gone.end(), changes.gone.begin(), changes.gone.end());
  }
  if (!summaries && rows.empty() && gone.empty()) return "";
  const std::lock_guard lock(mutex_);
  ++version_;
  rows_.reset();
  std::string event = fmt::format("event: look\ndata: {{\"version\":{}", version_);
  if (summaries) {
    std::vector<std::string> texts;
    for (const auto& study : studies_) texts.push_back(study->summary());
    event += ",\"studies\":" + joined(texts);
  }
  event += ",\"rows\":" + joined(rows) + ",\"gone\":" + dump_json(Json(gone)) + "}\n\n";
  return event;
}

std::string LiveView::hello() const {
  const std::lock_guard lock(mutex_);
  return fmt::format("retry: 2000\nevent: hello\ndata: {{\"version\":{},\"program\":{}}}\n\n",
                     version_, dump_json(Json(kVersion)));
}

Bytes LiveView::studies() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const auto& study : studies_) texts.push_back(study->summary());
  return bytes_of(fmt::format("{{\"version\":{},\"studies\":{}}}\n", version_, joined(texts)));
}

Bytes LiveView::all_rows() const {
  if (rows_) return rows_;
  std::string text = fmt::format("{{\"version\":{},\"rows\":[", version_);
  bool first = true;
  for (const auto& study : studies_) {
    for (const auto& [directory, shown] : study->shown()) {
      if (!first) text += ',';
      text += shown.text;
      first = false;
    }
  }
  return rows_ = bytes_of(text + "]}\n");
}

Bytes LiveView::runs(const std::vector<std::string>& conditions) const {
  const std::vector<Condition> tests = tests_of(conditions);
  const std::lock_guard lock(mutex_);
  if (tests.empty()) return all_rows();
  std::vector<std::string> texts;
  for (const auto& study : studies_) {
    for (const auto& [directory, shown] : study->shown()) {
      if (all_hold(tests, shown.row)) texts.push_back(shown.text);
    }
  }
  return bytes_of(fmt::format("{{\"version\":{},\"rows\":{}}}\n", version_, joined(texts)));
}

Bytes LiveView::curve(const std::string& id) {
  std::optional<fs::path> directory;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& study : studies_) {
      if (!directory) directory = study->directory_of(id);
    }
  }
  if (!directory) return nullptr;
  std::shared_ptr<OpenCurve> open;
  {
    const std::lock_guard lock(curves_mutex_);
    if (curves_.size() >= kMostCurves && !curves_.contains(id)) curves_.erase(curves_.begin());
    std::shared_ptr<OpenCurve>& place = curves_[id];
    if (!place) place = std::make_shared<OpenCurve>(*directory / "metrics.jsonl");
    open = place;
  }
  const std::lock_guard lock(open->mutex);
  if (open->curve.update() || !open->document) {
    Json document = open->curve.document();
    document["id"] = id;
    open->document = bytes_of(dump_json(document) + "\n");
  }
  return open->document;
}

std::vector<StudyResults> LiveView::results() const {
  const std::lock_guard lock(mutex_);
  std::vector<StudyResults> out;
  for (const auto& study : studies_)
    out.push_back({study->key(), study->name(), study->runs(), study->results()});
  return out;
}

std::optional<StudyResults> LiveView::results_of(const std::string& key) const {
  for (StudyResults& each : results()) {
    if (each.key == key || (key.empty() && !each.rows->empty())) return std::move(each);
  }
  return std::nullopt;
}

}  // namespace bitlaw
