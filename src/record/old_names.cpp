#include "record/old_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/condition.h"
#include "formats/recipe.h"

namespace bitlaw {
namespace {

constexpr const char* kOurs[] = {
    "run",           "measured_delta", "calibration_seed", "storage_bits",
    "granularity_w", "granularity_a",  "granularity_kv",   "data_hash"};
constexpr const char* kLater = "P_k";  // the first column after those of version 0.2

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_table_of_version_0_2(const std::vector<std::string>& columns) {
  return !has(columns, kLater) && std::all_of(std::begin(kOurs), std::end(kOurs),
                                              [&](const char* name) { return has(columns, name); });
}

const std::vector<std::string>& columns_with_old_scales() {
  static const std::vector<std::string> names{"granularity_a", "granularity_kv"};
  return names;
}

std::vector<std::string> with_current_scales(const std::string& option,
                                             std::vector<std::string> conditions,
                                             std::vector<std::string>& notes) {
  for (std::string& text : conditions) {
    const Condition condition(option, text);
    if (!has(columns_with_old_scales(), condition.name())) continue;
    std::vector<std::string> values;
    std::string note;
    for (const Condition::Value& value : condition.values()) {
      values.push_back(without_old_name(value.text));
      if (values.back() != value.text) note = note_on_old_name(condition.name(), value.text);
    }
    if (note.empty()) continue;
    notes.push_back(note);
    text = fmt::format("{}{}{}", condition.name(), condition.sign(), fmt::join(values, ","));
  }
  return conditions;
}

}  // namespace bitlaw
