// The report page from page.html, with @BITLAW_DOCUMENT@ as the placeholder for its data.
#pragma once

namespace bitlaw {

extern const char* const kReportPage;

}  // namespace bitlaw
