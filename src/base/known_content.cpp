#include "base/known_content.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>

namespace bitlaw {
namespace {

using namespace std::string_view_literals;

struct KnownRow {
  std::string_view begins;
  const char* sentence;
};
constexpr KnownRow kKnown[] = {
    {"version https://git-lfs"sv,
     "is a git-lfs pointer, not the file itself; run `git lfs pull` where it was cloned, or "
     "download it"},
    {"PK\x03\x04"sv, "is a zip file, as torch.save writes it, not the expected format"},
    {"\x80\x02"sv, "is a Python pickle, not the expected format"},
    {"GGUF"sv, "is a GGUF file, not the expected format"},
    {"\x89HDF\r\n"sv, "is an HDF5 file, not the expected format"},
    {"PAR1"sv, "is a Parquet file, not the expected format"},
    {"\x1F\x8B"sv, "is compressed with gzip; decompress it first"},
    {"\x28\xB5\x2F\xFD"sv, "is compressed with zstd; decompress it first"},
};

// What a hub answers instead of a file that is not there, or not for everybody, saved under its name.
bool is_answer(std::string_view bytes) {
  constexpr std::string_view kAnswers[] = {
      "Entry not found",      "Access to model", "Invalid username",
      "Repository not found", "{\"error\":\"",   "Not Found",
      "404: Not Found",       "Access to this",  "Access to dataset"};
  constexpr size_t kLongest = 1000;
  if (bytes.size() > kLongest) return false;
  return std::any_of(std::begin(kAnswers), std::end(kAnswers),
                     [&](std::string_view answer) { return bytes.starts_with(answer); });
}

bool is_page(std::string_view bytes) {
  std::string head(bytes.substr(0, 64));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return false;
  const std::string_view rest = std::string_view(head).substr(first);
  return rest.starts_with("<!doctype html") || rest.starts_with("<html");
}

}  // namespace

std::string known_content(std::string_view bytes) {
  for (const KnownRow& row : kKnown) {
    if (bytes.starts_with(row.begins)) return row.sentence;
  }
  if (is_answer(bytes)) {
    std::string words(bytes.substr(0, bytes.find_first_of("\r\n")));
    if (words.size() > 60) words = words.substr(0, 60) + "...";
    return "is an answer of a web site (" + words +
           "), not the file itself; download it again, with "
           "a login if it needs one";
  }
  if (is_page(bytes)) {
    return "is a page of a web site, not the file itself; download the file (on a hub, from its "
           "`resolve` address)";
  }
  return "";
}

}  // namespace bitlaw
