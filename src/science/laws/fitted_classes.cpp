#include "laws/fitted_classes.h"

#include <algorithm>
#include <map>

#include "base/json_fields.h"
#include "laws/bind.h"

namespace bitlaw {

const ClassBits* FittedClasses::find(const std::string& name) const {
  const auto place = std::find_if(bits.begin(), bits.end(),
                                  [&](const ClassBits& each) { return each.name == name; });
  return place == bits.end() ? nullptr : &*place;
}

FittedClasses classes_of(std::span<const Observation> rows) {
  std::map<std::string, ClassBits> known;
  std::map<std::string, bool> differ;
  for (const Observation& row : rows) {
    const std::string name = precision_class(row);
    const ClassBits bits{name, row.bits_weights, row.bits_activations, row.bits_kv};
    const ClassBits& first = known.emplace(name, bits).first->second;
    differ[name] |= first.weights != bits.weights || first.activations != bits.activations ||
                    first.kv != bits.kv;
  }
  FittedClasses out;
  for (const auto& [name, bits] : known) {
    if (!differ[name]) out.bits.push_back(bits);
  }
  return out;
}

Json classes_json(const FittedClasses& classes) {
  Json bits = Json::array();
  for (const ClassBits& each : classes.bits) {
    bits.push_back({{"class", each.name},
                    {"P_w", each.weights},
                    {"P_a", each.activations},
                    {"P_kv", each.kv}});
  }
  return {{"reference", classes.reference}, {"bits", std::move(bits)}};
}

FittedClasses classes_from_json(const Json& document) {
  FittedClasses out;
  if (!document.is_object()) return out;
  if (const auto name = document.find("reference"); name != document.end() && name->is_string())
    out.reference = name->get<std::string>();
  const auto bits = document.find("bits");
  if (bits == document.end() || !bits->is_array()) return out;
  for (const Json& each : *bits) {
    if (!each.is_object() || !each.contains("class") || !each["class"].is_string()) continue;
    const ClassBits read{each["class"].get<std::string>(), number_in(each, "P_w"),
                         number_in(each, "P_a"), number_in(each, "P_kv")};
    if (read.weights > 0 && read.activations > 0 && read.kv > 0) out.bits.push_back(read);
  }
  return out;
}

}  // namespace bitlaw
