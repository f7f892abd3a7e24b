#include "table/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/precision.h"
#include "record/factor.h"
#include "record/factor_names.h"
#include "record/tidy_row.h"
#include "table/column_list.h"
#include "table/foreign_tables.h"
#include "table/missing.h"
#include "table/row_status.h"

namespace bitlaw {
namespace {

// "loss" of "summary.loss", "n" of "N (M)".
std::string last_part(const std::string& column) {
  const std::string without_unit = trim(column.substr(0, column.find_first_of("([")));
  const std::string& name = without_unit.empty() ? column : without_unit;
  return plain_name(name.substr(name.rfind('.') + 1));
}

// What the user may have meant by a column that is not there.
std::string hint(const std::string& name, const TableColumn& column,
                 const std::vector<std::string>& header) {
  std::vector<std::string> alike;
  for (const std::string& part : split(column.parts, ' ')) {
    for (const std::string& each : header) {
      // hyperparameters.lr has nothing to do with parameters.
      const std::string last = last_part(each);
      const bool is_it = last == plain_name(name) || last.find(part) != std::string::npos;
      if (alike.size() < 5 && is_it && !each.ends_with("95") &&
          std::find(alike.begin(), alike.end(), each) == alike.end())
        alike.push_back(each);
    }
  }
  if (alike.size() > 1) return fmt::format("; did you mean one of {}?", printable(alike));
  std::string near = nearest_name(name, header);
  if (near.empty() && alike.size() == 1) near = alike[0];
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", printable(near));
}

// The items of "A=b,C=d" with names of ours; `option` is the flag's name for messages.
template <class Each>
void each_assignment(const std::string& text, const char* option, const char* example,
                     const Each& each) {
  const std::vector<std::string> known = known_columns();
  for (const std::string& item : split(text, ',')) {
    const size_t equals = item.find('=');
    std::string name = trim(item.substr(0, equals));
    if (equals == std::string::npos || trim(item.substr(equals + 1)).empty())
      throw Error(fmt::format("{}: {} is not {}", option, item, example));
    const auto is_known = [&] {
      return std::find(known.begin(), known.end(), name) != known.end();
    };
    if (const std::string factor = factor_called(name); !is_known() && !factor.empty())
      name = factor;
    if (!is_known()) {
      throw Error(fmt::format("{}: {}", option, unknown_name("column name", name, known)));
    }
    each(name, trim(item.substr(equals + 1)));
  }
}

}  // namespace

ColumnMap parse_columns(const std::string& text) {
  ColumnMap columns;
  each_assignment(
      text, "columns", "NAME=COLUMN, as in N=params,D=tokens,loss=val_loss",
      [&](const std::string& name, const std::string& column) { columns[name] = column; });
  return columns;
}

std::map<std::string, double> parse_scale(const std::string& text) {
  std::map<std::string, double> factors;
  each_assignment(
      text, "scale", "NAME=FACTOR, as in N=1e6,D=1e9",
      [&](const std::string& name, const std::string& number) {
        if (!column_named(name).has_unit)
          throw Error(fmt::format("scale: {} has no unit to scale", name));
        const auto factor = parse_positive(number);
        if (!factor) throw Error(fmt::format("scale: {}={} is not a factor above 0", name, number));
        factors[name] = *factor;
      });
  return factors;
}

Columns::Columns(const RawTable& table, const std::string& where, const ColumnMap& given,
                 std::vector<std::string>& notes)
    : table_(table), where_(where) {
  for (size_t place = 0; place < table.columns().size(); ++place)
    plain_[plain_name(table.columns()[place])].push_back(place);

  for (const auto& [name, column] : given) {
    if (column == "-") continue;
    if (const auto place = table.find(column))
      take(name, *place);
    else
      not_there_.push_back(fmt::format("{} ({}{})", printable(column), column_named(name).meaning,
                                       hint(column, column_named(name), table.columns())));
  }
  const auto open = [&](const char* name) { return !has(name) && !given.count(name); };
  for (const TableColumn& column : table_columns()) {
    if (!open(column.name)) continue;
    if (const auto place = table.find(column.name)) take(column.name, *place);
  }
  for (const TableColumn& column : table_columns()) {
    const bool covered =
        std::string(column.name) == "P" && (has("P_w") || has("P_a") || has("P_kv"));
    if (open(column.name) && !covered && !take_usual(column.name, column.usual, notes) &&
        !take_own(column.name, notes))
      take_usual(column.name, column.too, notes);
  }
  settle_flags();
  if (open("status")) settle_status();
  if (open("precision")) settle_precision();
  settle_group_size(open("training_group"), open("group"));
  settle_bits();
  settle_errors(open("loss_standard_error"));
  settle_counts(open("N"), open("N_total"), notes);
  if (open("loss_standard_error") && open("loss_low") && open("loss_high")) take_interval();
  take_factors(given, notes);
  note_block_size(table, *this, notes);

  if (!recognised_.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [name, column] : recognised_)
      pairs.push_back(fmt::format("{} is {}", name, printable(column)));
    notes.push_back(
        fmt::format("Columns recognized by their usual names: {} (change with --columns).",
                    fmt::join(pairs, ", ")));
  }
}

std::optional<size_t> Columns::find(std::string_view name) const {
  const auto place = places_.find(name);
  if (place == places_.end()) return std::nullopt;
  return place->second;
}

std::string Columns::file_name(const std::string& name) const {
  const auto place = find(name);
  return place ? table_.columns()[*place] : name;
}

std::optional<size_t> Columns::place(const std::string& name) const {
  if (const auto own = table_.find(name)) return own;
  const auto found = find(name);
  return found ? found : find(factor_called(name));
}

size_t Columns::any(const std::string& name, const std::string& what) const {
  if (const auto found = place(name)) return *found;
  throw Error(fmt::format("{}: {}: {}", where_, what, unknown_column(name, table_.columns())));
}

std::string Columns::describe_missing(const std::string& name) const {
  const TableColumn& column = column_named(name);
  std::string meant = hint(name, column, table_.columns());
  if (meant.empty() && name == "loss") {
    const std::string other = hint("", column_named("perplexity"), table_.columns());
    if (!other.empty()) meant = other + " Then --columns perplexity=... takes its logarithm";
  }
  if (name == "loss") {
    if (const std::string unit = loss_in_other_units(table_.columns()); !unit.empty()) meant = unit;
  }
  return fmt::format("{} ({}{})", name, column.meaning, meant);
}

void Columns::must_have(const std::vector<std::string>& missing) const {
  std::vector<std::string> parts, texts = not_there_;
  if (const std::string layout = foreign_layout(table_, missing); !layout.empty())
    throw Error(fmt::format("{}: {}", where_, layout));
  for (const std::string& name : missing) texts.push_back(describe_missing(name));
  if (!texts.empty()) {
    parts.push_back(
        fmt::format("no column {}; the file has {}; name yours with --columns N=...,D=...,loss=...",
                    fmt::join(texts, ", "), printable(table_.columns())));
  }
  if (has("C") && missing.size() > 1 && missing[0] == "N" && missing[1] == "D")
    parts.emplace_back(
        "C alone gives neither N nor D; `bitlaw fit --power-law C` fits L = E + A C^-a");
  parts.insert(parts.end(), problems_.begin(), problems_.end());
  if (!parts.empty()) throw Error(fmt::format("{}: {}", where_, fmt::join(parts, "; ")));
}

void Columns::take(const std::string& name, size_t place) {
  places_[name] = place;
}

void Columns::recognise(const std::string& name, size_t place) {
  take(name, place);
  recognised_[name] = table_.columns()[place];
}

bool Columns::is_taken(size_t place) const {
  return std::any_of(places_.begin(), places_.end(),
                     [&](const auto& each) { return each.second == place; });
}

// The file's columns, not taken yet, with one of the plain names.
std::vector<size_t> Columns::among(const char* plain_names) const {
  std::vector<size_t> found;
  for (const std::string& plain : split(plain_names, ' ')) {
    const auto places = plain_.find(plain);
    if (places == plain_.end()) continue;
    for (const size_t place : places->second) {
      if (!is_taken(place)) found.push_back(place);
    }
  }
  return found;
}

namespace {

// Columns that no law sees: a fit does without them.
constexpr std::string_view kNotNeeded[] = {
    "run", "N_total", "loss_standard_error", "standard_error", "C", "perplexity"};

// In several rows: one may agree by chance.
bool are_equal(const RawTable& table, size_t a, size_t b) {
  return table.rows.size() > 1 &&
         std::all_of(table.rows.begin(), table.rows.end(), [&](const RawRow& row) {
           const RawField &one = row.at(a), &other = row.at(b);
           if (one.text() == other.text()) return true;
           const auto x = one.number() ? one.number() : parse_count(one.view());
           const auto y = other.number() ? other.number() : parse_count(other.view());
           return x && y && *x == *y;
         });
}

}  // namespace

void Columns::settle_several(const std::string& name, const char* meaning,
                             const std::vector<size_t>& found, bool needed,
                             std::vector<std::string>& notes) {
  std::vector<std::string> names;
  bool equal = true;
  for (const size_t place : found) {
    names.push_back(table_.columns()[place]);
    equal = equal && are_equal(table_, found[0], place);
  }
  if (equal) {
    recognise(name, found[0]);
  } else if (needed) {
    problems_.push_back(fmt::format(
        "{} could each be {} ({}); say which with --columns {}={}, or none with --columns {}=-",
        printable(names), name, meaning, name, names[0], name));
  } else {
    notes.push_back(
        fmt::format("{} could each be {} ({}): none of them is read; --columns {}={} says which.",
                    printable(names), name, meaning, name, names[0]));
  }
}

bool Columns::take_usual(const std::string& name, const char* plain_names,
                         std::vector<std::string>& notes) {
  const std::vector<size_t> found = among(plain_names);
  if (found.size() > 1) {
    const bool needed =
        std::find(std::begin(kNotNeeded), std::end(kNotNeeded), name) == std::end(kNotNeeded);
    settle_several(name, column_named(name).meaning, found,
                   needed || (name == "perplexity" && !has("loss")) ||
                       (name == "C" && !(has("N") && has("D"))),
                   notes);
  } else if (!found.empty()) {
    recognise(name, found[0]);
  }
  return !found.empty();
}

// "Status" and "LOSS" are our own names, too. A single letter is another name in another case (p is
// not P), Weights & Biases calls its sets of runs Group, and Tuning may be anything.
bool Columns::take_own(const std::string& name, std::vector<std::string>& notes) {
  if (name.size() == 1 || name == "group" || name == "tuning") return false;
  return take_usual(name, plain_name(name).c_str(), notes);
}

// A group size is that of training unless rows are quantized after training.
void Columns::settle_group_size(bool training_open, bool post_open) {
  const std::vector<size_t> found = among("group_size groupsize");
  if (found.empty() || !training_open) return;
  if (!has("P_post") || !post_open) {
    recognise("training_group", found[0]);
    return;
  }
  problems_.push_back(fmt::format(
      "{} could be the group size of training or after it; say --columns training_group={} or "
      "group={}",
      table_.columns()[found[0]], table_.columns()[found[0]], table_.columns()[found[0]]));
}

// A column called "done" may also hold dates or percentages, and one called "error" numbers or, in
// every row, words.
void Columns::settle_flags() {
  for (const char* name : {"finished", "failed"}) {
    const auto place = find(name);
    if (!place) continue;
    const std::string& column = table_.columns()[*place];
    bool flags = true, any_without = false;
    for (const RawRow& row : table_.rows) {
      const std::string text = row.at(*place).text();
      const auto flag =
          name == std::string("failed") ? read_failure(column, text) : read_flag(text);
      flags = flags && flag.has_value();
      any_without = any_without || flag == false;
    }
    if (flags && (any_without || !is_message(column))) continue;
    places_.erase(name);
    recognised_.erase(name);
  }
}

// A column of any name that says of some runs that they ended in another way than by finishing.
void Columns::settle_status() {
  for (size_t place = 0; place < table_.columns().size(); ++place) {
    if (is_taken(place)) continue;
    bool all = true, any_unfinished = false;
    for (const RawRow& row : table_.rows) {
      const std::string text = row.at(place).text();
      if (is_missing_word(text) || trim(text).empty()) continue;
      const auto finished = says_whether_finished(text);
      all = all && finished.has_value();
      any_unfinished = any_unfinished || finished == false;
      if (!all) break;
    }
    if (!all || !any_unfinished) continue;
    recognise("status", place);
    return;
  }
}

// "quantization" or "dtype" is a column of precisions if all of its words are, and some of fewer than
// 16 bits. In a table of loss differences it may be a method.
void Columns::settle_precision() {
  for (const char* known : {"P_w", "P_a", "P_kv", "P", "P_post", "delta", "precision", "format",
                            "format_w", "format_a", "format_kv"}) {
    if (has(known)) return;
  }
  constexpr const char* kNames =
      "quantization quantisation quant quant_type quantization_type quant_scheme "
      "quantization_scheme quantizer scheme dtype torch_dtype weight_dtype weights_dtype "
      "numerics number_type recipe weights";
  std::vector<size_t> found;
  for (const size_t place : among(kNames)) {
    bool all = true, any_quantized = false;
    for (const RawRow& row : table_.rows) {
      const std::string text = row.at(place).text();
      if (is_missing_word(text) || is_unquantized(text)) continue;
      all = all && named_precision(text).has_value();
      any_quantized = true;
    }
    if (all && any_quantized) found.push_back(place);
  }
  if (found.size() == 1) recognise("precision", found[0]);
}

// Bits in a table of loss differences could be those of training or those after it.
void Columns::settle_bits() {
  const auto bits = recognised_.find("P");
  if (bits == recognised_.end() || !has("delta") || has("P_post")) return;
  problems_.push_back(
      fmt::format("{} could be bits in training or after it; say --columns P_post={} or P={}",
                  bits->second, bits->second, bits->second));
}

// Without a delta, a standard error is the loss's.
void Columns::settle_errors(bool loss_error_open) {
  const auto place = find("standard_error");
  if (!place || has("delta")) return;
  places_.erase("standard_error");
  recognised_.erase("standard_error");
  if (loss_error_open) recognise("loss_standard_error", *place);
}

// With embeddings or without: a table may count both ways, or only with.
void Columns::settle_counts(bool params_open, bool total_open, std::vector<std::string>& notes) {
  const TableColumn params = column_named("N");
  const std::vector<size_t> without = among(params.usual);
  if (params_open && has("N_total")) {
    take("N", *find("N_total"));
    notes.push_back(
        fmt::format("{} includes embeddings and is used as N, because there is no other count.",
                    printable(file_name("N"))));
  } else if (recognised_.count("N") && total_open) {
    const std::string plain = plain_name(recognised_["N"]);
    const std::vector<std::string> exact = split(params.usual, ' ');
    if (std::find(exact.begin(), exact.end(), plain) != exact.end())
      take_usual("N_total", kParameterCounts, notes);
  } else if (has("N") && file_name("N") == "N" && !without.empty() && total_open) {
    const std::string other = printable(table_.columns()[without[0]]);
    notes.push_back(
        fmt::format("{} is also there: --columns N={},N_total=N uses both.", other, other));
  }
}

// An interval of 95 % beside the loss: x_lo95 and x_hi95.
void Columns::take_interval() {
  const auto loss = find("loss");
  if (!loss) return;
  const std::string& name = table_.columns()[*loss];
  const auto low = table_.find(name + "_lo95"), high = table_.find(name + "_hi95");
  if (!low || !high || is_taken(*low) || is_taken(*high)) return;
  recognise("loss_low", *low);
  recognise("loss_high", *high);
}

}  // namespace bitlaw
