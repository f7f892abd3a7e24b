#include "base/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

}  // namespace

std::string must_be(const std::string& expected, const Json& value) {
  constexpr size_t kLongest = 40;
  const std::string text = dump_json(value);
  return fmt::format("must be {}, not {}", expected,
                     text.size() <= kLongest ? text : text.substr(0, kLongest) + "...");
}

JsonFields::JsonFields(const Json& object, std::string where, std::string path)
    : object_(object), where_(std::move(where)), path_(std::move(path)) {
  if (!object_.is_object()) fail(must_be("an object", object_));
}

std::string JsonFields::name_of(const std::string& key) const {
  return path_.empty() ? key : fmt::format("{}.{}", path_, key);
}

std::string JsonFields::place() const {
  return fmt::format("{}: {}", where_, path_.empty() ? "the document" : path_);
}

void JsonFields::fail(const std::string& sentence) const {
  throw Error(fmt::format("{} {}", place(), sentence));
}

void JsonFields::fail(const std::string& key, const std::string& sentence) const {
  throw Error(fmt::format("{}: {} {}", where_, name_of(key), sentence));
}

void JsonFields::refuse(const std::string& key, const std::string& expected) const {
  fail(key, must_be(expected, at(key)));
}

bool JsonFields::has(const std::string& key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

bool JsonFields::is_null(const std::string& key) const {
  const auto found = object_.find(key);
  return found != object_.end() && found->is_null();
}

const Json& JsonFields::at(const std::string& key) const {
  if (!has(key)) fail(key, "is missing");
  return *object_.find(key);
}

const std::string& JsonFields::text(const std::string& key) const {
  if (!at(key).is_string()) refuse(key, "text");
  return at(key).get_ref<const std::string&>();
}

std::string JsonFields::text(const std::string& key, const std::string& otherwise) const {
  return has(key) ? text(key) : otherwise;
}

bool JsonFields::truth(const std::string& key) const {
  if (!at(key).is_boolean()) refuse(key, "true or false");
  return at(key).get<bool>();
}

bool JsonFields::truth(const std::string& key, bool otherwise) const {
  return has(key) ? truth(key) : otherwise;
}

int64_t JsonFields::whole(const std::string& key) const {
  return whole(key, kLeast, kLargest);
}

int64_t JsonFields::whole(const std::string& key, int64_t least, int64_t largest) const {
  const Json& value = at(key);
  if (!value.is_number_integer()) refuse(key, "a whole number");
  // An unsigned number beyond int64 must not come out negative.
  const bool fits =
      !value.is_number_unsigned() || value.get<uint64_t>() <= static_cast<uint64_t>(kLargest);
  if (!fits || value.get<int64_t>() < least || value.get<int64_t>() > largest) {
    refuse(key, largest < kLargest ? fmt::format("{}..{}", least, largest) : "a smaller number");
  }
  return value.get<int64_t>();
}

int64_t JsonFields::whole(const std::string& key, int64_t least, int64_t largest,
                          int64_t otherwise) const {
  return has(key) ? whole(key, least, largest) : otherwise;
}

double JsonFields::number(const std::string& key) const {
  if (!at(key).is_number()) refuse(key, "a number");
  return at(key).get<double>();
}

double JsonFields::number(const std::string& key, double least, double largest) const {
  const double value = number(key);
  if (!(value >= least && value <= largest)) refuse(key, fmt::format("{}..{}", least, largest));
  return value;
}

double JsonFields::number(const std::string& key, double least, double largest,
                          double otherwise) const {
  return has(key) ? number(key, least, largest) : otherwise;
}

const Json& JsonFields::list(const std::string& key) const {
  if (!at(key).is_array()) refuse(key, "a list");
  return at(key);
}

std::vector<std::string> JsonFields::texts(const std::string& key) const {
  const Json& items = list(key);
  if (!std::all_of(items.begin(), items.end(), [](const Json& item) { return item.is_string(); }))
    refuse(key, "a list of texts");
  return items.get<std::vector<std::string>>();
}

std::vector<double> JsonFields::numbers(const std::string& key) const {
  const Json& items = list(key);
  if (!std::all_of(items.begin(), items.end(), [](const Json& item) { return item.is_number(); }))
    refuse(key, "a list of numbers");
  return items.get<std::vector<double>>();
}

JsonFields JsonFields::object(const std::string& key) const {
  return JsonFields(at(key), where_, name_of(key));
}

JsonFields JsonFields::item(const std::string& key, size_t index) const {
  return JsonFields(list(key)[index], where_, fmt::format("{}[{}]", name_of(key), index));
}

Json json_number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

double number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                   : found->get<double>();
}

}  // namespace bitlaw
