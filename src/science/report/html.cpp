#include "base/error.h"
#include "report/page.h"
#include "report/report.h"

namespace bitlaw {

std::string report_html(const Json& document) {
  constexpr std::string_view kPlace = "@BITLAW_DOCUMENT@";
  std::string page = kReportPage;
  const size_t place = page.find(kPlace);
  BITLAW_CHECK(place != std::string::npos);
  // "</script" would end the element that holds the data, and "<!--<script" would keep it open.
  std::string data = dump_json(document);
  constexpr std::string_view kLess = "\\u003c";
  for (size_t at = data.find('<'); at != std::string::npos; at = data.find('<', at + kLess.size()))
    data.replace(at, 1, kLess);
  return page.replace(place, kPlace.size(), data);
}

}  // namespace bitlaw
