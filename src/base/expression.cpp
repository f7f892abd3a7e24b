#include "base/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"

namespace bitlaw {
namespace {

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool begins_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}
bool is_in_name(char c) {
  return begins_name(c) || is_digit(c) || c == '.';
}

[[noreturn]] void fail_in(std::string_view text, std::string_view what, size_t at,
                          std::string_view problem, std::string_view advice = {}) {
  const std::string place = at == text.size() ? "at its end"
                                              : fmt::format("at character {}, before '{}'", at + 1,
                                                            printable(text.substr(at, 20)));
  throw Error(fmt::format("{}: '{}': {} {}{}", what, printable(text), problem, place, advice));
}

}  // namespace

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, std::string_view what, Expression& out)
      : text_(text), what_(what), out_(out) {}

  void parse() {
    sum();
    if (!at_end()) fail(text_[at_] == ')' ? "no ( belongs to the )" : "an operator is missing");
  }

 private:
  using Op = Expression::Op;

  struct Function {
    const char* name;
    Op op;
    bool of_several;
  };
  static constexpr Function kFunctions[] = {
      {"log", Op::kLog, false}, {"log2", Op::kLog2, false}, {"log10", Op::kLog10, false},
      {"exp", Op::kExp, false}, {"sqrt", Op::kSqrt, false}, {"abs", Op::kAbs, false},
      {"min", Op::kMin, true},  {"max", Op::kMax, true},
  };
  static constexpr int kDeepest = 200;

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  bool take(std::string_view sign) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void add(Op op) { out_.steps_.push_back({op}); }

  [[noreturn]] void fail(std::string_view problem) {
    skip_blanks();
    fail_in(text_, what_, at_, problem);
  }

  void sum() {
    product();
    while (true) {
      if (take("+")) {
        product();
        add(Op::kAdd);
      } else if (take("-")) {
        product();
        add(Op::kSubtract);
      } else {
        return;
      }
    }
  }

  void product() {
    signed_power();
    while (true) {
      if (take("*")) {
        signed_power();
        add(Op::kMultiply);
      } else if (take("/")) {
        signed_power();
        add(Op::kDivide);
      } else {
        return;
      }
    }
  }

  void signed_power() {
    if (++depth_ > kDeepest) fail("is nested too deep");
    if (take("-")) {
      signed_power();
      add(Op::kNegate);
    } else if (take("+")) {
      signed_power();
    } else {
      power();
    }
    --depth_;
  }

  void power() {
    atom();
    if (!take("^") && !take("**")) return;
    signed_power();
    add(Op::kPower);
  }

  void atom() {
    if (take("(")) {
      sum();
      if (!take(")")) fail("a ) is missing");
      return;
    }
    if (at_end()) fail("a number, a name or ( is missing");
    const char c = text_[at_];
    if (is_digit(c) || c == '.') {
      number();
    } else if (c == '"' || c == '`') {
      quoted(c);
    } else if (begins_name(c)) {
      name_or_function();
    } else {
      fail("a number, a name or ( is missing");
    }
  }

  void number() {
    size_t end = at_;
    const auto digits = [&] {
      while (end < text_.size() && is_digit(text_[end])) ++end;
    };
    digits();
    if (end < text_.size() && text_[end] == '.') ++end, digits();
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) ++exponent;
      if (exponent < text_.size() && is_digit(text_[exponent])) end = exponent, digits();
    }
    while (end < text_.size() && is_in_name(text_[end])) ++end;  // a suffix, or a mistake
    const auto value = parse_count(text_.substr(at_, end - at_));
    if (!value) fail("is not a number");
    at_ = end;
    out_.steps_.push_back({.op = Op::kNumber, .number = *value});
  }

  void use(std::string name, size_t begin) {
    const auto known = std::find(out_.names_.begin(), out_.names_.end(), name);
    const auto place = static_cast<size_t>(known - out_.names_.begin());
    if (known == out_.names_.end()) {
      out_.names_.push_back(std::move(name));
      out_.places_.push_back(begin + 1);
    }
    out_.steps_.push_back({.op = Op::kName, .name = place});
  }

  void quoted(char quote) {
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("the quote never ends");
    if (end == at_ + 1) fail("the name is empty");
    use(std::string(text_.substr(at_ + 1, end - at_ - 1)), at_);
    at_ = end + 1;
  }

  void name_or_function() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_in_name(text_[at_])) ++at_;
    const std::string name(text_.substr(begin, at_ - begin));
    const size_t behind = at_;
    if (!take("(")) {
      at_ = behind;
      use(name, begin);
      return;
    }
    for (const Function& function : kFunctions) {
      if (name == function.name) return arguments(function);
    }
    std::vector<std::string> known;
    for (const Function& function : kFunctions) known.emplace_back(function.name);
    at_ = begin;
    fail(unknown_name("function", name, known));
  }

  void arguments(const Function& function) {
    sum();
    int count = 1;
    while (take(",")) {
      if (!function.of_several) fail(fmt::format("{} takes one quantity;", function.name));
      sum();
      add(function.op);
      ++count;
    }
    if (function.of_several && count == 1)
      fail(fmt::format("{} takes two quantities or more, with commas;", function.name));
    if (!function.of_several) add(function.op);
    if (!take(")")) fail("a ) is missing");
  }

  std::string_view text_;
  std::string what_;
  Expression& out_;
  size_t at_ = 0;
  int depth_ = 0;
};

Expression::Expression(std::string_view text, std::string_view what) : text_(text), what_(what) {
  ExpressionParser(text, what, *this).parse();
}

void Expression::fail_at(size_t name, std::string_view problem, std::string_view advice) const {
  fail_in(text_, what_, places_[name] - 1, problem, advice);
}

}  // namespace bitlaw
