#include "base/error.h"
#include "report/packed.h"
#include "report/page.h"
#include "report/report.h"

namespace bitlaw {

std::string report_html(const Json& document) {
  constexpr std::string_view kPlace = "@BITLAW_DOCUMENT@";
  std::string page = kReportPage;
  const size_t place = page.find(kPlace);
  BITLAW_CHECK(place != std::string::npos);
  // "</script" would end the element that holds the data, and "<!--<script" would keep it open.
  const std::string data = dump_json(packed_for_page(document), -1);
  std::string escaped;
  escaped.reserve(data.size());
  for (const char c : data) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return page.replace(place, kPlace.size(), escaped);
}

}  // namespace bitlaw
