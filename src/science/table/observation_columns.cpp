#include "table/observation_columns.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <vector>

#include "formats/precision.h"
#include "laws/bind.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

double post_bits(const Observation& row) {
  return row.bits_post > 0 ? row.bits_post : kUnquantizedBits;
}

// A number, or a text; neither: the class.
struct ObservationColumn {
  const char* name;
  double (*number)(const Observation&) = nullptr;
  std::string Observation::*text = nullptr;

  bool is_class() const { return number == nullptr && text == nullptr; }
};
constexpr ObservationColumn kObservationColumns[] = {
    {"N", [](const Observation& row) { return row.params; }},
    {"N_total", [](const Observation& row) { return row.params_total; }},
    {"D", [](const Observation& row) { return row.tokens; }},
    {"bits", least_bits},
    {"P_w", [](const Observation& row) { return row.bits_weights; }},
    {"P_a", [](const Observation& row) { return row.bits_activations; }},
    {"P_kv", [](const Observation& row) { return row.bits_kv; }},
    {"P_k", [](const Observation& row) { return row.key_bits(); }},
    {"P_v", [](const Observation& row) { return row.value_bits(); }},
    {"P_emb", [](const Observation& row) { return row.bits_embedding; }},
    {"P_head", [](const Observation& row) { return row.bits_head; }},
    {"P_post", post_bits},
    {"class"},
    {"precision"},
    {"backward", nullptr, &Observation::backward},
    {"method", nullptr, &Observation::method},
    {"run", nullptr, &Observation::cluster},
};

std::optional<ColumnPlace> find_column(const std::string& name) {
  const auto found =
      std::find_if(std::begin(kObservationColumns), std::end(kObservationColumns),
                   [&](const ObservationColumn& column) { return name == column.name; });
  if (found == std::end(kObservationColumns)) return std::nullopt;
  return ColumnPlace{static_cast<size_t>(found - std::begin(kObservationColumns)),
                     found->number != nullptr ? ColumnPlace::kNumbers : ColumnPlace::kText};
}

// A class may be asked for by any name of its precision, but not by an empty one.
bool is_same_class(std::string_view name, std::string_view asked) {
  return !asked.empty() && is_same_precision(name, asked);
}

}  // namespace

bool is_observation_column(const std::string& name) {
  return find_column(name).has_value();
}

Condition observation_condition(const std::string& option, const std::string& text) {
  std::vector<std::string> names;
  for (const ObservationColumn& column : kObservationColumns) names.emplace_back(column.name);
  Condition condition(option, text);
  condition.find(find_column, names);
  if (kObservationColumns[condition.column()].is_class()) condition.compare_text_by(is_same_class);
  return condition;
}

double least_bits(const Observation& row) {
  const double trained = least_part_bits(row);
  return row.is_post_training() ? std::min(trained, row.bits_post) : trained;
}

std::string class_of(const Observation& row) {
  const std::string name = precision_class(row);
  return name.empty() ? "BF16" : name;
}

ObservationFields::ObservationFields(const Observation& row) : row_(row), class_(class_of(row)) {}

Field ObservationFields::of(const Condition& condition) const {
  return condition.field_of([&](size_t column) { return at(column); });
}

Field ObservationFields::at(size_t column) const {
  const ObservationColumn& asked = kObservationColumns[column];
  if (asked.number != nullptr) return Field::of_number(asked.number(row_));
  return {asked.text != nullptr ? row_.*asked.text : class_};
}

}  // namespace bitlaw
