// The report page as it lies in page.html, with @BITLAW_DOCUMENT@ where its data goes.
#pragma once

namespace bitlaw {

extern const char* const kReportPage;

}  // namespace bitlaw
