#include "tokenizer/split_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <cctype>

#include "base/error.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr size_t kLongestPattern = 10000;
// Steps of one match before it counts as exponential; the patterns of known tokenizers take a few
// for each character.
constexpr uint32_t kMatchSteps = 10'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads an Oniguruma pattern from left to right and writes PCRE2's.
class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : rest_(pattern), where_(where) {}

  std::string run() {
    if (take("(?i)")) out_ += "(?i)";  // further inside, the two end its reach at different places
    while (!rest_.empty()) {
      if (rest_[0] == '\\') {
        escape(false);
      } else if (rest_[0] == '[') {
        character_class();
      } else if (rest_[0] == '(') {
        group();
      } else if (rest_[0] == '{') {
        interval();
      } else {
        copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(fmt::format("{}: '{}' in a pattern is not supported", where_, what));
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  void copy(size_t count) {
    out_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }

  void escape(bool in_class) {
    const std::string_view two = rest_.substr(0, 2);
    if (two.size() < 2) refuse("\\ at its end");
    const char c = two[1];
    if (std::string_view("rntfaedD").find(c) != std::string_view::npos) return copy(2);
    if (c == 'p' || c == 'P') return property();
    if (c == 'u' || c == 'x') return code_point();
    if (std::isalnum(static_cast<unsigned char>(c))) {
      if (c == 's') {
        out_ += "\\p{White_Space}";
      } else if (c == 'S') {
        out_ += "\\P{White_Space}";
      } else if (c == 'w') {
        out_ += in_class ? std::string(kWord) : fmt::format("[{}]", kWord);
      } else if (c == 'W' && !in_class) {
        out_ += fmt::format("[^{}]", kWord);
      } else {
        refuse(two);
      }
      rest_.remove_prefix(2);
      return;
    }
    copy(2);  // punctuation for itself, or the first byte of a character for itself
  }

  // \p{L}, \p{^Lu}, \P{Han}: a general category by its short name, or a script.
  void property() {
    const size_t end = rest_.find('}');
    if (rest_.size() < 3 || rest_[2] != '{' || end == std::string_view::npos)
      refuse(rest_.substr(0, 2));
    std::string_view name = rest_.substr(3, end - 3);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    for (const char c : name) {
      if (!std::isalpha(static_cast<unsigned char>(c)) && c != '_')
        refuse(rest_.substr(0, end + 1));
    }
    if (name.empty()) refuse(rest_.substr(0, end + 1));
    const bool binary = name == "Alphabetic" || name == "White_Space";
    out_ += fmt::format("{}{{{}{}{}}}", rest_.substr(0, 2), negated ? "^" : "",
                        name.size() > 2 && !binary ? "sc:" : "", name);
    rest_.remove_prefix(end + 1);
  }

  // \u00E9, \x{E9}, and \x41 (above \x7F that is a byte of UTF-8 in Oniguruma).
  void code_point() {
    size_t digits = 0, begin = 2;
    const bool braces = rest_.starts_with("\\x{");
    if (braces) begin = 3;
    while (begin + digits < rest_.size() &&
           std::isxdigit(static_cast<unsigned char>(rest_[begin + digits])))
      ++digits;
    const size_t most = braces ? 6 : rest_[1] == 'u' ? 4 : 2;
    if (!braces) digits = std::min(digits, most);
    const bool complete =
        braces ? digits > 0 && digits <= most && rest_.substr(begin + digits).starts_with('}')
               : digits == most;
    if (!complete || (most == 2 && rest_[begin] > '7')) refuse(rest_.substr(0, begin + digits));
    out_ += fmt::format("\\x{{{}}}", rest_.substr(begin, digits));
    rest_.remove_prefix(begin + digits + (braces ? 1 : 0));
  }

  void character_class() {
    copy(1);
    if (rest_.starts_with('^')) copy(1);
    if (rest_.starts_with(']')) refuse("[]");
    while (!rest_.starts_with(']')) {
      if (rest_.empty()) refuse("[ without ]");
      if (rest_[0] == '[') refuse("[ inside [...]");
      if (rest_.starts_with("&&")) refuse("&&");
      if (rest_[0] == '\\') {
        escape(true);
      } else {
        copy(1);
      }
    }
    copy(1);
  }

  void group() {
    if (rest_.starts_with("(*")) refuse("(*");
    if (!rest_.starts_with("(?")) return copy(1);
    for (const std::string_view known : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:"}) {
      if (rest_.starts_with(known)) return copy(known.size());
    }
    refuse(rest_.substr(0, 3));
  }

  // x{2}, x{2,}, x{2,3}; Oniguruma takes what follows as another quantifier but for x{2,3}?.
  void interval() {
    size_t i = 1;
    while (i < rest_.size() && is_digit(rest_[i])) ++i;
    const bool from = i > 1;
    const bool comma = i < rest_.size() && rest_[i] == ',';
    if (comma) ++i;
    while (i < rest_.size() && is_digit(rest_[i])) ++i;
    const bool closed = i < rest_.size() && rest_[i] == '}';
    if (!from || !closed) refuse("{");
    const char next = i + 1 < rest_.size() ? rest_[i + 1] : '\0';
    if (next == '+' || (next == '?' && !comma)) refuse(rest_.substr(0, i + 2));
    copy(i + 1);
  }

  std::string_view rest_;
  const std::string& where_;
  std::string out_;
};

}  // namespace

std::string pcre_of_oniguruma(std::string_view pattern, const std::string& where) {
  return Translator(pattern, where).run();
}

struct SplitPattern::Code {
  pcre2_code* code = nullptr;
  pcre2_match_context* limits = nullptr;
  ~Code() {
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
  }
};

SplitPattern::SplitPattern(std::string_view oniguruma, const std::string& where)
    : code_(std::make_unique<Code>()) {
  if (oniguruma.size() > kLongestPattern)
    throw Error(fmt::format("{}: a pattern of {} bytes is too long", where, oniguruma.size()));
  const std::string pattern = pcre_of_oniguruma(oniguruma, where);
  const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                              &error, &offset, context.get());
  if (code_->code == nullptr) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(error, message, sizeof message);
    throw Error(fmt::format("{}: a pattern is invalid or not supported: {}", where,
                            reinterpret_cast<const char*>(message)));
  }
  pcre2_jit_compile(code_->code, PCRE2_JIT_COMPLETE);  // without it PCRE2 interprets
  code_->limits = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(code_->limits, kMatchSteps);
}

SplitPattern SplitPattern::of_text(std::string_view literal) {
  SplitPattern pattern;
  pattern.code_ = std::make_unique<Code>();
  int error = 0;
  PCRE2_SIZE offset = 0;
  pattern.code_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(literal.data()), literal.size(),
                                      PCRE2_UTF | PCRE2_LITERAL, &error, &offset, nullptr);
  BITLAW_CHECK(pattern.code_->code != nullptr);
  pcre2_jit_compile(pattern.code_->code, PCRE2_JIT_COMPLETE);
  return pattern;
}

SplitPattern::~SplitPattern() = default;
SplitPattern::SplitPattern(SplitPattern&&) noexcept = default;
SplitPattern& SplitPattern::operator=(SplitPattern&&) noexcept = default;

struct SplitPattern::Matches::State {
  const Code& code;
  std::string_view text;
  pcre2_match_data* data;
  size_t from = 0;                 // where to look next
  std::optional<size_t> last_end;  // of the match before
  ~State() { pcre2_match_data_free(data); }
};

SplitPattern::Matches::Matches(const SplitPattern& pattern, std::string_view text)
    : state_(new State{*pattern.code_, text, pcre2_match_data_create(1, nullptr)}) {}
SplitPattern::Matches::~Matches() = default;

std::optional<std::pair<size_t, size_t>> SplitPattern::Matches::next() {
  State& s = *state_;
  while (s.from <= s.text.size()) {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(s.text.data());
    int found = pcre2_match(s.code.code, subject, s.text.size(), s.from, PCRE2_NO_UTF_CHECK, s.data,
                            s.code.limits);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      found = pcre2_match(s.code.code, subject, s.text.size(), s.from,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s.data, s.code.limits);
    }
    if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (found < 0)
      throw Error(fmt::format("the tokenizer's pattern takes too long on this text ({})", found));
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(s.data);
    const size_t begin = range[0], end = range[1];
    if (begin == end && s.last_end == end) {
      const int step = utf8_length(s.text.substr(s.from));
      s.from += static_cast<size_t>(std::max(step, 1));
      continue;
    }
    s.from = end;
    s.last_end = end;
    return std::pair{begin, end};
  }
  return std::nullopt;
}

SplitPattern read_split_pattern(const JsonFields& fields) {
  const JsonFields pattern = fields.object("pattern");
  if (pattern.has("Regex")) return SplitPattern(pattern.text("Regex"), pattern.place());
  if (pattern.text("String").empty()) pattern.fail("is empty");
  return SplitPattern::of_text(pattern.text("String"));
}

}  // namespace bitlaw
