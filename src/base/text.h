// Helpers for messages to people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

std::string format_duration(double seconds);  // "8 s", "3 min 20 s", "1 h 05 min"
std::string format_count(double count);       // "950", "1.2 k", "3.4 M", "26 B"
std::string format_bytes(double bytes);       // "512 B", "1.5 KiB", "2.0 GiB"

std::vector<std::string> split(std::string_view text, char separator);  // of empty text: none
std::string trim(std::string_view text);

}  // namespace bitlaw
