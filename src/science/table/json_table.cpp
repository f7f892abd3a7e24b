#include "table/json_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/number.h"
#include "base/text.h"
#include "record/factor_names.h"
#include "table/columns.h"

namespace bitlaw {
namespace {

constexpr int kDeepest = 64;

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

// NaN, Infinity and -Infinity outside strings in quotes, so that rows with them can be named.
std::string quote_non_numbers(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    size_t length = 1;
    if (in_string) {
      if (text[i] == '\\' && i + 1 < text.size()) length = 2;
      in_string = text[i] != '"';
    } else if (text[i] == '"') {
      in_string = true;
    } else {
      for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
        if (!text.substr(i).starts_with(word)) continue;
        quoted += fmt::format("\"{}\"", word);
        length = 0;
        i += word.size();
        break;
      }
    }
    quoted.append(text.substr(i, length));
    i += length;
  }
  return quoted;
}

// `first_line` is the line of the file in which `text` begins.
Json parse(std::string_view text, const std::string& where, int first_line) {
  const std::string readable = quote_non_numbers(text);
  const auto not_too_deep = [&](JsonEvent, int depth, const std::string&) {
    if (depth > kDeepest)
      throw Error(
          fmt::format("{}: JSON nested deeper than {} levels is not a table", where, kDeepest));
  };
  try {
    return parse_json_watched(readable, not_too_deep);
  } catch (const Json::parse_error& error) {
    const auto end =
        readable.begin() + static_cast<ptrdiff_t>(std::min(error.byte, readable.size()));
    throw Error(fmt::format("{}: not valid JSON near line {}; the file may be cut short", where,
                            first_line + std::count(readable.begin(), end, '\n')));
  } catch (const Json::out_of_range&) {  // a number like 1e999
    throw Error(fmt::format("{}: a number in it is too large for a double", where));
  }
}

struct Place {
  const std::string& where;
  const RawTable& table;
  int number;
  std::string text() const { return fmt::format("{}: {} {}", where, table.place_is, number); }
};

constexpr size_t kLongestList = 200;  // characters

// A list as text: equal lists are equal texts. A list of one is its entry.
RawField field_of(const Json& value);
RawField field_of_list(const Json& list) {
  if (list.empty()) return {};
  if (list.size() == 1 && !list[0].is_structured() && !list[0].is_null()) return field_of(list[0]);
  std::string text = dump_json(list);
  if (text.size() > kLongestList)
    text = fmt::format("list of {} ({})", list.size(), hash_hex(text));
  return text;
}

RawField field_of(const Json& value) {
  if (value.is_array()) return field_of_list(value);
  if (value.is_string()) return trim(value.get<std::string>());
  if (value.is_number_float() || value.is_number_unsigned()) {
    const bool fits = value.is_number_unsigned() && value.get<uint64_t>() <= uint64_t{INT64_MAX};
    return fits ? RawField(value.get<int64_t>()) : RawField(value.get<double>());
  }
  if (value.is_number()) return RawField(value.get<int64_t>());
  return dump_json(value);  // true and false
}

bool is_list_of_objects(const Json& value) {
  return value.is_array() && !value.empty() && value[0].is_object();
}

// A short text, or a list of one, that may be the name of an entry.
std::string label_of(const Json& value) {
  constexpr size_t kLongestLabel = 40;
  if (value.is_array() && value.size() == 1) return label_of(value[0]);
  if (!value.is_string()) return "";
  std::string label = trim(value.get<std::string>());
  return label.size() <= kLongestLabel ? label : "";
}

// What tells the entries of a list apart: the field that names a data set, a task or a metric, if it
// differs between them; else "0", "1", ...
std::vector<std::string> labels_of(const Json& list) {
  constexpr std::string_view kNaming[] = {"data",  "set",    "task",   "metric", "name",
                                          "split", "corpus", "domain", "eval"};
  for (const auto& [key, unused] : list[0].items()) {
    const std::string plain = plain_name(key);
    const bool names = std::any_of(std::begin(kNaming), std::end(kNaming), [&](auto word) {
      return plain.find(word) != std::string::npos;
    });
    if (!names) continue;
    std::vector<std::string> labels;
    std::set<std::string> different;
    for (const Json& entry : list) {
      const bool has = entry.is_object() && entry.contains(key);
      labels.push_back(has ? label_of(entry[key]) : "");
      different.insert(labels.back());
    }
    if (different.size() == list.size() && !different.contains("")) return labels;
  }
  std::vector<std::string> numbers;
  for (size_t i = 0; i < list.size(); ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

constexpr size_t kMostEntries = 64;  // of a list whose entries become columns

void add_fields(RawTable& table, RawRow& row, const Json& object, const std::string& prefix,
                const Place& place);

// results[0].loss of a list of objects is the column results.0.loss, or results.c4.loss by its label.
void add_entries(RawTable& table, RawRow& row, const Json& list, const std::string& name,
                 const Place& place) {
  const std::vector<std::string> labels = labels_of(list);
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_object()) add_fields(table, row, list[i], name + '.' + labels[i] + '.', place);
  }
}

void add_fields(RawTable& table, RawRow& row, const Json& object, const std::string& prefix,
                const Place& place) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_object()) {
      add_fields(table, row, value, name + ".", place);
    } else {
      const size_t column = table.column(name);
      if (value.is_null()) continue;
      if (!row.at(column).empty())
        throw Error(fmt::format("{}: {} appears twice", place.text(), name));
      if (RawField field = field_of(value); !field.empty()) row.set(column, std::move(field));
      if (is_list_of_objects(value) && value.size() <= kMostEntries)
        add_entries(table, row, value, name, place);
    }
  }
}

void add_row(RawTable& table, const Json& object, int number, const std::string& where) {
  const Place place{where, table, number};
  if (!object.is_object()) {
    throw Error(fmt::format(
        "{} is {}; a row is {{\"N\": ..., \"D\": ..., \"loss\": ...}}{}", place.text(),
        object.is_array() ? "a list without names" : "not an object",
        object.is_array() ? "; in pandas, to_json(orient=\"records\") writes them" : ""));
  }
  RawRow row{number, {}};
  add_fields(table, row, object, "", place);
  table.rows.push_back(std::move(row));
}

// {"N": [1e6, 2e6], "loss": [3, 2.9]}
bool is_columns(const Json& document) {
  if (!document.is_object() || document.empty()) return false;
  for (const Json& member : document) {
    if (!member.is_array() || member.size() != document.front().size()) return false;
  }
  return !document.front().empty() && !is_list_of_objects(document.front());
}

void add_columns(RawTable& table, const Json& document) {
  table.rows.resize(document.front().size());
  for (size_t i = 0; i < table.rows.size(); ++i) table.rows[i].place = static_cast<int>(i + 1);
  for (const auto& [name, list] : document.items()) {
    const size_t column = table.column(name);
    for (size_t i = 0; i < list.size(); ++i) {
      if (!list[i].is_object() && !list[i].is_null())
        if (RawField field = field_of(list[i]); !field.empty())
          table.rows[i].set(column, std::move(field));
    }
  }
}

// pandas' to_json(orient="split"): {"columns": ["N", ...], "index": [0, ...], "data": [[1e6, ...], ...]}
bool is_split(const Json& document) {
  if (!document.is_object() || !document.contains("columns") || !document.contains("data"))
    return false;
  const Json &columns = document["columns"], &data = document["data"];
  return columns.is_array() && data.is_array() &&
         std::all_of(columns.begin(), columns.end(), [](auto& name) { return name.is_string(); }) &&
         std::all_of(data.begin(), data.end(),
                     [&](auto& row) { return row.is_array() && row.size() == columns.size(); });
}

void add_split(RawTable& table, const Json& document, const std::string& where) {
  int number = 0;
  for (const Json& values : document["data"]) {
    Json row = Json::object();
    for (size_t i = 0; i < values.size(); ++i)
      row[document["columns"][i].get<std::string>()] = values[i];
    add_row(table, row, ++number, where);
  }
}

// Objects whose fields are mostly the same.
bool are_alike(const Json& a, const Json& b) {
  size_t shared = 0;
  for (const auto& [key, unused] : a.items()) shared += b.contains(key);
  return 2 * shared >= std::max(a.size(), b.size());
}

// {"run-1": {"N": ...}, "run-2": {...}} or pandas' {"N": {"0": ...}, "D": {"0": ...}}.
bool is_object_of_objects(const Json& document) {
  if (!document.is_object() || document.size() < 2) return false;
  const Json& first = document.front();
  return std::all_of(document.begin(), document.end(), [&](const Json& member) {
    return member.is_object() && !member.empty() && are_alike(first, member);
  });
}

struct Keys {
  bool known = false;   // some are usual names of columns
  bool numbers = true;  // all are 0, 1, 2 ...
};

Keys keys_of(const Json& object) {
  Keys out;
  for (const auto& [key, unused] : object.items()) {
    out.known = out.known || is_usual_name(key);
    out.numbers = out.numbers && parse_whole(key).has_value();
  }
  return out;
}

void add_objects(RawTable& table, const Json& document, const std::string& where) {
  const Keys outer = keys_of(document), inner = keys_of(document.front());
  const bool by_columns = outer.known != inner.known ? outer.known : inner.numbers;
  if (!by_columns) {
    const std::string key = document.front().contains("run") ? "key" : "run";
    int number = 0;
    for (const auto& [name, object] : document.items()) {
      Json row = object;
      if (!outer.numbers && !row.contains(key)) row[key] = name;
      add_row(table, row, ++number, where);
    }
    return;
  }
  // pandas numbers the rows; as texts, "10" would come before "2".
  std::map<std::pair<int, std::string>, Json> rows;
  for (const auto& [column, values] : document.items()) {
    for (const auto& [key, value] : values.items())
      rows[{parse_whole(key).value_or(0), key}][column] = value;
  }
  int number = 0;
  for (auto& [key, row] : rows) {
    if (!inner.numbers && !row.contains("run")) row["run"] = key.second;
    add_row(table, row, ++number, where);
  }
}

// Whether an object says itself how large a model is, or on how much it was trained: it is a run then,
// and a list in it holds its results.
bool is_run(const Json& object) {
  for (const auto& [key, value] : object.items()) {
    // "n" may be the number of rows.
    const bool is_size =
        value.is_number() && key.size() > 1 && is_called_one_of(key, {"N", "D", "N_total"});
    if (value.is_object() ? is_run(value) : is_size) return true;
  }
  return false;
}

// The rows of a document that is not itself a list.
Json rows_of(const Json& document, const std::string& where) {
  std::vector<std::string> lists;
  if (document.is_object()) {
    for (const auto& [name, member] : document.items()) {
      if (is_list_of_objects(member)) lists.push_back(name);
    }
    if (lists.empty() || is_run(document)) return Json::array({document});
  }
  if (lists.size() == 1) return document.at(lists[0]);
  if (lists.empty()) throw Error(fmt::format("{}: is not a list of objects", where));
  throw Error(fmt::format("{}: has several lists of objects, {}; give a file of one of them", where,
                          fmt::join(lists, ", ")));
}

}  // namespace

RawTable read_json_table(const std::string& text, const std::string& where) {
  const Json document = parse(without_mark(text), where, 1);
  RawTable table;
  table.kind = "json";
  table.place_is = "entry";
  if (is_split(document)) {
    add_split(table, document, where);
    return table;
  }
  if (is_columns(document)) {
    add_columns(table, document);
    return table;
  }
  if (is_object_of_objects(document)) {
    add_objects(table, document, where);
    return table;
  }
  int number = 0;
  for (const Json& row : document.is_array() ? document : rows_of(document, where))
    add_row(table, row, ++number, where);
  if (table.rows.empty()) throw Error(fmt::format("{}: is an empty list of runs", where));
  return table;
}

RawTable read_jsonl(const std::string& text, const std::string& where) {
  RawTable table;
  table.kind = "jsonl";
  int number = 0;
  for (const std::string& line : split(without_mark(text), '\n')) {
    ++number;
    if (!trim(line).empty()) add_row(table, parse(line, where, number), number, where);
  }
  if (table.rows.empty())
    throw Error(fmt::format("{}: is empty; expected an object a line", where));
  return table;
}

bool looks_like_jsonl(const std::string& text) {
  const std::string_view all = without_mark(text);
  const size_t begin = all.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || all[begin] != '{') return false;
  const size_t end = all.find('\n', begin);
  if (end == std::string_view::npos || trim(all.substr(end)).empty()) return false;
  return try_parse_json(quote_non_numbers(all.substr(begin, end - begin))).has_value();
}

}  // namespace bitlaw
