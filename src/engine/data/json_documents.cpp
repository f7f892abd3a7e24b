#include "data/json_documents.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

constexpr int kDeepestKey = 16;

// All of the texts under `key`, joined, or nothing.
std::optional<std::string> text_under(const Json& value, std::string_view key, int depth) {
  if (depth > kDeepestKey) return std::nullopt;
  if (value.is_array()) {
    std::optional<std::string> joined;
    for (const Json& element : value) {
      const auto text = text_under(element, key, depth + 1);
      if (!text) return std::nullopt;
      joined = joined ? *joined + "\n" + *text : *text;
    }
    return joined;
  }
  if (key.empty())
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  if (!value.is_object()) return std::nullopt;
  const std::string whole(key);
  if (value.contains(whole)) return text_under(value.at(whole), "", depth + 1);
  const size_t dot = key.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string first(key.substr(0, dot));
  if (!value.contains(first)) return std::nullopt;
  return text_under(value.at(first), key.substr(dot + 1), depth + 1);
}

// The keys under which there are texts, with the bytes there.
void collect_keys(const Json& value, const std::string& prefix, int depth,
                  std::map<std::string, size_t>& keys) {
  if (depth > kDeepestKey) return;
  if (value.is_array()) {
    for (const Json& element : value) collect_keys(element, prefix, depth + 1, keys);
  } else if (value.is_object()) {
    for (const auto& [key, inner] : value.items())
      collect_keys(inner, prefix.empty() ? key : prefix + "." + key, depth + 1, keys);
  } else if (value.is_string() && !prefix.empty()) {
    keys[prefix] += value.get<std::string>().size();
  }
}

std::string other_keys(const Json& record) {
  constexpr size_t kMostNamed = 12;
  std::map<std::string, size_t> keys;
  collect_keys(record, "", 0, keys);
  if (keys.empty()) return "; no key of it holds text";
  std::vector<std::string> names;
  const std::string* longest = nullptr;
  size_t most = 0;
  for (const auto& [key, bytes] : keys) {
    if (names.size() < kMostNamed) names.push_back(key);
    if (bytes >= most) longest = &key, most = bytes;
  }
  return fmt::format("; there is text under {}{}: name the right one, as in --text-key {}",
                     fmt::join(names, ", "), keys.size() > kMostNamed ? ", ..." : "", *longest);
}

// Cuts a stream into JSON values, those of a list one by one, without a look inside them.
class ValueCutter {
 public:
  using Take = std::function<void(const std::string& value, bool in_list, int64_t line)>;
  ValueCutter(std::string name, Take take) : name_(std::move(name)), take_(std::move(take)) {}

  void append(std::string_view bytes) {
    for (const char c : bytes) {
      add(c);
      line_ += c == '\n';
    }
    if (value_.size() > kLongestLineBytes) {
      throw Error(fmt::format("{}:{}: a document is longer than {}", name_, begin_,
                              format_bytes(static_cast<double>(kLongestLineBytes))));
    }
  }
  void finish() {
    if (!value_.empty() && depth_ == 0 && !in_text_) end();
    if (!value_.empty() || in_list_) {
      throw Error(fmt::format("{}:{}: the file ends inside a {}; it is not complete", name_, line_,
                              value_.empty() ? "list" : "document"));
    }
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  void add(char c) {
    if (value_.empty()) {
      if (is_space(c) || (in_list_ && c == ',')) return;
      if (!in_list_ && c == '[') {
        in_list_ = true;
        return;
      }
      if (in_list_ && c == ']') {
        in_list_ = false;
        return;
      }
      begin_ = line_;
    } else if (depth_ == 0 && !in_text_ && (is_space(c) || c == ',' || c == ']')) {
      end();  // a number or a word has no end of its own
      add(c);
      return;
    }
    value_.push_back(c);
    if (in_text_) {
      if (escaped_)
        escaped_ = false;
      else if (c == '\\')
        escaped_ = true;
      else if (c == '"')
        in_text_ = false;
    } else if (c == '"') {
      in_text_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      --depth_;
    } else {
      return;
    }
    if (depth_ <= 0 && !in_text_) end();
  }
  void end() {
    const std::string value = std::move(value_);
    value_.clear();
    depth_ = 0;
    take_(value, in_list_, begin_);
  }

  std::string name_, value_;
  Take take_;
  bool in_list_ = false, in_text_ = false, escaped_ = false;
  int depth_ = 0;
  int64_t line_ = 1, begin_ = 1;
};

std::string parsed_text(const std::string& value, const std::string& key, bool in_list,
                        const std::string& where) {
  const std::optional<Json> record = try_parse_json(value);
  if (!record) {
    throw Error(
        fmt::format("{}: expected a JSON object with text under \"{}\", found no valid "
                    "JSON; correct or remove it",
                    where, key));
  }
  if (in_list && record->is_string()) return record->get<std::string>();
  return record_text(*record, key, where);
}

void skip_mark(std::string& text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
}

}  // namespace

std::string record_text(const Json& record, const std::string& key, const std::string& where) {
  if (record.is_object()) {
    if (auto text = text_under(record, key, 0)) return *text;
    throw Error(fmt::format("{}: {} \"{}\"{}", where,
                            record.contains(key) ? "no text under the key" : "has no key", key,
                            other_keys(record)));
  }
  throw Error(fmt::format(
      "{}: expected a JSON object with text under \"{}\", found other JSON; correct or remove it",
      where, key));
}

void read_jsonl(ByteSource& source, const std::string& name, const DocumentCallback& callback,
                ReadCounts& counts, const std::string& key) {
  std::array<char, kReadBytes> buffer;
  std::string line;
  int64_t number = 0;
  auto take_line = [&] {
    ++number;
    if (number == 1) skip_mark(line);
    if (line.find_first_not_of(" \t\n\v\f\r") != std::string::npos) {
      const std::string where = fmt::format("{}:{}", name, number);
      emit_document(parsed_text(valid_utf8(line, &counts.invalid_bytes), key, false, where), where,
                    callback, counts);
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

void read_json(ByteSource& source, const std::string& name, const DocumentCallback& callback,
               ReadCounts& counts, const std::string& key) {
  std::array<char, kReadBytes> buffer;
  int64_t number = 0;
  ValueCutter values(name, [&](const std::string& value, bool in_list, int64_t line) {
    ++number;
    const std::string where =
        in_list ? fmt::format("{}#{}", name, number) : fmt::format("{}:{}", name, line);
    emit_document(parsed_text(valid_utf8(value, &counts.invalid_bytes), key, in_list, where), where,
                  callback, counts);
  });
  std::string head;
  bool first = true;
  while (const size_t n = source.read(buffer)) {
    std::string_view piece(buffer.data(), n);
    if (first) {
      head.append(piece);
      if (head.size() < 3) continue;
      skip_mark(head);
      first = false;
      values.append(head);
    } else {
      values.append(piece);
    }
  }
  if (first) values.append(head);
  values.finish();
}

std::string why_no_documents(ByteSource& source, const std::string& name, const std::string& key) {
  struct Found {};
  std::string why = fmt::format("{}: holds no document", name);
  try {
    std::array<char, kReadBytes> buffer;
    ValueCutter values(name, [&](const std::string& value, bool in_list, int64_t line) {
      why.clear();
      try {
        parsed_text(valid_utf8(value), key, in_list, fmt::format("{}:{}", name, line));
      } catch (const Error& error) {
        why = error.what();
      }
      throw Found();
    });
    bool first = true;
    while (const size_t n = source.read(buffer)) {
      std::string piece(buffer.data(), n);
      if (first) skip_mark(piece);
      first = false;
      values.append(piece);
    }
    values.finish();
  } catch (const Found&) {
  } catch (const Error& error) {
    why = error.what();
  }
  return why;
}

}  // namespace bitlaw
