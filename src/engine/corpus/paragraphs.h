// Documents as people write them to the prose that is in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// The paragraphs of an HTML page, each on one line of UTF-8, without scripts, code listings and page
// furniture (navigation, header, footer). The bytes are UTF-8 if they are valid as such, or else in
// the encoding that the page names.
std::vector<std::string> html_paragraphs(std::string_view html);

// The paragraphs of a Perl manual page in pod, each on one line, without headings, listings and
// blocks for other formats; formatting codes such as B<bold> are taken off.
std::vector<std::string> pod_paragraphs(std::string_view pod);

// Whether a paragraph is English prose: at least kFewestCharacters characters, kFewestLetters of them
// letters or spaces, and kFewestStopWords of its words among the commonest of English.
bool is_prose(std::string_view paragraph);

inline constexpr int64_t kFewestCharacters = 80;
inline constexpr double kFewestLetters = 0.80;
inline constexpr double kFewestStopWords = 0.18;

// Goes with every change of what these functions return, so that text made by other rules is not
// taken for theirs.
inline constexpr int kProseRules = 3;

}  // namespace bitlaw
