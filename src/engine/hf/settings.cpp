#include "hf/settings.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw::hf {
namespace {

std::string shown(const Json& value) {  // short, for messages
  const std::string text = dump_json(value);
  return text.size() <= 40 ? text : text.substr(0, 40) + "...";
}

}  // namespace

Settings::Settings(const Json& table, std::string where, std::string prefix)
    : table_(table), where_(std::move(where)), prefix_(std::move(prefix)) {
  if (table_.is_object()) return;
  const std::string name =
      prefix_.empty() ? "it" : prefix_.substr(0, prefix_.size() - 1);  // without the dot
  throw Error(fmt::format("{}: {} is not a table of settings", where_, name));
}

void Settings::fail(const std::string& key, const std::string& what) const {
  throw Error(fmt::format("{}: {}{}: {}", where_, prefix_, key, what));
}

bool Settings::has(const char* key) const {
  const auto found = table_.find(key);
  return found != table_.end() && !found->is_null();
}

bool Settings::is_null(const char* key) const {
  const auto found = table_.find(key);
  return found != table_.end() && found->is_null();
}

const Json& Settings::value(const char* key) const {
  if (!has(key)) fail(key, "is missing");
  return table_.at(key);
}

int64_t Settings::whole(const char* key, int64_t least, int64_t largest) const {
  const Json& found = value(key);
  if (!found.is_number_integer()) fail(key, fmt::format("{} is not a whole number", shown(found)));
  // An unsigned number beyond int64 must not come out negative.
  const bool fits =
      !found.is_number_unsigned() || found.get<uint64_t>() <= static_cast<uint64_t>(largest);
  if (!fits || found.get<int64_t>() < least || found.get<int64_t>() > largest) {
    fail(key, fmt::format("{} is outside {}..{}", shown(found), least, largest));
  }
  return found.get<int64_t>();
}

int64_t Settings::whole(const char* key, int64_t least, int64_t largest, int64_t otherwise) const {
  return has(key) ? whole(key, least, largest) : otherwise;
}

double Settings::number(const char* key, double least, double largest) const {
  const Json& found = value(key);
  if (!found.is_number()) fail(key, fmt::format("{} is not a number", shown(found)));
  const double number = found.get<double>();
  if (!(number >= least && number <= largest)) {
    fail(key, fmt::format("{} is outside {}..{}", shown(found), least, largest));
  }
  return number;
}

double Settings::number(const char* key, double least, double largest, double otherwise) const {
  return has(key) ? number(key, least, largest) : otherwise;
}

bool Settings::truth(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!value(key).is_boolean()) {
    fail(key, fmt::format("{} is neither true nor false", shown(value(key))));
  }
  return value(key).get<bool>();
}

std::string Settings::text(const char* key, const std::string& otherwise) const {
  if (!has(key)) return otherwise;
  if (!value(key).is_string()) fail(key, fmt::format("{} is not text", shown(value(key))));
  return value(key).get<std::string>();
}

}  // namespace bitlaw::hf
