// Reads and prints JSON. nlohmann/json defines grammar, numbers and escapes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
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

// Prints piece by piece. (A tree of nlohmann::json would take the memory again, and taking it down
// allocates in a destructor: without memory left, the program would end there.)
class Printer {
 public:
  Printer(int indent, std::string& out) : indent_(indent), out_(out) {}

  void print(const Json& value) {
    if (value.is_object()) {
      print_all(value.items(), '{', '}', [&](const auto& member) {
        print(member.first);
        out_ += indent_ >= 0 ? ": " : ":";
        print(member.second);
      });
    } else if (value.is_array()) {
      print_all(value, '[', ']', [&](const Json& element) { print(element); });
    } else if (value.is_string()) {
      print(value.text());
    } else if (value.is_boolean()) {
      out_ += value.get<bool>() ? "true" : "false";
    } else if (value.is_number_float()) {
      print(value.get<double>());
    } else if (value.is_number_unsigned()) {
      fmt::format_to(std::back_inserter(out_), "{}", value.get<uint64_t>());
    } else if (value.is_number_integer()) {
      fmt::format_to(std::back_inserter(out_), "{}", value.get<int64_t>());
    } else {
      out_ += "null";
    }
  }

 private:
  template <class Items, class PrintOne>
  void print_all(const Items& items, char open, char close, const PrintOne& print_one) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ',';
      first = false;
      new_line();
      print_one(item);
    }
    --depth_;
    if (!first) new_line();
    out_ += close;
  }

  void new_line() {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(indent_ * depth_), ' ');
  }

  void print(double value) {
    if (!std::isfinite(value)) {
      out_ += "null";
      return;
    }
    char digits[64];
    out_.append(digits, nlohmann::detail::to_chars(digits, std::end(digits), value));
  }

  void print(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
      return c >= ' ' && c < 127 && c != '"' && c != '\\';
    });
    if (plain) {
      out_ += '"';
      out_ += text;
      out_ += '"';
    } else {
      out_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
  }

  int indent_, depth_ = 0;
  std::string& out_;
};

}  // namespace

std::string Json::dump(int indent) const {
  std::string out;
  Printer(indent, out).print(*this);
  return out;
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
