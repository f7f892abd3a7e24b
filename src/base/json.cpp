#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace bitlaw {

Json parse_json(const std::string& text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const size_t end = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + end, '\n');
    throw Error(
        fmt::format("{}: not valid JSON near line {}; the file may be cut short", where, line));
  } catch (const Json::out_of_range&) {  // a number like 1e999
    throw Error(fmt::format("{}: a number in it is too large for a double", where));
  }
}

std::string dump_json(const Json& document, int indent) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bitlaw
