#include "base/error.h"
#include "report/page.h"
#include "report/report.h"

namespace bitlaw {

std::string report_html(const Json& document) {
  constexpr std::string_view kPlace = "@BITLAW_DOCUMENT@";
  std::string page = kReportPage;
  const size_t place = page.find(kPlace);
  BITLAW_CHECK(place != std::string::npos);
  // "</" would end the script element that holds the data.
  std::string data = dump_json(document);
  for (size_t at = data.find("</"); at != std::string::npos; at = data.find("</", at + 3))
    data.insert(at + 1, "\\");
  return page.replace(place, kPlace.size(), data);
}

}  // namespace bitlaw
