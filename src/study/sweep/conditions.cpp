#include "sweep/conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config.h"
#include "base/error.h"
#include "base/text.h"
#include "record/old_names.h"
#include "runs/row_fields.h"
#include "runs/tidy_rows.h"
#include "sweep/paths.h"
#include "train/run.h"

namespace bitlaw {
namespace {

Field field_of(const Json& value) {
  if (value.is_number()) return Field::of_number(value.get<double>());
  if (value.is_string()) return Field::of_text(value.text());
  return {value.is_boolean() && value.get<bool>() ? "true" : "false"};
}

// What conditions may ask of a cell, made when they do.
class CellFields {
 public:
  CellFields(const PlannedRun& run, const DatasetInfo& data) : run_(run), data_(data) {}

  Field column(size_t index) {
    if (columns_.empty()) {
      row_ = planned_row(run_, data_);
      columns_ = fields_of(row_);
    }
    return columns_[index];
  }
  Field variant(const std::string& name) const {
    for (const Choice& choice : run_.cell.choices) {
      if (choice.first == name) return Field::of_text(choice.second);
    }
    return {};
  }
  // As the cell gives it; without that, as it is resolved.
  Field key(const std::string& name) {
    const Json* given = find_path(run_.cell.config, name);
    return given ? field_of(*given) : resolved(name);
  }
  Field resolved(const std::string& name) {
    if (resolved_.is_null()) resolved_ = to_json(run_.resolved.config);
    const Json* value = find_path(resolved_, name);
    return value ? field_of(*value) : Field{};
  }

 private:
  const PlannedRun& run_;
  const DatasetInfo& data_;
  TidyRow row_;
  std::vector<Field> columns_;
  Json resolved_;
};

}  // namespace

RunRecord planned_record(const PlannedRun& run, const DatasetInfo& data) {
  RunRecord record = make_run_record(run.resolved, data);
  if (!data.hash.empty()) return record;
  const std::string path = record.data.path;
  record.data = RunData{};
  record.data.path = path;
  if (run.given.train.validation_tokens == 0) record.config["train"].erase("validation_tokens");
  return record;
}

TidyRow planned_row(const PlannedRun& run, const DatasetInfo& data) {
  return tidy_row_of(run.name, planned_record(run, data));
}

CellConditions::CellConditions(const std::string& option, const std::vector<std::string>& texts,
                               const Study& study, std::vector<std::string>& notes) {
  if (texts.empty()) return;
  names_ = tidy_column_names();
  const size_t columns = names_.size();
  names_.insert(names_.end(), study.variants.begin(), study.variants.end());
  keys_begin_ = names_.size();
  for (const ConfigKey& key : config_keys<TrainConfig>()) names_.push_back(key.name);
  const auto finder = [&](const std::string& name) -> std::optional<ColumnPlace> {
    if (const auto column = find_tidy_column(name)) return column;
    const auto found =
        std::find(names_.begin() + static_cast<std::ptrdiff_t>(columns), names_.end(), name);
    if (found == names_.end()) return std::nullopt;
    return ColumnPlace{static_cast<size_t>(found - names_.begin()), ColumnPlace::kFields};
  };
  texts_ = split_conditions(texts);
  for (const std::string& text : with_current_scales(option, texts_, notes))
    conditions_.emplace_back(option, text).find(finder, names_);
}

std::vector<bool> CellConditions::hold(const PlannedRun& run, const DatasetInfo& data) const {
  CellFields fields(run, data);
  const size_t columns = tidy_columns().size();
  const auto field_at = [&](size_t index) {
    if (index < columns) return fields.column(index);
    return index < keys_begin_ ? fields.variant(names_[index]) : fields.key(names_[index]);
  };
  std::vector<bool> out;
  for (const Condition& condition : conditions_) {
    bool holds = condition.holds(condition.field_of(field_at));
    // "4" and "int4" are the same.
    if (!condition.divisor() && condition.column() >= keys_begin_ && !condition.orders()) {
      const Field resolved = fields.resolved(names_[condition.column()]);
      if (!resolved.text.empty())
        holds = condition.sign() == "!=" ? holds && condition.holds(resolved)
                                         : holds || condition.holds(resolved);
    }
    out.push_back(holds);
  }
  return out;
}

bool CellConditions::all_hold(const PlannedRun& run, const DatasetInfo& data) const {
  if (empty()) return true;
  const std::vector<bool> each = hold(run, data);
  return std::all_of(each.begin(), each.end(), [](bool holds) { return holds; });
}

void keep_only(SweepPlan& plan, const std::vector<std::string>& conditions) {
  if (conditions.empty()) return;
  const CellConditions only("--only", conditions, plan.study, plan.notes);
  std::vector<bool> keep;
  for (const PlannedRun& run : plan.runs) keep.push_back(only.all_hold(run, plan.data_of(run)));
  const auto kept = std::count(keep.begin(), keep.end(), true);
  if (kept == 0)
    throw Error(fmt::format("--only '{}': holds for none of the {} cells of {}",
                            fmt::join(conditions, ", "), keep.size(), plan.study.name));
  plan.notes.push_back(fmt::format("--only selects {} of {} cells", kept, keep.size()));
  keep_cells(plan, keep);
}

std::vector<std::string> split_conditions(const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  for (const std::string& text : texts) {
    out.emplace_back();
    for (const std::string& part : split(text, ',')) {
      const bool begins = part.find_first_of("=!<>") != std::string::npos;
      if (out.back().empty())
        out.back() = part;
      else if (begins)
        out.push_back(part);
      else
        out.back() += "," + part;
    }
  }
  return out;
}

}  // namespace bitlaw
