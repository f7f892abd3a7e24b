#include "pages/pages.h"
#include "report/packed.h"
#include "report/report.h"

namespace bitlaw {

std::string report_html(const Json& document) {
  return page_with(built::report_html, "document", packed_for_page(document));
}

}  // namespace bitlaw
