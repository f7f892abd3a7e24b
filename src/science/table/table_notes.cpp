#include "table/table_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/names.h"
#include "base/number.h"

namespace bitlaw {

std::string unknown_statuses(const Table& table) {
  std::vector<std::string> parts;
  std::set<std::string> columns;
  for (const auto& [status, count] : table.unknown_status) {
    parts.push_back(fmt::format("{} in {} row{}", status.second, count, count == 1 ? "" : "s"));
    columns.insert(status.first + "=-");
  }
  return fmt::format("{}. --columns {} uses all rows", fmt::join(parts, ", "),
                     fmt::join(columns, ","));
}

void note_unread(const RawTable& raw, const Columns& columns, const std::vector<size_t>& except,
                 Table& table) {
  constexpr size_t kMostValues = 5, kMostColumns = 5;
  std::vector<std::string> parts;
  for (size_t place = 0; place < raw.columns().size(); ++place) {
    const bool named = std::find(except.begin(), except.end(), place) != except.end();
    if (columns.is_taken(place) || named) continue;
    std::map<std::string, int> values;
    bool words = true;
    for (const RawRow& row : raw.rows) {
      const RawField& field = row.at(place);
      if (field.empty()) continue;
      words &= !field.number() && !parse_number(field.view());
      ++values[field.text()];
      if (!words || values.size() > kMostValues) break;
    }
    const bool repeat =
        std::all_of(values.begin(), values.end(), [](const auto& each) { return each.second > 1; });
    if (!words || !repeat || values.size() < 2 || values.size() > kMostValues) continue;
    std::vector<std::string> shown;
    for (const auto& [value, count] : values) shown.push_back(printable(value));
    parts.push_back(
        fmt::format("{} ({})", printable(raw.columns()[place]), fmt::join(shown, ", ")));
  }
  if (parts.empty()) return;
  if (parts.size() > kMostColumns) {
    const size_t more = parts.size() - kMostColumns;
    parts.resize(kMostColumns);
    parts.push_back(fmt::format("and {} more", more));
  }
  table.notes.push_back(
      fmt::format("Not compared, because no factor has such a name: {}. If one may change a loss, "
                  "--columns FACTOR=COLUMN says what it is.",
                  fmt::join(parts, ", ")));
}

void note_repetition(Table& table, const std::vector<std::string>& modelled) {
  if (std::find(modelled.begin(), modelled.end(), "unique_tokens") != modelled.end()) return;
  constexpr double kOnce = 1.01;  // epochs, of text that hardly repeats
  int repeated = 0;
  double most = 0;
  for (const Observation& run : table.runs) {
    const double epochs = run.tokens / run.unique_tokens;
    repeated += epochs > kOnce;
    if (epochs > kOnce) most = std::max(most, epochs);
  }
  if (repeated == 0) return;
  table.notes.push_back(
      fmt::format("{} of {} rows repeat their text, up to {:.3g} epochs: a law without a term for "
                  "that takes its "
                  "cost for an effect of D; muennighoff has one.",
                  repeated, table.runs.size(), most));
}

void add_notes(Table& table, const Derived& derived) {
  const auto note = [&](int count, const char* one, const char* many) {
    if (count > 0) table.notes.push_back(fmt::format(fmt::runtime(count == 1 ? one : many), count));
  };
  note(table.filtered, "{} row is left out by --where.", "{} rows are left out by --where.");
  note(table.diverged, "{} run is marked as diverged or failed and left out.",
       "{} runs are marked as diverged or failed and left out.");
  note(table.of_diverged,
       "{} row of a model along a diverged run, or of what was quantized after it, is left out.",
       "{} rows of models along diverged runs, or of what was quantized after them, are left out.");
  if (!table.unknown_status.empty()) {
    table.notes.push_back(
        fmt::format("Not known to be finished and left out: {}.", unknown_statuses(table)));
  }
  note(table.unfinished, "{} row has no loss yet and is left out.",
       "{} rows have no loss yet and are left out.");
  note(
      table.in_use,
      "{} row has activations or KV rounded after training, for which no law has a term, and is "
      "left out.",
      "{} rows have activations or KV rounded after training, for which no law has a term, and are "
      "left out.");
  note(table.unstable,
       "{} row was trained with 3 bits or fewer of activations or KV, where training limps or "
       "diverges, and is left out; --keep-3bit uses it.",
       "{} rows were trained with 3 bits or fewer of activations or KV, where training limps or "
       "diverges, and are left out; --keep-3bit uses them.");
  note(table.along,
       "{} row is of a model along its run, before its learning rate had decayed, and is left out; "
       "--where 'run_fraction<1' or --pool run_fraction uses it.",
       "{} rows are of models along their runs, before their learning rates had decayed, and are "
       "left out; --where 'run_fraction<1' or --pool run_fraction uses them.");
  note(table.tuning,
       "{} row is a run of tuning, whose hyperparameters are spread on purpose, and is left out; "
       "--where tuning=1 uses it.",
       "{} rows are runs of tuning, whose hyperparameters are spread on purpose, and are left out; "
       "--where tuning=1 uses them.");
  note(table.dropped, "{} row that repeats another is dropped.",
       "{} rows that repeat others are dropped.");
  for (const auto& [column, count] : table.without_input) {
    table.notes.push_back(
        fmt::format("{} row{} no value of {}, which the formula takes, and {} left "
                    "out.",
                    count, count == 1 ? " has" : "s have", column, count == 1 ? "is" : "are"));
  }
  note(derived.params, "N is C / (6 D) in {} row.", "N is C / (6 D) in {} rows.");
  note(derived.tokens, "D is C / (6 N) in {} row.", "D is C / (6 N) in {} rows.");
  note(derived.losses, "The loss is the logarithm of the perplexity in {} row.",
       "The loss is the logarithm of the perplexity in {} rows.");
  note(derived.precision.classes, "The bits of {} row are taken from its precision class.",
       "The bits of {} rows are taken from their precision classes.");
  note(derived.precision.apart,
       "In {} row keys and values have different bits: kumar-parts sees both, every other law the "
       "fewer (P_kv).",
       "In {} rows keys and values have different bits: kumar-parts sees both, every other law the "
       "fewer (P_kv).");
  note(derived.precision.arithmetic,
       "In {} row the precision is a type of 16 bits or more and the bits are fewer: the bits are "
       "used, also for its class.",
       "In {} rows the precision is a type of 16 bits or more and the bits are fewer: the bits are "
       "used, also for their classes.");
  note(derived.precision.disagreeing,
       "In {} place the bits differ from those of the format; the bits are used.",
       "In {} places the bits differ from those of the format; the bits are used.");
  if (derived.precision.numbers > 0) {
    const std::string& number = derived.precision.number;
    table.notes.push_back(fmt::format(
        "The precision {0} is no format, so it is a label without bits (in {1} {2}); write "
        "W{0}A{0}, "
        "or columns P_w and P_a, if it means bits.",
        number, derived.precision.numbers, derived.precision.numbers == 1 ? "row" : "rows"));
  }
  const std::string source = name_of(derived.precision.error_source);
  note(
      derived.precision.without_group,
      fmt::format(
          "{{}} part does not say how many entries share a scale, which --gaussian-error {} "
          "needs: it has the error of the best scale.",
          source)
          .c_str(),
      fmt::format("{{}} parts do not say how many entries share a scale, which --gaussian-error {} "
                  "needs: they have the error of the best scale. A column training_group says it.",
                  source)
          .c_str());
  note(derived.low_totals, "N_total is below N in {} row and ignored there.",
       "N_total is below N in {} rows and ignored there.");
  note(derived.other_compute,
       "In {} row C differs from 6 N D by more than 20 %; N and D are used, C is not.",
       "In {} rows C differs from 6 N D by more than 20 %; N and D are used, C is not.");
}

}  // namespace bitlaw
