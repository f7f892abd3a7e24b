// Numbers that people write: one grammar for every option, file and name. Blanks at both ends are
// ignored; text that is not a number as a whole gives nothing.
#pragma once

#include <optional>
#include <string_view>

namespace bitlaw {

// "3", "-0.5", "+2", "1e21"; also "inf" and "nan", for callers that refuse them with a reason. No
// hexadecimals, no thousands separators.
std::optional<double> parse_number(std::string_view text);
std::optional<double> parse_finite(std::string_view text);    // neither inf nor nan
std::optional<double> parse_positive(std::string_view text);  // finite and above 0

// A count: as parse_number, optionally followed by k, M, B (or G) or T in either case. "1.5B" is
// 1.5e9.
std::optional<double> parse_count(std::string_view text);

// An amount of bytes above 0: a number with B, kB, MB, GB or TB (powers of 1000) or KiB, MiB, GiB or
// TiB (of 1024) behind it, in either case. "1.5GB" is 1.5e9.
std::optional<double> parse_bytes(std::string_view text);

// Only digits, without sign or leading zeros: all of `text`, or removed from its front.
std::optional<int> parse_whole(std::string_view text);
std::optional<int> take_whole(std::string_view& text);
// The same with a fraction, "1.58"; no exponent.
std::optional<double> take_decimal(std::string_view& text);

}  // namespace bitlaw
