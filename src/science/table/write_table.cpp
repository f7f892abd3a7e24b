#include "table/write_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "base/json_fields.h"

namespace bitlaw {
namespace {

// A field is a number, a text, or null if the row has no value.
struct Column {
  const char* name;
  Json (*of)(const Observation& row);
  bool always;  // also if no row has a value
};

Json text(const std::string& value) {
  return value.empty() ? Json(nullptr) : Json(value);
}

Json size_of(const Observation& row, double value) {
  return row.stand_in_sizes ? Json(nullptr) : json_number(value);
}

const Column kColumns[] = {
    {"run", [](const Observation& row) { return text(row.cluster); }, false},
    {"N", [](const Observation& row) { return size_of(row, row.params); }, true},
    {"N_total",
     [](const Observation& row) {
       return row.params_total > 0 ? Json(row.params_total) : Json(nullptr);
     },
     false},
    {"D", [](const Observation& row) { return size_of(row, row.tokens); }, true},
    {"unique_tokens", [](const Observation& row) { return json_number(row.unique_tokens); }, false},
    {"P_w", [](const Observation& row) { return json_number(row.bits_weights); }, true},
    {"P_a", [](const Observation& row) { return json_number(row.bits_activations); }, true},
    {"P_kv", [](const Observation& row) { return json_number(row.bits_kv); }, true},
    {"P_k", [](const Observation& row) { return json_number(row.bits_keys); }, false},
    {"P_v", [](const Observation& row) { return json_number(row.bits_values); }, false},
    {"P_emb", [](const Observation& row) { return json_number(row.bits_embedding); }, false},
    {"P_head", [](const Observation& row) { return json_number(row.bits_head); }, false},
    {"precision", [](const Observation& row) { return text(row.precision); }, false},
    {"backward", [](const Observation& row) { return text(row.backward); }, false},
    {"optimizer", [](const Observation& row) { return text(row.optimizer); }, false},
    {"format",
     [](const Observation& row) {
       return std::isfinite(row.exponent_bits) && std::isfinite(row.mantissa_bits)
                  ? Json(fmt::format("e{}m{}", row.exponent_bits, row.mantissa_bits))
                  : Json(nullptr);
     },
     false},
    {"training_group", [](const Observation& row) { return json_number(row.group); }, false},
    {"gaussian_error_w",
     [](const Observation& row) { return json_number(row.gaussian_error_weights); }, false},
    {"gaussian_error_a",
     [](const Observation& row) { return json_number(row.gaussian_error_activations); }, false},
    {"gaussian_error_kv", [](const Observation& row) { return json_number(row.gaussian_error_kv); },
     false},
    {"loss", [](const Observation& row) { return json_number(row.loss_nats); }, true},
    {"loss_standard_error",
     [](const Observation& row) { return json_number(row.loss_standard_error); }, false},
    {"qat_share", [](const Observation& row) { return json_number(row.qat_share); }, false},
    {"P_post",
     [](const Observation& row) {
       return row.is_post_training() ? Json(row.bits_post) : Json(nullptr);
     },
     false},
    {"method",
     [](const Observation& row) {
       return row.is_post_training() ? text(row.method) : Json(nullptr);
     },
     false},
    {"delta", [](const Observation& row) { return json_number(row.delta_nats); }, false},
    {"standard_error", [](const Observation& row) { return json_number(row.delta_standard_error); },
     false},
};

std::string csv_text(const Json& value) {
  if (value.is_null()) return "";
  return value.is_number() ? fmt::format("{}", value.get<double>()) : value.get<std::string>();
}

std::vector<const Column*> columns_of(const std::vector<Observation>& rows) {
  std::vector<const Column*> out;
  for (const Column& column : kColumns) {
    if (column.always || std::any_of(rows.begin(), rows.end(), [&](const Observation& row) {
          return !column.of(row).is_null();
        })) {
      out.push_back(&column);
    }
  }
  return out;
}

// Columns of formulas that no column above is called.
std::vector<std::string> inputs_in(const std::vector<Observation>& rows) {
  std::vector<std::string> out;
  if (rows.empty()) return out;
  for (const NamedInput& each : rows[0].inputs) {
    const bool known = std::any_of(std::begin(kColumns), std::end(kColumns),
                                   [&](const Column& own) { return each.column == own.name; });
    if (!known) out.push_back(each.column);
  }
  return out;
}

}  // namespace

std::string table_to_csv(const std::vector<Observation>& rows) {
  return table_to_csv(rows, {});
}

std::string table_to_csv(const std::vector<Observation>& rows,
                         const std::vector<ExtraColumn>& extra) {
  const std::vector<const Column*> columns = columns_of(rows);
  std::vector<std::string> fields;
  for (const Column* column : columns) fields.emplace_back(column->name);
  const std::vector<std::string> inputs = inputs_in(rows);
  for (const std::string& column : inputs) fields.push_back(column);
  for (const ExtraColumn& column : extra) fields.push_back(column.name);
  std::string out = csv_line(fields);
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t i = 0; i < columns.size(); ++i) fields[i] = csv_text(columns[i]->of(rows[row]));
    for (size_t i = 0; i < inputs.size(); ++i)
      fields[columns.size() + i] = csv_text(json_number(rows[row].input(inputs[i])));
    for (size_t i = 0; i < extra.size(); ++i)
      fields[columns.size() + inputs.size() + i] = extra[i].fields[row];
    out += csv_line(fields);
  }
  return out;
}

Json table_to_json(const std::vector<Observation>& rows) {
  const std::vector<const Column*> columns = columns_of(rows);
  Json out = Json::array();
  for (const Observation& row : rows) {
    Json& entry = out.emplace_back(Json::object());
    for (const Column* column : columns) entry[column->name] = column->of(row);
    for (const NamedInput& each : row.inputs) entry[each.column] = json_number(each.value);
  }
  return out;
}

}  // namespace bitlaw
