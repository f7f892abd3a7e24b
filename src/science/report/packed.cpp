#include "report/packed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/number.h"

namespace bitlaw {
namespace {

constexpr size_t kFewest = 16;  // objects that become columns

// Parts of the document for programs; the page has .drawings.
constexpr std::string_view kNotShown[] = {"figures", "training", "post", "post_bit", "pure_error"};

// The columns of the table of runs; exact: with four decimals.
struct TableColumn {
  const char* name;
  bool exact;
};
constexpr TableColumn kTableColumns[] = {
    {"run", false},          {"status", false}, {"N", false},    {"D", false},
    {"P_w", false},          {"P_a", false},    {"P_kv", false}, {"method", false},
    {"P_post", false},       {"loss", true},    {"delta", true}, {"standard_error", true},
    {"bits_per_byte", true}, {"lr", false},     {"seed", false}, {"tokens_per_second", false},
};

// Seven digits: a figure of 360 by 260 shows four. Whole numbers without a point.
Json rounded(const Json& value) {
  if (!value.is_number_float()) return value;
  const double number = value.get<double>();
  if (!std::isfinite(number)) return nullptr;
  const double short_number = parse_number(fmt::format("{:.7g}", number)).value_or(number);
  constexpr double kWhole = 1e15;
  if (short_number == std::floor(short_number) && std::fabs(short_number) < kWhole)
    return static_cast<int64_t>(short_number);
  return short_number;
}

Json all_rounded(const Json& value) {
  if (!value.is_structured()) return rounded(value);
  Json out = value;
  for (Json& each : out) each = all_rounded(each);
  return out;
}

bool is_flat(const Json& value) {
  return !value.is_structured() || std::none_of(value.begin(), value.end(), [](const Json& each) {
    return each.is_structured();
  });
}

// Its entries are values, or flat themselves: what is said about a point, both ends of an interval.
bool makes_columns(const Json& object) {
  return object.is_object() && std::all_of(object.begin(), object.end(), is_flat);
}

// All are objects, or lists of one length; some may be null, not all.
bool are_objects(const std::vector<Json>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const Json& value) { return value.is_object() || value.is_null(); }) &&
         std::any_of(values.begin(), values.end(),
                     [](const Json& value) { return value.is_object(); });
}

size_t common_length(const std::vector<Json>& values) {
  size_t length = 0;
  for (const Json& value : values) {
    if (value.is_null()) continue;
    if (!value.is_array() || value.empty() || (length > 0 && value.size() != length)) return 0;
    length = value.size();
  }
  return length;
}

class Packer {
 public:
  Json pack(const Json& value) {
    if (value.is_array()) {
      const bool long_list = value.size() >= kFewest;
      return long_list && std::all_of(value.begin(), value.end(), makes_columns)
                 ? Json{{"@rows", value.size()},
                        {"columns", columns_of(value.get<std::vector<Json>>())}}
                 : each_of(value);
    }
    if (value.is_object()) {
      Json out = Json::object();
      for (const auto& [key, entry] : value.items()) out[key] = pack(entry);
      return out;
    }
    return rounded(value);
  }

  Json texts() const {
    Json out = Json::array();
    for (const std::string& text : texts_) out.push_back(text);
    return out;
  }

 private:
  Json each_of(const Json& list) {
    Json out = Json::array();
    for (const Json& entry : list) out.push_back(pack(entry));
    return out;
  }

  // Of objects, or null where there is none.
  Json columns_of(const std::vector<Json>& list) {
    std::set<std::string> keys;
    for (const Json& object : list) {
      if (!object.is_object()) continue;
      for (const auto& [key, value] : object.items()) keys.insert(key);
    }
    Json columns = Json::object();
    for (const std::string& key : keys) {
      std::vector<Json> values;
      for (const Json& object : list)
        values.push_back(object.is_object() ? all_rounded(object.value(key, Json())) : Json());
      columns[key] = column_of(values);
    }
    return columns;
  }

  Json column_of(const std::vector<Json>& values) {
    const bool same = std::all_of(values.begin(), values.end(),
                                  [&](const Json& value) { return value == values[0]; });
    if (same) return {{"same", values[0]}};
    if (are_objects(values)) return {{"object", columns_of(values)}};
    if (const size_t length = common_length(values)) {
      Json parts = Json::array();
      for (size_t i = 0; i < length; ++i) {
        std::vector<Json> part;
        for (const Json& value : values) part.push_back(value.is_null() ? Json() : value[i]);
        parts.push_back(column_of(part));
      }
      return {{"list", std::move(parts)}};
    }
    const bool texts = std::all_of(values.begin(), values.end(),
                                   [](const Json& value) { return value.is_string(); });
    if (texts) {
      Json places = Json::array();
      for (const Json& value : values) places.push_back(place_of(value.get<std::string>()));
      return {{"texts", std::move(places)}};
    }
    std::map<std::string, size_t> known;
    Json of = Json::array(), at = Json::array();
    size_t characters = 0;
    for (const Json& value : values) {
      std::string text = dump_json(value, -1);
      characters += text.size();
      const auto [found, is_new] = known.emplace(std::move(text), of.size());
      if (is_new) of.push_back(value);
      at.push_back(found->second);
    }
    Json indexed{{"of", std::move(of)}, {"at", std::move(at)}};
    return dump_json(indexed, -1).size() < characters + values.size() ? indexed : Json(values);
  }

  size_t place_of(const std::string& text) {
    const auto [found, is_new] = places_.emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return found->second;
  }

  std::unordered_map<std::string, size_t> places_;
  std::vector<std::string> texts_;
};

Json shown_columns(const Json& rows) {
  Json out = Json::array();
  for (const Json& row : rows) {
    Json& shown = out.emplace_back(Json::object());
    for (const TableColumn& column : kTableColumns) {
      if (const auto found = row.find(column.name); found != row.end()) shown[column.name] = *found;
    }
  }
  return out;
}

}  // namespace

Json packed_for_page(const Json& document) {
  Packer packer;
  Json out = Json::object();
  for (const auto& [key, value] : document.items()) {
    if (std::find(std::begin(kNotShown), std::end(kNotShown), key) != std::end(kNotShown)) continue;
    out[key] = packer.pack(key == "rows" ? shown_columns(value) : value);
  }
  out["table_columns"] = Json::array();
  for (const TableColumn& column : kTableColumns)
    out["table_columns"].push_back({{"name", column.name}, {"exact", column.exact}});
  out["texts"] = packer.texts();
  return out;
}

}  // namespace bitlaw
