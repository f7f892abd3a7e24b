#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "corpus/one_line.h"
#include "corpus/paragraphs.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

bool is_upper(char byte) {
  return byte >= 'A' && byte <= 'Z';
}
bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string_view named_character(std::string_view name) {
  if (name == "lt") return "<";
  if (name == "gt") return ">";
  if (name == "verbar") return "|";
  if (name == "sol") return "/";
  if (name == "amp") return "&";
  if (name == "quot") return "\"";
  return " ";
}

// A link is known by its text, or by the page that it names: L<text|page>, L<page/"section">.
std::string link_text(const std::string& inside) {
  std::string text = inside.substr(0, inside.find('|'));
  text.erase(0, std::min(text.find_first_not_of('/'), text.size()));
  if (text.size() > 1 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return text;
}

std::string code_text(char letter, const std::string& inside) {
  if (letter == 'E') return std::string(named_character(inside));
  if (letter == 'X' || letter == 'Z') return "";  // an entry of the index; nothing
  return letter == 'L' ? link_text(inside) : inside;
}

// Formatting codes, which may be nested: B<bold C<code>>, C<< a -> b >>.
class Codes {
 public:
  explicit Codes(std::string_view text) : text_(text) {}

  std::string take_off() { return until(0, 0); }

 private:
  static constexpr int kDeepest = 20;

  // Reads up to the end of a code that `brackets` of '<' began; all of it for 0.
  std::string until(size_t brackets, int depth) {
    std::string out;
    while (at_ < text_.size()) {
      if (brackets > 0 && text_.substr(at_, brackets) == std::string(brackets, '>')) {
        at_ += brackets;
        return out;
      }
      const size_t opened = depth < kDeepest ? opening() : 0;
      if (opened == 0) {
        out += text_[at_++];
        continue;
      }
      const char letter = text_[at_];
      at_ += 1 + opened;
      out += code_text(letter, trim(until(opened, depth + 1)));
    }
    return out;
  }

  // How many '<' follow a capital letter here; several need a space behind them.
  size_t opening() const {
    if (!is_upper(text_[at_])) return 0;
    const size_t end = text_.find_first_not_of('<', at_ + 1);
    const size_t brackets = (end == std::string_view::npos ? text_.size() : end) - at_ - 1;
    if (brackets <= 1) return brackets;
    return end != std::string_view::npos && (text_[end] == ' ' || text_[end] == '\n') ? brackets
                                                                                      : 1;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Where in a file the text is: pod begins with a command and ends with =cut; =begin and =for hold
// what is meant for other formats.
class Place {
 public:
  // Whether `paragraph` is a command.
  bool take_command(std::string_view paragraph) {
    if (paragraph.size() < 2 || paragraph[0] != '=' ||
        !std::isalpha(static_cast<unsigned char>(paragraph[1])))
      return false;
    const std::string_view word = paragraph.substr(1, paragraph.find_first_of(" \t\n") - 1);
    in_pod_ = word != "cut";
    if (word == "begin") in_block_ = true;
    if (word == "end") in_block_ = false;
    return true;
  }
  bool is_text(std::string_view paragraph) const {
    return in_pod_ && !in_block_ && !paragraph.empty() && paragraph[0] != ' ' &&
           paragraph[0] != '\t';
  }

 private:
  bool in_pod_ = false, in_block_ = false;
};

}  // namespace

std::vector<std::string> pod_paragraphs(std::string_view bytes) {
  const std::string valid = valid_utf8(bytes);
  std::string_view pod = valid;
  std::vector<std::string> out;
  std::string paragraph;
  Place place;
  const auto end_paragraph = [&] {
    if (!paragraph.empty() && !place.take_command(paragraph) && place.is_text(paragraph)) {
      std::string line = one_line(Codes(paragraph).take_off());
      if (!line.empty()) out.push_back(std::move(line));
    }
    paragraph.clear();
  };
  while (!pod.empty()) {
    const size_t end = std::min(pod.find('\n'), pod.size());
    const std::string_view line = pod.substr(0, end);
    pod.remove_prefix(std::min(end + 1, pod.size()));
    if (is_blank(line)) {
      end_paragraph();
    } else {
      if (!paragraph.empty()) paragraph += '\n';
      paragraph += line;
    }
  }
  end_paragraph();
  return out;
}

}  // namespace bitlaw
