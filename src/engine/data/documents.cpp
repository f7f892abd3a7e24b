#include "data/documents.h"

#include <fmt/format.h>

#include <array>

#include "data/text_files.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

// Turns \r\n and \r into \n, even if a \r\n is split between two pieces.
class LineEnds {
 public:
  void append(std::string_view piece, std::string& out) {
    for (const char c : piece) {
      if (c != '\n' || !after_return_) out.push_back(c == '\r' ? '\n' : c);
      after_return_ = c == '\r';
    }
  }

 private:
  bool after_return_ = false;
};

void emit(std::string_view text, std::string place, const DocumentCallback& callback,
          ReadCounts& counts) {
  if (is_blank(text)) {
    ++counts.blank;
    return;
  }
  while (text.front() == '\n') text.remove_prefix(1);
  while (text.back() == '\n') text.remove_suffix(1);
  Document document{std::move(place), valid_utf8(text, &counts.invalid_bytes), {}};
  ++counts.documents;
  counts.bytes += static_cast<int64_t>(document.text.size());
  callback(std::move(document));
}

// End of the first blank line (two line ends with only spaces between) at or after `from`; npos
// without.
size_t after_blank_line(std::string_view text, size_t from) {
  for (size_t end = text.find('\n', from); end != std::string_view::npos;
       end = text.find('\n', end + 1)) {
    const size_t next = text.find_first_not_of(" \t", end + 1);
    if (next != std::string_view::npos && text[next] == '\n') return next + 1;
  }
  return std::string_view::npos;
}

// Where a text that is longer than kWholeTextBytes is cut for its first section.
size_t section_end(std::string_view text) {
  const size_t blank = after_blank_line(text.substr(0, kWholeTextBytes), kSectionBytes);
  if (blank != std::string_view::npos) return blank;
  const size_t line = text.rfind('\n', kWholeTextBytes - 1);
  if (line != std::string_view::npos && line >= kSectionBytes) return line + 1;
  size_t end = kWholeTextBytes;  // inside a line: at least not inside a character
  while (end > kWholeTextBytes - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end;
}

}  // namespace

void read_text(ByteSource& source, const std::string& name, const DocumentCallback& callback,
               ReadCounts& counts) {
  std::array<char, kReadBytes> buffer;
  LineEnds line_ends;
  std::string text;
  int sections = 0;
  auto cut = [&](size_t end) {
    emit(std::string_view(text).substr(0, end), fmt::format("{}#{}", name, ++sections), callback,
         counts);
    text.erase(0, end);
  };
  bool first = true;
  while (const size_t n = source.read(buffer)) {
    line_ends.append({buffer.data(), n}, text);
    if (first && text.size() >= 3) {
      if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // byte order mark
      first = false;
    }
    while (text.size() > kWholeTextBytes) cut(section_end(text));
  }
  if (sections == 0) {
    emit(text, name, callback, counts);
    return;
  }
  for (size_t end; (end = after_blank_line(text, kSectionBytes)) != std::string::npos;) cut(end);
  if (!is_blank(text)) cut(text.size());
}

void emit_document(std::string_view text, std::string place, const DocumentCallback& callback,
                   ReadCounts& counts) {
  std::string lines;
  LineEnds().append(text, lines);
  emit(lines, std::move(place), callback, counts);
}

namespace {

void read_file_text(const TextFile& file, const DocumentCallback& callback, ReadCounts& counts,
                    const std::string& key) {
  const std::string name = file.path.string();
  std::unique_ptr<ByteSource> bytes = open_text(file.path);
  if (file.kind == TextKind::kText) {
    read_text(*bytes, name, callback, counts);
    return;
  }
  constexpr size_t kLookBytes = 4096;  // for the first bracket
  const std::string head = read_head(bytes, kLookBytes);
  const size_t first = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const bool list = first != std::string::npos && head[first] == '[';
  if (file.kind == TextKind::kJsonLines && !list)
    read_jsonl(*bytes, name, callback, counts, key);
  else
    read_json(*bytes, name, callback, counts, key);
}

}  // namespace

ReadCounts read_documents(const std::vector<std::string>& roots, const DocumentCallback& callback,
                          const std::string& key) {
  ReadCounts counts;
  TextFiles found = search_text_files(roots, key);
  counts.other_files = std::move(found.others);
  for (const TextFile& file : found.files) {
    const DocumentCallback with_source = [&](Document&& document) {
      document.source = file.source;
      callback(std::move(document));
    };
    read_file_text(file, with_source, counts, key);
    ++counts.files;
  }
  return counts;
}

std::string letters_and_digits(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      out.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               (static_cast<unsigned char>(c) & 0x80) != 0) {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace bitlaw
