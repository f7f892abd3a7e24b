#include "pages/pages.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw {

std::string_view page_file(std::string_view name) {
  for (const PageFile& file : page_files()) {
    if (file.name == name) return file.bytes;
  }
  throw Error(fmt::format("this program carries no page '{}'", name));
}

std::string page_with(std::string_view page, std::string_view id, const Json& data) {
  const std::string begin = fmt::format(R"(<script id="{}" type="application/json">)", id);
  const size_t at = page.find(begin + "</script>");
  BITLAW_CHECK(at != std::string_view::npos);
  const size_t place = at + begin.size();
  const std::string text = dump_json(data, -1);
  std::string out;
  out.reserve(page.size() + text.size() + text.size() / 8);
  out.append(page.substr(0, place));
  // "</script" would end the element that holds the data, and "<!--<script" would keep it open.
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  out.append(page.substr(place));
  return out;
}

}  // namespace bitlaw
