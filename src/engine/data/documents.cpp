#include "data/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadBytes = 1 << 16;

enum class TextKind { kNone, kText, kJsonLines };

// By the suffix below a compression's: "a.jsonl.gz" is JSONL.
TextKind kind_of(fs::path path) {
  if (compression_of(path) != Compression::kNone) path.replace_extension();
  const std::string suffix = path.extension().string();
  if (suffix == ".txt") return TextKind::kText;
  if (suffix == ".jsonl") return TextKind::kJsonLines;
  return TextKind::kNone;
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

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

std::string json_text(const std::string& line, const std::string& where) {
  const std::optional<Json> record = try_parse_json(line);
  if (!record || !record->contains("text") || !record->at("text").is_string()) {
    throw Error(
        fmt::format("{}: expected one JSON object with a string \"text\" on the line, found {}; "
                    "correct or remove the line",
                    where, record ? "other JSON" : "no valid JSON"));
  }
  return record->at("text").get<std::string>();
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

void read_jsonl(ByteSource& source, const std::string& name, const DocumentCallback& callback,
                ReadCounts& counts) {
  std::array<char, kReadBytes> buffer;
  std::string line;
  int64_t number = 0;
  auto take_line = [&] {
    ++number;
    if (!is_blank(line)) {
      const std::string where = fmt::format("{}:{}", name, number);
      std::string text;
      LineEnds().append(json_text(valid_utf8(line, &counts.invalid_bytes), where), text);
      emit(text, where, callback, counts);
    }
    line.clear();
  };
  while (const size_t n = source.read(buffer)) {
    std::string_view rest(buffer.data(), n);
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
      line.append(rest.substr(0, end));
      take_line();
    }
    line.append(rest);
    if (line.size() > kLongestLineBytes) {
      throw Error(
          fmt::format("{}:{}: the line is longer than {}; is this JSONL, one object per line?",
                      name, number + 1, format_bytes(static_cast<double>(kLongestLineBytes))));
    }
  }
  take_line();
}

namespace {

struct TextFile {
  fs::path path;
  std::string source;  // as in Document
};

std::vector<TextFile> find_files(const std::vector<std::string>& roots, int64_t* other_files) {
  if (roots.empty()) throw Error("no text given; give a folder of .txt or .jsonl files");
  std::vector<TextFile> found;
  for (const std::string& root : roots) {
    std::error_code error;
    if (!fs::exists(root, error)) {
      throw Error(fmt::format("{}: does not exist; give a folder of .txt or .jsonl files", root));
    }
    if (!fs::is_directory(root, error)) {
      if (kind_of(root) == TextKind::kNone) {
        throw Error(
            fmt::format("{}: not a readable kind of text; rename it to .txt, or to .jsonl with one "
                        "{{\"text\": ...}} per line (.gz and .zst may be added)",
                        root));
      }
      found.push_back({root, fs::path(root).filename().string()});
      continue;
    }
    std::vector<fs::path> inside;
    fs::path place = root;  // that is being looked at: errors of the iterator do not always name it
    try {
      fs::recursive_directory_iterator entries(root);
      for (; entries != fs::recursive_directory_iterator(); ++entries) {
        place = entries->path();
        if (is_hidden(entries->path())) {
          entries.disable_recursion_pending();
        } else if (entries->is_regular_file()) {
          if (kind_of(entries->path()) != TextKind::kNone) {
            inside.push_back(entries->path());
          } else if (other_files != nullptr) {
            ++*other_files;
          }
        }
      }
    } catch (const fs::filesystem_error& trouble) {
      throw Error(fmt::format("{}: cannot be searched: {}; make it readable, or leave it out",
                              place.string(), trouble.code().message()));
    }
    std::sort(inside.begin(), inside.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
    for (fs::path& path : inside) {
      std::string source = path.lexically_relative(root).begin()->string();
      found.push_back({std::move(path), std::move(source)});
    }
  }
  if (found.empty()) {
    throw Error(fmt::format(
        "{}: contains no .txt or .jsonl file (also .gz or .zst); give a folder that does",
        fmt::join(roots, ", ")));
  }
  return found;
}

}  // namespace

std::vector<fs::path> find_text_files(const std::vector<std::string>& roots, int64_t* other_files) {
  std::vector<fs::path> paths;
  for (TextFile& file : find_files(roots, other_files)) paths.push_back(std::move(file.path));
  return paths;
}

ReadCounts read_documents(const std::vector<std::string>& roots, const DocumentCallback& callback) {
  ReadCounts counts;
  for (const TextFile& file : find_files(roots, &counts.other_files)) {
    const std::string name = file.path.string();
    const auto bytes = decompress(open_file(file.path), compression_of(file.path), name);
    const DocumentCallback with_source = [&](Document&& document) {
      document.source = file.source;
      callback(std::move(document));
    };
    (kind_of(file.path) == TextKind::kText ? read_text : read_jsonl)(*bytes, name, with_source,
                                                                     counts);
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
