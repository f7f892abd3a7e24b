#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr int kDeepest = 200;

}  // namespace

Json parse_json(const std::string& text, const std::string& where) {
  // Printing and reading what is nested go down with it, and a file must not choose how far.
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) {
      throw Error(fmt::format("{}: is nested more than {} deep; it is damaged", where, kDeepest));
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
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
