#include "tokenizer/text_normalizer.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "base/json_fields.h"
#include "tokenizer/split_pattern.h"

namespace bitlaw {
namespace {

// The library's tables are those of Unicode 9 (measured on 0.23.3, over all code points): to it,
// what came later is a character without combining class, decomposition or composition. utf8proc
// 2.8 knows Unicode 15; these are the ones whose normal forms differ.
struct Range {
  int32_t first, last;
};
constexpr Range kAfterUnicode9[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
    {0xC3C, 0xC3C},     {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x1715, 0x1715},
    {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},   {0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},
    {0xA82C, 0xA82C},   {0xAB69, 0xAB69},   {0x10781, 0x10785}, {0x10787, 0x107B0},
    {0x107B2, 0x107BA}, {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B},
    {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11930, 0x11930}, {0x11938, 0x11938},
    {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45},
    {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E030, 0x1E06D},
    {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF},
    {0x1E4EC, 0x1E4EF}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9}};

bool is_after_unicode_9(int32_t code) {
  const Range* range = std::lower_bound(std::begin(kAfterUnicode9), std::end(kAfterUnicode9), code,
                                        [](const Range& r, int32_t c) { return r.last < c; });
  return range != std::end(kAfterUnicode9) && code >= range->first;
}

using Step = std::function<std::string(std::string)>;

void append_normal_form(std::string_view text, utf8proc_option_t options, std::string& out) {
  if (text.empty()) return;
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &result, options);
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(result, std::free);
  if (length < 0)
    throw Error(fmt::format("text cannot be normalized: {}", utf8proc_errmsg(length)));
  out.append(reinterpret_cast<const char*>(result), static_cast<size_t>(length));
}

// The normal form of the stretches between later characters, which combine with nothing.
void append_normal_form_of_unicode_9(std::string_view text, utf8proc_option_t options,
                                     std::string& out) {
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t code = 0;
    const auto length = static_cast<size_t>(std::max<utf8proc_ssize_t>(
        1, utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + i),
                            static_cast<utf8proc_ssize_t>(text.size() - i), &code)));
    if (code >= kAfterUnicode9[0].first && is_after_unicode_9(code)) {
      append_normal_form(text.substr(begin, i - begin), options, out);
      out += text.substr(i, length);
      begin = i + length;
    }
    i += length;
  }
  append_normal_form(text.substr(begin), options, out);
}

// All of ASCII is its own normal form and composes with nothing before it, so text may be cut
// before any ASCII character. NFC leaves all below U+0300 alone, too: their lead bytes are below
// CC.
Step normal_form_step(utf8proc_option_t options, unsigned char first_changed_byte) {
  return [=](std::string text) {
    std::string out;
    out.reserve(text.size());
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    size_t copied = 0;  // text before it is already in `out`
    for (size_t i = 0; i < text.size();) {
      if (byte(i) < first_changed_byte) {
        ++i;
        continue;
      }
      size_t begin = i, end = i;
      while (begin > copied && byte(begin) >= 0x80) --begin;
      while (end < text.size() && byte(end) >= 0x80) ++end;
      out.append(text, copied, begin - copied);
      append_normal_form_of_unicode_9(std::string_view(text).substr(begin, end - begin), options,
                                      out);
      copied = i = end;
    }
    if (copied == 0) return text;
    return out.append(text, copied);
  };
}

Step replace_step(SplitPattern pattern, std::string content) {
  return [pattern = std::make_shared<SplitPattern>(std::move(pattern)),
          content = std::move(content)](std::string text) {
    SplitPattern::Matches matches(*pattern, text);
    std::string out;
    size_t copied = 0;
    while (const auto match = matches.next()) {
      out.append(text, copied, match->first - copied).append(content);
      copied = match->second;
    }
    return out.append(text, copied);
  };
}

}  // namespace

TextNormalizer::TextNormalizer(const Json& value, const std::string& file) {
  if (!value.is_null()) add(value, file, "normalizer", 0);
}

void TextNormalizer::add(const Json& value, const std::string& file, const std::string& path,
                         int depth) {
  const JsonFields fields(value, file, path);
  const std::string& type = fields.type();
  const auto stable = [](int options) {
    return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | options);
  };
  if (type == "NFC") {
    steps_.push_back(normal_form_step(stable(UTF8PROC_COMPOSE), 0xCC));
  } else if (type == "NFD") {
    steps_.push_back(normal_form_step(stable(UTF8PROC_DECOMPOSE), 0x80));
  } else if (type == "NFKC") {
    steps_.push_back(normal_form_step(stable(UTF8PROC_COMPOSE | UTF8PROC_COMPAT), 0x80));
  } else if (type == "NFKD") {
    steps_.push_back(normal_form_step(stable(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT), 0x80));
  } else if (type == "Prepend") {
    steps_.push_back([prefix = fields.text("prepend")](std::string text) {
      return text.empty() ? text : prefix + text;
    });
  } else if (type == "Replace") {
    steps_.push_back(replace_step(read_split_pattern(fields), fields.text("content")));
  } else if (type == "Sequence" && depth < 8) {
    const Json& list = fields.list("normalizers");
    for (size_t i = 0; i < list.size(); ++i)
      add(list[i], file, fmt::format("{}.normalizers[{}]", path, i), depth + 1);
  } else {
    fields.fail(
        fmt::format("'{}' is not supported; bitlaw reads NFC, NFD, NFKC, NFKD, Prepend, Replace "
                    "and a Sequence of these",
                    type));
  }
}

std::string TextNormalizer::operator()(std::string_view valid_text) const {
  std::string text(valid_text);
  for (const auto& step : steps_) text = step(std::move(text));
  return text;
}

}  // namespace bitlaw
