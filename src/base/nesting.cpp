#include "base/nesting.h"

#include <algorithm>
#include <vector>

namespace bitlaw {
namespace {

// Reads a TOML text from left to right. What is open at a place: the parts of the section's name,
// then for each bracket the parts of the key before it, and itself.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int deepest() {
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (c == '"' || c == '\'') {
        text(c);
      } else {
        rest_.remove_prefix(1);
        sign(c);
      }
    }
    return deepest_;
  }

 private:
  struct Level {
    int parts_before = 0;
    bool is_table = false;
  };

  void sign(char c) {
    if (c == '.' && !in_value_) ++parts_;
    if (c == '=') in_value_ = true;
    if (c == '[' || c == '{') open(c == '{');
    if (c == ']' || c == '}') close();
    if (c == ',' && !open_.empty() && open_.back().is_table) next_key();
    if (c == '\n' && open_.empty()) next_key();
    deepest_ = std::max(deepest_, section_ + outer_ + parts_ + 1);
  }

  void open(bool table) {
    if (open_.empty() && !in_value_ && !table) {  // of [section] or [[section]]
      section_ = in_section_ ? 1 : 0;
      in_section_ = true;
      return;
    }
    open_.push_back({parts_ + 1, table});
    outer_ += parts_ + 1;
    parts_ = 0;
    in_value_ = !table;
  }

  void close() {
    if (open_.empty()) {
      if (in_section_) section_ += parts_ + 1;
      in_section_ = false;
      parts_ = 0;
      return;
    }
    parts_ = open_.back().parts_before - 1;
    outer_ -= parts_ + 1;
    open_.pop_back();
    in_value_ = true;
  }

  void next_key() {
    parts_ = 0;
    in_value_ = false;
    in_section_ = false;
  }

  // A quoted text, on one line or between three quotes.
  void text(char quote) {
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool is_long = rest_.starts_with(three);
    rest_.remove_prefix(is_long ? 3 : 1);
    while (!rest_.empty()) {
      if (rest_[0] == '\\' && quote == '"') {
        rest_.remove_prefix(std::min<size_t>(2, rest_.size()));
      } else if (is_long ? rest_.starts_with(three) : rest_[0] == quote || rest_[0] == '\n') {
        if (!is_long && rest_[0] == '\n') return;  // not TOML
        rest_.remove_prefix(is_long ? 3 : 1);
        // "" before the three quotes belong to the text.
        for (int more = 0; is_long && more < 2 && rest_.starts_with(quote); ++more)
          rest_.remove_prefix(1);
        return;
      } else {
        rest_.remove_prefix(1);
      }
    }
  }

  std::string_view rest_;
  std::vector<Level> open_;
  int section_ = 0, outer_ = 0;  // parts of the section's name; of all that is open
  int parts_ = 0;                // dots of the key that is being read
  bool in_value_ = false, in_section_ = false;
  int deepest_ = 0;
};

}  // namespace

int toml_nesting(std::string_view text) {
  return Scanner(text).deepest();
}

}  // namespace bitlaw
