// Reads and prints JSON with nlohmann/json, which defines grammar, numbers and escapes.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/nesting.h"

namespace bitlaw {
namespace {

struct TooDeep : Json::exception {
  TooDeep() : exception(fmt::format("JSON: nested more than {} levels deep", kDeepestNesting)) {}
};

// Builds a Json from nlohmann's events.
class Builder {
 public:
  explicit Builder(const JsonWatch* watch) : watch_(watch) {}

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(int64_t value) { return add(value); }
  bool number_unsigned(uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(std::vector<uint8_t>&) { return false; }
  bool start_object(size_t) { return open(Json::object(), JsonEvent::kObjectBegin); }
  bool start_array(size_t) { return open(Json::array(), JsonEvent::kArrayBegin); }
  bool end_object() { return close(JsonEvent::kObjectEnd); }
  bool end_array() { return close(JsonEvent::kArrayEnd); }
  bool key(std::string& name) {
    tell(JsonEvent::kKey, name);
    member_ = &(*open_.back())[name];
    return true;
  }
  bool parse_error(size_t byte, const std::string&, const nlohmann::json::exception& error) {
    if (dynamic_cast<const nlohmann::json::out_of_range*>(&error))
      throw Json::out_of_range(error.what());
    throw Json::parse_error(error.what(), byte);
  }

  Json take() { return std::move(root_); }

 private:
  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  Json& place(Json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_array()) return open_.back()->emplace_back(std::move(value));
    return *member_ = std::move(value);
  }

  bool open(Json value, JsonEvent event) {
    tell(event, "");
    if (open_.size() == kDeepestNesting) throw TooDeep();
    open_.push_back(&place(std::move(value)));
    return true;
  }

  bool close(JsonEvent event) {
    open_.pop_back();
    tell(event, "");
    return true;
  }

  void tell(JsonEvent event, const std::string& key) const {
    if (watch_) (*watch_)(event, static_cast<int>(open_.size()), key);
  }

  const JsonWatch* watch_;
  Json root_;
  std::vector<Json*> open_;  // pointers stay valid: the arrays do not grow meanwhile
  Json* member_ = nullptr;   // of open_.back(), whose value comes next
};

Json parse(std::string_view text, const JsonWatch* watch) {
  Builder builder(watch);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

nlohmann::json to_nlohmann(const Json& value) {
  if (value.is_object()) {
    auto out = nlohmann::json::object();
    for (const auto& [key, member] : value.items()) out.emplace(key, to_nlohmann(member));
    return out;
  }
  if (value.is_array()) {
    auto out = nlohmann::json::array();
    for (const Json& element : value) out.push_back(to_nlohmann(element));
    return out;
  }
  if (value.is_string()) return value.text();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_float()) return value.get<double>();
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (value.is_number_integer()) return value.get<int64_t>();
  return nullptr;
}

}  // namespace

std::string Json::dump(int indent) const {
  return to_nlohmann(*this).dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

Json Json::parse(std::string_view text) {
  return bitlaw::parse(text, nullptr);
}

Json parse_json_watched(std::string_view text, const JsonWatch& watch) {
  return parse(text, &watch);
}

std::optional<Json> try_parse_json(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Json parse_json(const std::string& text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const TooDeep&) {
    throw Error(fmt::format("{}: is nested more than {} levels deep; it is damaged", where,
                            kDeepestNesting));
  } catch (const Json::parse_error& error) {
    const size_t end = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + end, '\n');
    throw Error(
        fmt::format("{}: not valid JSON near line {}; the file may be cut short", where, line));
  } catch (const Json::out_of_range&) {  // a number like 1e999
    throw Error(fmt::format("{}: contains a number too large for a double", where));
  }
}

std::string dump_json(const Json& document, int indent) {
  return document.dump(indent);
}

}  // namespace bitlaw
