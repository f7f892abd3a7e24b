// Times for records, and lengths of time as people write them.
#pragma once

#include <string>

namespace bitlaw {

// "2026-11-29T16:20:00Z"
std::string now_iso();

// Seconds: "90 s", "30m", "2h", "1h30m", "2 days"; a number alone is seconds. Error, beginning with
// `what`, for anything else, and unless it is above 0.
double parse_duration(const std::string& text, const std::string& what);

}  // namespace bitlaw
